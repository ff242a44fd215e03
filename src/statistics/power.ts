import type { Look, Method } from './looks.ts';
import { judgeFamily, type RowOutcome } from './sequential.ts';

/**
 * The power of a row: the probability that the gate's rule finds a loss of a given size. It resamples the noise of
 * earlier sessions that compared the baseline with itself.
 */
export interface NoiseModel {
  /** Centred log ratios of each earlier session, at least one session and one value in each. */
  readonly sessions: readonly (readonly number[])[];
  /** The levels of the same pairs, if they are known: towards worse, as logarithms. */
  readonly levels?: readonly (readonly number[])[] | undefined;
  /** Standard deviation between the centres of sessions in which nothing changed, a logarithm; 0 if unknown. */
  readonly quirk?: number;
}

export interface RowUnderTest {
  readonly limit: number;
  readonly warn?: number | undefined;
  readonly alpha: number;
  readonly looks: readonly Look[];
  /**
   * Size of the family. The other rows are assumed to be far from significance, which is the hardest case of Holm's
   * correction.
   */
  readonly tests: number;
  /** Version of the rule; see METHODS. */
  readonly method?: Method;
}

/** Log ratios of a simulated session without a change, and the levels of the pairs if they are known. */
export interface Resampled {
  readonly worse: Float64Array;
  readonly levels: Float64Array | undefined;
}

/** Draws for one probability: the standard error of a power of 80 % is 1.8 points. */
const DRAWS = 500;
/** Larger losses are not tried: a gate that misses +50 % has no useful power. */
const LARGEST = 0.5;

/**
 * Simulated sessions without a change. Each draws its blocks with replacement from the noise of one earlier session, so
 * that a noisy night is noisy in all its blocks.
 *
 * @param random uniform numbers in [0, 1)
 * @returns `draws` series, each as long as the last look
 */
export function resample(
  { sessions, levels, quirk = 0 }: NoiseModel,
  looks: readonly Look[],
  random: () => number,
  draws: number = DRAWS,
): readonly Resampled[] {
  const blocks = looks.at(-1)?.blocks ?? 0;
  const place = (length: number) => Math.floor(random() * length);
  return Array.from({ length: draws }, () => {
    const session = place(sessions.length);
    const residuals = sessions[session] ?? [0];
    const off = quirk === 0 ? 0 : quirk * nearlyNormal(random);
    const drawn = Array.from({ length: blocks }, () => place(residuals.length));
    const own = levels?.[session];
    return {
      worse: Float64Array.from(drawn, (pair) => off + (residuals[pair] ?? 0)),
      levels: own === undefined ? undefined : Float64Array.from(drawn, (pair) => own[pair] ?? 0),
    };
  });
}

/** The gate's rule on one simulated session that became worse by `shift`, a logarithm. */
export function judgeResampled(
  { worse, levels }: Resampled,
  shift: number,
  { limit, warn, alpha, looks, tests, method = 1 }: RowUnderTest,
): RowOutcome | undefined {
  const row = {
    worse: worse.map((d) => d + shift),
    levels: levels?.map((level) => level + shift / 2),
    limit,
    warn,
  };
  return judgeFamily([row], { alpha, looks, tests, method })[0];
}

/**
 * The sum of twelve uniform numbers, less six: nearly normal with standard deviation 1. The far tails are not needed
 * here.
 */
export const nearlyNormal = (random: () => number): number =>
  Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6);

/**
 * Share of the series that the rule calls regressed after everything became worse by `effect`.
 * @param effect a fraction, 0.05 is 5 % worse
 */
export function detectionRate(series: readonly Resampled[], effect: number, row: RowUnderTest): number {
  const shift = Math.log1p(effect);
  let found = 0;
  for (const noise of series) {
    if (judgeResampled(noise, shift, row)?.decision === 'regressed') found++;
  }
  return found / series.length;
}

/**
 * The smallest loss that the rule finds with the given power, to a tenth of a per cent. All sizes are tried on the same
 * draws, so the rate grows with the size, and bisection finds the smallest one that reaches the power.
 *
 * @returns a fraction; null if even +50 % is found with less than this power
 */
export function detectableEffect(
  model: NoiseModel,
  row: RowUnderTest,
  random: () => number,
  power = 0.8,
): number | null {
  const series = resample(model, row.looks, random);
  if (detectionRate(series, LARGEST, row) < power) return null;
  const STEP = 0.001;
  let [missed, found] = [0, Math.round(LARGEST / STEP)];
  while (found - missed > 1) {
    const middle = (missed + found) >> 1;
    if (detectionRate(series, middle * STEP, row) >= power) found = middle;
    else missed = middle;
  }
  return Math.round(found * STEP * 1000) / 1000;
}
