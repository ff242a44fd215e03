import cdf from '@stdlib/stats-base-dists-t-cdf';
import quantile from '@stdlib/stats-base-dists-t-quantile';

/**
 * The exact signed-rank test (Wilcoxon 1945), one-sided, with ties and zeros.
 *
 * Zeros are ranked with the rest and then left out of the sum (Pratt 1959), so that pairs without a difference count
 * against a change; ties share their mid-rank. Under the null hypothesis each non-zero difference is positive with
 * probability 1/2, given its magnitude. Dynamic programming over doubled mid-ranks, which are whole numbers, gives the
 * distribution of the rank sum.
 */

/** The p of both one-sided tests of the rank sum. */
export interface SignedRank {
  /** Probability of a rank sum at least as large: a small one is evidence that the centre is larger. */
  readonly greater: number;
  /** Probability of a rank sum at most as large: a small one is evidence that the centre is smaller. */
  readonly less: number;
}

/**
 * The probability that differences symmetric about zero give a rank sum at least as large as this one.
 * @param differences finite numbers; above EXACT_UP_TO of them p is approximate
 * @returns p in (0, 1]; 1 for an empty sample and for one of zeros alone
 * @throws RangeError for a difference that is not finite
 */
export const signedRankGreater = (differences: ArrayLike<number>): number => signedRank(differences).greater;

/**
 * Both one-sided tests of a centre.
 *
 * Without ties the rank sum is the number of Walsh averages above the centre (Tukey 1949), which needs no sorting, and
 * its distribution depends only on the sample's size. With a tie or a zero the ranks and their distribution are
 * computed.
 *
 * @param differences finite numbers; above EXACT_UP_TO of them p is approximate
 * @param centre the hypothesis, taken off each difference
 * @param n how many of the differences count, from the first on
 * @returns p in (0, 1]; 1 for an empty sample and for one of zeros alone
 * @throws RangeError for a difference that is not finite
 */
export function signedRank(
  differences: ArrayLike<number>,
  centre = 0,
  n: number = differences.length,
): SignedRank {
  const shifted = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const difference = differences[i] ?? Number.NaN;
    if (!Number.isFinite(difference))
      throw new RangeError(
        'found a difference that is not finite; found a difference that is not finite; signed ranks need finite differences',
      );
    shifted[i] = difference - centre;
  }
  if (n > EXACT_UP_TO) return approximateTest(shifted);
  let positive = 0;
  for (let i = 0; i < n; i++) {
    const a = shifted[i] ?? 0;
    if (a === 0) return rankedTest(shifted);
    if (a > 0) positive++;
    for (let j = 0; j < i; j++) {
      const b = shifted[j] ?? 0;
      if (a + b > 0) positive++;
      else if (a + b === 0) return rankedTest(shifted);
      if (a === b) return rankedTest(shifted);
    }
  }
  const tail = upperTail(n);
  return { greater: tail[positive] ?? 0, less: tail[(n * (n + 1)) / 2 - positive] ?? 0 };
}

/**
 * Larger samples use the normal distribution: the exact one takes time that grows with the cube of the size. At this
 * size the two differ in the third digit of a p of 0.001. No gate measures so many blocks, but a file may hold them.
 */
export const EXACT_UP_TO = 400;
/** Student's distribution with so many degrees of freedom is the normal one. */
const NORMAL = 1e9;

/** Probability of a standard normal value of at least z. */
const normalTail = (z: number) => Math.max(Number.MIN_VALUE, Math.min(1, cdf(-z, NORMAL)));

/** The test of a large sample, with a correction for continuity: doubled rank sums go in steps of two. */
function approximateTest(differences: Float64Array): SignedRank {
  const { weights, sum } = rank(differences);
  if (weights.length === 0) return { greater: 1, less: 1 };
  let [mean, variance] = [0, 0];
  for (const weight of weights) {
    mean += weight / 2;
    variance += weight ** 2 / 4;
  }
  const deviation = Math.sqrt(variance);
  return {
    greater: normalTail((sum - mean - 1) / deviation),
    less: normalTail((mean - sum - 1) / deviation),
  };
}

/** Tails of the rank sum by sample size, without ties. */
const tails = new Map<number, Float64Array>();

/** For each rank sum t of n differences without ties: the probability of t or more. */
function upperTail(n: number): Float64Array {
  const known = tails.get(n);
  if (known !== undefined) return known;
  const tail = distribution(untied(n), (n * (n + 1)) / 2);
  for (let t = tail.length - 2; t >= 0; t--) tail[t] = (tail[t] ?? 0) + (tail[t + 1] ?? 0);
  // The total is 1 except for rounding.
  tail[0] = 1;
  tails.set(n, tail);
  return tail;
}

const untied = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

/** The test with ties and zeros, by the distribution of exactly these ranks. */
function rankedTest(differences: Float64Array): SignedRank {
  const { weights, sum } = rank(differences);
  if (weights.length === 0) return { greater: 1, less: 1 };
  const total = weights.reduce((a, b) => a + b, 0);
  const probability = distribution(weights, total);
  let [greater, less] = [0, 0];
  for (let value = 0; value <= total; value++) {
    if (value >= sum) greater += probability[value] ?? 0;
    if (value <= sum) less += probability[value] ?? 0;
  }
  return { greater: Math.min(1, greater), less: Math.min(1, less) };
}

/** Probability of each sum from 0 to `total`, where each weight is included with probability 1/2. */
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

/** Doubled mid-ranks of the non-zero differences, and the doubled rank sum of the positive ones. */
function rank(differences: Float64Array): { readonly weights: readonly number[]; readonly sum: number } {
  const sorted = [...differences].sort((a, b) => Math.abs(a) - Math.abs(b));
  const weights: number[] = [];
  let sum = 0;
  for (let start = 0; start < sorted.length;) {
    const magnitude = Math.abs(sorted[start] ?? 0);
    let end = start;
    while (end < sorted.length && Math.abs(sorted[end] ?? 0) === magnitude) end++;
    // Ranks start + 1 to end share their mean, which is a whole number when doubled.
    const doubled = start + 1 + end;
    if (magnitude > 0)
      for (let index = start; index < end; index++) {
        weights.push(doubled);
        if ((sorted[index] ?? 0) > 0) sum += doubled;
      }
    start = end;
  }
  return { weights, sum };
}

/** Results of `walshBoundRank` by `n confidence`: a benchmark needs the same ones a million times. */
const boundRanks = new Map<string, number>();

/**
 * The rank k such that the k-th smallest and k-th largest Walsh averages bound the centre with at least the confidence
 * asked for: the largest k with P(T <= k - 1) <= (1 - confidence) / 2, for a sample without ties.
 * @returns 0 if the sample is too small for any bound
 */
export function walshBoundRank(n: number, confidence: number): number {
  const key = `${n} ${confidence}`;
  const known = boundRanks.get(key);
  if (known !== undefined) return known;
  const allowed = (1 - confidence) / 2;
  if (n > EXACT_UP_TO) {
    const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
    return Math.max(0, Math.floor((n * (n + 1)) / 4 + quantile(allowed, NORMAL) * deviation));
  }
  const probability = distribution(untied(n), (n * (n + 1)) / 2);
  let below = 0;
  let k = 0;
  while (k < probability.length) {
    below += probability[k] ?? 0;
    // Probabilities are sums of powers of two, exact in doubles up to n = 52 and within 1e-15 beyond.
    if (below > allowed + 1e-12) break;
    k++;
  }
  boundRanks.set(key, k);
  return k;
}
