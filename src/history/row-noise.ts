import { mean, median, sampleStandardDeviation, sampleVariance } from 'simple-statistics';
import type { RowNoise } from '../session/history.ts';
import { isJudgedIn } from '../session/patterns.ts';
import type { Session } from '../session/session.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { looksFor } from '../statistics/looks.ts';
import { detectableEffect } from '../statistics/power.ts';
import { uniformSource } from '../statistics/random.ts';
import { judge } from '../verdict/compare.ts';
import { nightsLike, pairRatios, RECENT_NIGHTS } from '../evidence/nights.ts';
import { observeSession } from '../evidence/observations.ts';

/**
 * The noise of every judged row, from the nights of the newest one's machine and measuring code.
 * @returns in the order of variants and metrics; rows without a night with enough pairs are left out
 */
export function noiseOf(newest: Session, sessions: readonly Session[]): RowNoise[] {
  const observations = observeSession({ ...newest, nights: [] });
  const { alpha, profile, method, cap, metrics } = observations;
  const { tests } = judge(observations);
  const looks = looksFor(profile, cap ?? newest.rules.blocks, method);
  const nights = nightsLike(newest, sessions).map(pairRatios);
  return newest.variants.flatMap((variant) =>
    metrics.flatMap((rule): RowNoise[] => {
      const { name: metric, limit, kind } = rule;
      const ratios = nights.flatMap((night) => night.get(variant)?.get(metric) ?? []);
      if (!isJudgedIn(rule, variant) || kind !== 'paired' || ratios.length === 0) return [];
      const residuals = ratios.slice(-RECENT_NIGHTS).map((night) => {
        const centre = centreOf(night);
        return Array.from(night, (ratio) => ratio - centre);
      });
      return [
        {
          variant,
          metric,
          limit,
          nights: ratios.length,
          noise: median(ratios.map((night) => sampleStandardDeviation([...night]))),
          tau: betweenNights(ratios),
          detectable: detectableEffect(
            { sessions: residuals },
            { limit, alpha, looks, method, tests: Math.max(1, tests) },
            uniformSource(newest.seed),
          ),
        },
      ];
    }),
  );
}

/**
 * Variance of the Hodges-Lehmann centre of n normal values, in units of their variance over n (Hodges and Lehmann
 * 1963: its efficiency is 3 / pi).
 */
const CENTRE_VARIANCE = Math.PI / 3;

/**
 * Standard deviation between nights: the spread of the nights' centres, less what their standard errors explain, as in
 * a meta-analysis by moments. It is cut off at zero, so with few nights it is too large on average.
 *
 * @param nights log ratios of each night's pairs, each night with at least two
 * @returns a logarithm; null for fewer than two nights
 */
export function betweenNights(nights: readonly Float64Array[]): number | null {
  if (nights.length < 2) return null;
  const errors = nights.map((night) => (CENTRE_VARIANCE * sampleVariance([...night])) / night.length);
  const spread = sampleVariance(nights.map((night) => centreOf(night)));
  return Math.sqrt(Math.max(0, spread - mean(errors)));
}
