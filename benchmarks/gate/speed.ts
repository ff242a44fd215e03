import { uniformSource } from '../../src/statistics/random.ts';
import { looksFor, NEWEST_METHOD, PROFILE_SETTINGS } from '../../src/statistics/looks.ts';
import { judgeFamily } from '../../src/statistics/sequential.ts';
import { normalSource } from './simulation/normal.ts';
import { ALPHA } from './simulation/pull-request.ts';

export const ROWS = 21;
/** Pairs of a row. */
export const PAIRS = 30;
const FAMILIES = 200;
const SECONDS = 3;

/**
 * Pull requests that the rule decides in a second of processor time, without reading data: other work of the machine is not
 * counted against it.
 * @param spread standard deviation of a pair's log ratio: if it is small, every row is decided early; if it is large, none is
 */
export function decidedPerSecond(spread: number, seed: number): number {
  const normal = normalSource(uniformSource(seed));
  const { limit } = PROFILE_SETTINGS.balanced;
  const looks = looksFor('balanced', PAIRS, NEWEST_METHOD);
  const families = Array.from({ length: FAMILIES }, () =>
    Array.from({ length: ROWS }, () => ({
      worse: Float64Array.from({ length: PAIRS }, () => spread * normal()),
      levels: Float64Array.from({ length: PAIRS }, () => (spread / 2) * normal()),
      limit,
    })),
  );
  const decideAll = () => {
    for (const rows of families)
      judgeFamily(rows, { alpha: ALPHA, looks, tests: ROWS, method: NEWEST_METHOD });
  };
  // The first time is the compiler's.
  decideAll();
  let decided = 0;
  const started = process.cpuUsage();
  let seconds = 0;
  while (seconds < SECONDS) {
    decideAll();
    decided += FAMILIES;
    const { user, system } = process.cpuUsage(started);
    seconds = (user + system) / 1e6;
  }
  return decided / seconds;
}
