/**
 * More metrics than these of one run are no suite of benchmarks: each of them is in every run of the session, and at most
 * 500 of a pattern are judged.
 */
export const MOST_METRICS = 5000;

/** @returns what is wrong with so many metrics, or undefined */
export const tooMany = (count: number): string | undefined =>
  count > MOST_METRICS
    ? `found ${count} metrics; at most ${MOST_METRICS} are read. Report those that matter, or divide the suite among several configurations`
    : undefined;
