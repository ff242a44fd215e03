/**
 * The Mann-Whitney U test in the pieces that its programs put together in different ways (Mann and Whitney 1947).
 * U counts the pairs in which the first sample's value is the larger; equal pairs are counted apart, since that is
 * where the programs differ.
 */

export interface PooledSamples {
  /** Pairs in which the first sample's value is larger. */
  readonly above: number;
  /** Pairs of equal values. */
  readonly equal: number;
  /** How many values share each of the pooled samples' ranks, from the smallest value on. */
  readonly ties: readonly number[];
}

/** Compares each value of `x` with each of `y`, by a walk through both in order. */
export function pool(x: Float64Array, y: Float64Array): PooledSamples {
  const first = Float64Array.from(x).sort();
  const second = Float64Array.from(y).sort();
  const ties: number[] = [];
  let [above, equal, i, j] = [0, 0, 0, 0];
  while (i < first.length || j < second.length) {
    const value = Math.min(first[i] ?? Infinity, second[j] ?? Infinity);
    const [passed, below] = [i, j];
    while (first[i] === value) i++;
    while (second[j] === value) j++;
    if (passed === i && below === j) throw new RangeError('samples must be finite');
    above += (i - passed) * below;
    equal += (i - passed) * (j - below);
    ties.push(i - passed + j - below);
  }
  return { above, equal, ties };
}

const cumulative = new Map<number, Float64Array>();
/** C(1022, 511) is the last such count that is finite. */
const TOO_MANY = 512;

/**
 * Distribution of U under the null hypothesis, without ties, by the recurrence of Mann and Whitney over the sizes:
 * the largest value of all belongs to one sample or to the other. Kept for the sizes already asked for.
 *
 * @returns `[u]` = P(U <= u), for u of 0 to m n
 * @throws RangeError for a size that is not of 1 to 511
 */
export function cumulativeU(m: number, n: number): Float64Array {
  if (!(m >= 1 && n >= 1 && m < TOO_MANY && n < TOO_MANY))
    throw new RangeError(`no distribution of U for samples of ${m} and ${n}`);
  const key = m * TOO_MANY + n;
  const known = cumulative.get(key);
  if (known !== undefined) return known;
  // orderings[i][u]: how many orderings of i and j values have U = u, for the j of the round.
  let orderings: Float64Array[] = Array.from({ length: m + 1 }, () => Float64Array.of(1));
  for (let j = 1; j <= n; j++) {
    const round: Float64Array[] = [Float64Array.of(1)];
    for (let i = 1; i <= m; i++) {
      const largestOfSecond = orderings[i];
      const largestOfFirst = round[i - 1];
      const counts = new Float64Array(i * j + 1);
      for (let u = 0; u <= i * j; u++)
        counts[u] = (largestOfSecond?.[u] ?? 0) + (largestOfFirst?.[u - j] ?? 0);
      round.push(counts);
    }
    orderings = round;
  }
  const distribution = orderings[m] ?? new Float64Array(1);
  for (let u = 1; u < distribution.length; u++)
    distribution[u] = (distribution[u] ?? 0) + (distribution[u - 1] ?? 0);
  const all = distribution.at(-1) ?? 1;
  for (let u = 0; u < distribution.length; u++) distribution[u] = (distribution[u] ?? 0) / all;
  cumulative.set(key, distribution);
  return distribution;
}

/**
 * P(U <= u) given the ties, a tie counting as half: the ways to deal the pooled values out to both samples, tie by
 * tie (Klotz 1966).
 *
 * @param doubled twice u, a whole number
 * @param ties how many values share each rank
 * @param m size of the first sample, not more than all values together
 */
export function tiedProbability(doubled: number, ties: readonly number[], m: number): number {
  if (doubled < 0) return 0;
  const width = doubled + 1;
  // ways[i * width + w]: with i values dealt to the first sample, 2 U = w so far.
  let ways = new Float64Array((m + 1) * width);
  ways[0] = 1;
  let below = 0;
  for (const size of ties) {
    const dealt = new Float64Array((m + 1) * width);
    for (let i = 0; i <= Math.min(m, below); i++) {
      let chosen = 1;
      for (let k = 0; k <= Math.min(size, m - i); k++) {
        // Each of the k is above the second sample's values below, and level with the size - k of its own rank.
        const gained = k * (2 * (below - i) + size - k);
        for (let w = 0; w + gained < width; w++) {
          const to = (i + k) * width + w + gained;
          dealt[to] = (dealt[to] ?? 0) + chosen * (ways[i * width + w] ?? 0);
        }
        chosen = (chosen * (size - k)) / (k + 1);
      }
    }
    ways = dealt;
    below += size;
  }
  let favourable = 0;
  for (let w = 0; w < width; w++) favourable += ways[m * width + w] ?? 0;
  return favourable / binomial(below, m);
}

/** @returns the number of ways to choose `k` of `n` */
export function binomial(n: number, k: number): number {
  let ways = 1;
  // The product is a whole number after each step.
  for (let j = 1; j <= Math.min(k, n - k); j++) ways = (ways * (n - j + 1)) / j;
  return ways;
}
