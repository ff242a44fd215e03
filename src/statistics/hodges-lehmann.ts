import { median } from 'simple-statistics';
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
 */
export function hodgesLehmann(differences: readonly number[], confidence: number): Estimate {
  const averages = walshAverages(differences);
  const k = walshBoundRank(differences.length, confidence);
  return {
    centre: median(averages),
    low: k === 0 ? null : (averages[k - 1] ?? null),
    high: k === 0 ? null : (averages[averages.length - k] ?? null),
  };
}

function walshAverages(values: readonly number[]): number[] {
  const averages: number[] = [];
  for (const [index, a] of values.entries()) for (const b of values.slice(index)) averages.push((a + b) / 2);
  return averages.sort((a, b) => a - b);
}
