/**
 * The exact signed-rank test (Wilcoxon 1945), one-sided, with ties and zeros.
 *
 * Zeros are ranked with the rest and then left out of the sum (Pratt 1959), so that pairs without a difference
 * weigh against one instead of vanishing; ties share their mid-rank. Given the magnitudes, each sign of a
 * non-zero difference is a fair coin under the null hypothesis, and the distribution of the rank sum follows by
 * dynamic programming over doubled mid-ranks, which are whole numbers.
 */

/** A sample reduced to what the test needs: doubled signed mid-ranks of the non-zero differences. */
interface Ranked {
  /** Doubled mid-ranks of the non-zero differences. */
  readonly weights: readonly number[];
  /** Doubled rank sum of the positive differences. */
  readonly sum: number;
}

/**
 * p that differences symmetric about zero give a rank sum at least as large as the one found.
 * @param differences finite numbers, at most a few hundred
 * @returns p in (0, 1]; 1 for an empty sample and for one of zeros alone
 * @throws RangeError for a difference that is not finite
 */
export function signedRankGreater(differences: readonly number[]): number {
  const { weights, sum } = rank(differences);
  if (weights.length === 0) return 1;
  const total = weights.reduce((a, b) => a + b, 0);
  // Counting the smaller tail keeps the loop short; the distribution is symmetric about total / 2.
  const counts = distribution(weights, total);
  let tail = 0;
  for (let value = sum; value <= total; value++) tail += counts[value] ?? 0;
  return tail;
}

/** Probability of each doubled rank sum from 0 to `total`, every sign being a fair coin. */
function distribution(weights: readonly number[], total: number): Float64Array {
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reach = 0;
  for (const weight of weights) {
    reach += weight;
    for (let value = reach; value >= 0; value--) {
      const with_ = value >= weight ? (probability[value - weight] ?? 0) : 0;
      probability[value] = ((probability[value] ?? 0) + with_) / 2;
    }
  }
  return probability;
}

function rank(differences: readonly number[]): Ranked {
  if (!differences.every(Number.isFinite)) throw new RangeError('signed ranks need finite differences');
  const sorted = [...differences].sort((a, b) => Math.abs(a) - Math.abs(b));
  const weights: number[] = [];
  let sum = 0;
  for (let start = 0; start < sorted.length;) {
    const magnitude = Math.abs(sorted[start] ?? 0);
    let end = start;
    while (end < sorted.length && Math.abs(sorted[end] ?? 0) === magnitude) end++;
    // Ranks start + 1 to end share their mean; doubled it is a whole number.
    const doubled = start + 1 + end;
    if (magnitude > 0)
      for (const difference of sorted.slice(start, end)) {
        weights.push(doubled);
        if (difference > 0) sum += doubled;
      }
    start = end;
  }
  return { weights, sum };
}

/**
 * The rank k such that the k-th smallest and k-th largest Walsh averages bound the centre with at least the
 * confidence asked for: the largest k with P(T <= k - 1) <= (1 - confidence) / 2, for a sample without ties.
 * @returns 0 where the sample is too small for any bound
 */
export function walshBoundRank(n: number, confidence: number): number {
  const weights = Array.from({ length: n }, (_, index) => index + 1);
  const counts = distribution(weights, (n * (n + 1)) / 2);
  const allowed = (1 - confidence) / 2;
  let below = 0;
  let k = 0;
  while (k < counts.length) {
    below += counts[k] ?? 0;
    // Probabilities are sums of powers of two, exact in doubles up to n = 52 and within 1e-15 beyond.
    if (below > allowed + 1e-12) break;
    k++;
  }
  return k;
}
