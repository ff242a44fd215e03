import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';

/** Bounds of a probability, each in [0, 1]. */
export interface Proportion {
  readonly low: number;
  readonly high: number;
}

/**
 * The exact interval of a probability, from `successes` in `trials` independent tries. It covers the true probability
 * at least as often as `confidence` says. Clopper and Pearson (1934), by beta quantiles: Johnson, Kemp and Kotz,
 * Univariate Discrete Distributions, 3.8.3.
 *
 * @param successes whole number, 0 to `trials`
 * @param trials whole number from 0; without any the interval is all of [0, 1]
 * @param confidence two-sided, in (0, 1)
 * @throws RangeError for counts or a confidence outside these
 */
export function clopperPearson(successes: number, trials: number, confidence = 0.95): Proportion {
  check(successes, trials, confidence);
  const oneSided = 1 - (1 - confidence) / 2;
  return {
    low: lowerBound(successes, trials, oneSided),
    high: upperBound(successes, trials, oneSided),
  };
}

/** The exact lower bound of the probability. The arguments are those above; the confidence is one-sided. */
export function lowerBound(successes: number, trials: number, confidence = 0.95): number {
  check(successes, trials, confidence);
  return successes === 0 ? 0 : betaQuantile(1 - confidence, successes, trials - successes + 1);
}

/** The exact upper bound of the probability. The arguments are those above; the confidence is one-sided. */
export function upperBound(successes: number, trials: number, confidence = 0.95): number {
  check(successes, trials, confidence);
  return successes === trials ? 1 : betaQuantile(confidence, successes + 1, trials - successes);
}

function check(successes: number, trials: number, confidence: number): void {
  if (
    !Number.isSafeInteger(trials) ||
    !Number.isSafeInteger(successes) ||
    successes < 0 ||
    successes > trials
  )
    throw new RangeError(
      `${successes} of ${trials} is not a count: both must be whole numbers, the first from 0 to the second`,
    );
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`found the confidence ${confidence}; it must be between 0 and 1`);
}
