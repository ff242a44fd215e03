/** Blocks of a second session that confirms a regression: fixed before it begins, one look. */
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
 * Whether a second session of few blocks shows again the regression that a first one found.
 *
 * A quirk of one runner and one layout is not undone by more blocks there, so the second session needs no significance
 * of its own: the first one's error is held by its test, and this asks whether the effect is there on another machine.
 * `benchmarks/gate/REPORT.md` has what that is worth.
 */
export const isConfirmed = ({ centre, blocks, limit }: SecondLook): boolean =>
  blocks >= CONFIRMATION_BLOCKS && centre >= Math.log1p(limit);
