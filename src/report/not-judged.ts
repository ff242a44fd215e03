import type { Row } from '../verdict/comparison.ts';

/** Rows with their own heading. */
export interface RowGroup {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Up to this many rows are one table. */
const ROWS_AT_A_GLANCE = 12;

/**
 * The rows that are not judged, with the changed ones in a separate group, because many unchanged rows would hide them.
 * Rows with zero on both sides, such as throttling or disk reads, are only in the run's files.
 */
export function notJudged(rows: readonly Row[]): readonly RowGroup[] {
  if (rows.length <= ROWS_AT_A_GLANCE) return [{ title: 'Measured, not judged', rows }];
  const some = rows.filter(({ baseline, head }) => baseline.median !== 0 || head.median !== 0);
  return [
    { title: 'Measured, not judged: seems to have moved', rows: some.filter(hasMoved) },
    { title: 'Measured, not judged: no clear change', rows: some.filter((row) => !hasMoved(row)) },
  ];
}

/**
 * Whether a row changed by at least its limit and its interval excludes zero. There is no correction for several rows:
 * without the limit about one row in twenty would qualify by chance.
 */
function hasMoved({ change: { estimate, low, high }, limit }: Row): boolean {
  if (estimate === null || Math.abs(estimate) < limit) return false;
  return low === null || high === null || low > 0 || high < 0;
}
