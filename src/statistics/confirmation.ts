/**
 * Blocks of the second session that confirms a regression. The number is fixed before it begins, and there is one look.
 */
export const CONFIRMATION_BLOCKS = 8;

export interface SecondLook {
  /** Hodges-Lehmann estimate of the effect towards worse in the second session alone, a logarithm. */
  readonly centre: number;
  /** Pairs of the second session. */
  readonly blocks: number;
  /** The smallest change that counts, a fraction (0.03 is 3 %). */
  readonly limit: number;
}

/**
 * Whether a short second session confirms the regression that the first session found.
 *
 * More blocks on the same runner do not remove a quirk of that runner and memory layout; another machine does. The test
 * of the first session bounds its false alarms, so the second session needs no significance of its own.
 *
 * `benchmarks/gate/REPORT.md` has the error rates with and without it.
 */
export const isConfirmed = ({ centre, blocks, limit }: SecondLook): boolean =>
  blocks >= CONFIRMATION_BLOCKS && centre >= Math.log1p(limit);
