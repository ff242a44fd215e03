/**
 * The largest number of metrics of one run. Every run of the session stores each of them, and at most 500 of a pattern
 * are judged.
 */
export const MOST_METRICS = 5000;

/** @returns what is wrong with so many metrics, or undefined */
export const tooMany = (count: number): string | undefined =>
  count > MOST_METRICS
    ? `found ${count} metrics; at most ${MOST_METRICS} are read. Report those that matter, or divide the suite among several configurations`
    : undefined;
