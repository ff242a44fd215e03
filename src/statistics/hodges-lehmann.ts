import { EXACT_UP_TO, walshBoundRank } from './signed-rank.ts';

/** A centre with its interval. The bounds are null if the sample is too small for the confidence. */
export interface Estimate {
  readonly centre: number;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Hodges and Lehmann's estimate of the centre of symmetry: the median of the Walsh averages (every pair's mean,
 * each value with itself included), and the interval that the signed-rank test would not reject.
 * Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.2 and 3.3.
 *
 * @param differences at least one finite number
 * @param confidence two-sided, such as 0.95; at least six values bound it at 0.95
 * @param n how many of the differences count, from the first on
 */
export function hodgesLehmann(
  differences: ArrayLike<number>,
  confidence: number,
  n: number = differences.length,
): Estimate {
  if (n > EXACT_UP_TO) return estimateOfMany(differences, confidence, n);
  const averages = walshAverages(differences, n);
  const k = walshBoundRank(n, confidence);
  return {
    centre: middle(averages),
    low: k === 0 ? null : (averages[k - 1] ?? null),
    high: k === 0 ? null : (averages[averages.length - k] ?? null),
  };
}

/** The estimate alone. @param n how many of the differences count, from the first on; at least one */
export const centreOf = (differences: ArrayLike<number>, n: number = differences.length): number =>
  n > EXACT_UP_TO ? middleOf(selector(differences, n), n) : middle(walshAverages(differences, n));

/** The estimate of a large sample, without storing all its Walsh averages. */
function estimateOfMany(differences: ArrayLike<number>, confidence: number, n: number): Estimate {
  const select = selector(differences, n);
  const k = walshBoundRank(n, confidence);
  return {
    centre: middleOf(select, n),
    low: k === 0 ? null : select(k),
    high: k === 0 ? null : select((n * (n + 1)) / 2 + 1 - k),
  };
}

function middleOf(select: (k: number) => number, n: number): number {
  const count = (n * (n + 1)) / 2;
  return count % 2 === 1 ? select((count + 1) / 2) : (select(count / 2) + select(count / 2 + 1)) / 2;
}

/** Halvings of an interval of floats until its ends are neighbours, or nearly. */
const HALVINGS = 100;

/**
 * The k-th smallest Walsh average, from 1, without storing the averages. Bisection finds the value; each step counts in
 * linear time how many averages are at most that value.
 */
function selector(values: ArrayLike<number>, n: number): (k: number) => number {
  const sorted = Float64Array.from({ length: n }, (_, index) => values[index] ?? 0).sort();
  const countUpTo = (value: number) => {
    let count = 0;
    let j = n - 1;
    // For i <= j: a larger value has fewer partners, so j only moves down.
    for (let i = 0; i < n; i++) {
      while (j >= i && ((sorted[i] ?? 0) + (sorted[j] ?? 0)) / 2 > value) j--;
      if (j < i) break;
      count += j - i + 1;
    }
    return count;
  };
  return (k) => {
    let [low, high] = [sorted[0] ?? 0, sorted[n - 1] ?? 0];
    for (let step = 0; step < HALVINGS && low < high; step++) {
      const half = low / 2 + high / 2;
      if (half <= low || half >= high) break;
      if (countUpTo(half) >= k) high = half;
      else low = half;
    }
    return countUpTo(low) >= k ? low : high;
  };
}

/** Sorted upwards. */
function walshAverages(values: ArrayLike<number>, n: number): Float64Array {
  const averages = new Float64Array((n * (n + 1)) / 2);
  let next = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) averages[next++] = ((values[i] ?? 0) + (values[j] ?? 0)) / 2;
  return averages.sort();
}

/** The median of sorted values. */
function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
