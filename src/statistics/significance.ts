/**
 * The fewest blocks with which an exact signed-rank test could reach Holm's smallest level: with n blocks
 * the smallest one-sided p is 2^-n, so n >= log2(m / (alpha w)).
 */
export function blocksNeeded(tests: number, alpha: number, weight = 1): number {
  return Math.ceil(Math.log2(tests / (alpha * weight)));
}
