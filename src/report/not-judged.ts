import type { Row } from '../verdict/comparison.ts';

/** Rows under a heading of their own. */
export interface RowGroup {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** So many rows are read as one table. */
const ROWS_AT_A_GLANCE = 12;

/**
 * What was measured and not judged, so that a reader finds what moved: with several metrics of several variants it
 * would be lost among many rows that did not. Those that are zero on both sides (no throttling, nothing read from a disk)
 * are in the files of the run alone.
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
 * By at least what would count, with the whole interval on one side of no change. Each row by itself, without a
 * correction for how many there are: about one in twenty would say so by chance, were it not for the limit.
 */
function hasMoved({ change: { estimate, low, high }, limit }: Row): boolean {
  if (estimate === null || Math.abs(estimate) < limit) return false;
  return low === null || high === null || low > 0 || high < 0;
}
