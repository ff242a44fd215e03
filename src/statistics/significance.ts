/**
 * The fewest blocks with which an exact signed-rank test could pass Holm's first step: the smallest one-sided p
 * of n blocks is 2^-n, so n >= log2(m / (alpha w)).
 *
 * @param tests size m of the family, at least 1
 * @param alpha of the family, in (0, 1)
 * @param weight w of the look at which it would be reached; 1 with a single look
 */
export function blocksNeeded(tests: number, alpha: number, weight = 1): number {
  // A hair below the logarithm, so that 32 tests at 1/32 do not need an extra block for a rounding error.
  return Math.max(1, Math.ceil(Math.log2(tests / (alpha * weight)) - 1e-9));
}
