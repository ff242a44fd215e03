import cdf from '@stdlib/stats-base-dists-t-cdf';
import quantile from '@stdlib/stats-base-dists-t-quantile';
import { mean, sampleStandardDeviation } from 'simple-statistics';

/** What earlier sessions say about one new one. */
export interface Prediction {
  /** Mean of the earlier values: where the new one is expected. */
  readonly centre: number;
  /** Bounds that hold one new value with the confidence asked. */
  readonly low: number;
  readonly high: number;
  /** Probability of a new value at least as large as `value`, were its session like the earlier ones shifted by `shift`. */
  above(value: number, shift?: number): number;
  /** Probability of a new value at most as large. */
  below(value: number, shift?: number): number;
}

/**
 * Student's prediction for one new observation from K earlier ones: (y - mean) / (s sqrt(1 + 1/K)) follows t with
 * K - 1 degrees of freedom (Hahn and Meeker, Statistical Intervals, 4.8).
 *
 * @param earlier at least two finite values
 * @throws RangeError with fewer
 */
export function predict(earlier: readonly number[], confidence: number): Prediction {
  if (earlier.length < 2) throw new RangeError('a prediction needs at least two earlier values');
  const centre = mean([...earlier]);
  const degrees = earlier.length - 1;
  const spread = sampleStandardDeviation([...earlier]) * Math.sqrt(1 + 1 / earlier.length);
  // Values that never moved predict themselves: anything else is beyond every quantile.
  const t = (value: number, shift: number) => {
    const distance = value - centre - shift;
    if (spread > 0) return distance / spread;
    return distance === 0 ? 0 : Math.sign(distance) * Infinity;
  };
  const margin = quantile(1 - (1 - confidence) / 2, degrees) * spread;
  const clamp = (p: number) => Math.min(1, Math.max(0, p));
  return {
    centre,
    low: centre - margin,
    high: centre + margin,
    // Two tails of one distribution, each counted from its own end so that a small p keeps its digits.
    above: (value, shift = 0) => clamp(cdf(-t(value, shift), degrees)),
    below: (value, shift = 0) => clamp(cdf(t(value, shift), degrees)),
  };
}
