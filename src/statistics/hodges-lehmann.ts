import { walshBoundRank } from './signed-rank.ts';

/** A centre with its interval; bounds are null where the sample is too small for the confidence asked. */
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
  middle(walshAverages(differences, n));

/** Sorted upwards. */
function walshAverages(values: ArrayLike<number>, n: number): Float64Array {
  const averages = new Float64Array((n * (n + 1)) / 2);
  let next = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) averages[next++] = ((values[i] ?? 0) + (values[j] ?? 0)) / 2;
  return averages.sort();
}

/** The median of what is sorted already. */
function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
