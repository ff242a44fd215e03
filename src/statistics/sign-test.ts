import type { Look } from './looks.ts';

/**
 * The sign test: the probability that at least `above` of `n` values lie above a bound, if each does with a probability
 * of 1/2. It is exact, and conservative for a median below the bound. Dixon and Mood, JASA 41 (1946).
 *
 * @param above whole number, 0 to `n`
 * @param n whole number from 0
 * @throws RangeError for counts outside these
 */
export function signTest(above: number, n: number): number {
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(above) || above < 0 || above > n)
    throw new RangeError(
      `${above} of ${n} is not a count: both must be whole numbers, the first from 0 to the second`,
    );
  // In logarithms, because 2^-n of a long session is smaller than the smallest number.
  let term = -n * Math.LN2;
  let sum = above <= 0 ? Math.exp(term) : 0;
  for (let k = 1; k <= n; k++) {
    term += Math.log((n - k + 1) / k);
    if (k >= above) sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** What the values so far show of a bound: beyond it, within it, or neither. */
export type BoundOutcome = 'beyond' | 'within' | 'open';

/**
 * Tests at each look whether the median is beyond a bound. `beyond` spends the look's share of alpha. `within` is no
 * alarm, so it only needs `alpha`. The first look that decides counts; later values do not change it.
 *
 * @param isBeyond whether each value is beyond the bound, in the order of the blocks; a value on the bound is not
 * @param share of alpha that the row has, for all its looks
 * @param alpha of the family
 */
export function boundOutcome(
  isBeyond: readonly boolean[],
  looks: readonly Look[],
  { share, alpha }: { readonly share: number; readonly alpha: number },
): BoundOutcome {
  for (const { blocks, weight } of looks) {
    if (blocks > isBeyond.length) break;
    const beyond = isBeyond.slice(0, blocks).filter(Boolean).length;
    if (weight > 0 && signTest(beyond, blocks) <= share * weight) return 'beyond';
    if (signTest(blocks - beyond, blocks) <= alpha) return 'within';
  }
  return 'open';
}
