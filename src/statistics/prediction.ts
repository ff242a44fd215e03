import cdf from '@stdlib/stats-base-dists-t-cdf';
import quantile from '@stdlib/stats-base-dists-t-quantile';
import { mean, sampleStandardDeviation } from 'simple-statistics';

/** A prediction of one new session's value from earlier sessions. */
export interface Prediction {
  /** Mean of the earlier values: the expected new value. */
  readonly centre: number;
  /** Bounds of one new value, at the given confidence. */
  readonly low: number;
  readonly high: number;
  /**
   * Probability of a new value at least as large as `value`, if its session is like the earlier ones and shifted by
   * `shift`.
   */
  above(value: number, shift?: number): number;
  /** The same for a new value at most as large. */
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
  // Equal values predict exactly this value; any other one is outside every interval.
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
    // Each tail is computed from its own end, so that a small p keeps its digits.
    above: (value, shift = 0) => clamp(cdf(-t(value, shift), degrees)),
    below: (value, shift = 0) => clamp(cdf(t(value, shift), degrees)),
  };
}
