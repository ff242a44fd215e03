/**
 * Holm's step-down adjustment (1979): the family-wise error stays at or below alpha, however the tests depend on each
 * other.
 *
 * @param p the p of the tests that were made, each in [0, 1]
 * @param family how many tests the family has; planned tests that could not be made count as p = 1
 * @returns adjusted p in the order given, each at least its own p and at most 1
 * @throws RangeError when the family is smaller than the tests made
 */
export function holm(p: readonly number[], family = p.length): number[] {
  if (family < p.length) throw new RangeError(`a family of ${family} cannot hold ${p.length} tests`);
  const order = p.map((_, index) => index).sort((a, b) => (p[a] ?? 1) - (p[b] ?? 1));
  const adjusted = new Array<number>(p.length).fill(1);
  let largest = 0;
  for (const [step, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (family - step) * (p[index] ?? 1)));
    adjusted[index] = largest;
  }
  return adjusted;
}
