import type { Look } from './looks.ts';
import { judgeFamily } from './sequential.ts';

/**
 * What a row could see: the chance that the actual rule finds a change of a given size, by resampling the noise of
 * earlier sessions that compared the baseline with itself.
 */
export interface NoiseModel {
  /** Centred log ratios of each earlier session, at least one session and one value in each. */
  readonly sessions: readonly (readonly number[])[];
  /** Standard deviation of what a whole session is off by although nothing changed, a logarithm; 0 where unknown. */
  readonly quirk?: number;
}

export interface RowUnderTest {
  readonly limit: number;
  readonly alpha: number;
  readonly looks: readonly Look[];
  /** Size of the family. The other rows are taken to be far from significance, which is Holm's hardest step. */
  readonly tests: number;
}

/** Draws for one figure: the standard error of a power of 80 % is 1.8 points. */
const DRAWS = 500;
/** Changes beyond this are not asked for: half as much again is nobody's smallest effect. */
const LARGEST = 0.5;

/**
 * Sessions as they would be with no change: each takes one earlier session's noise, so that a busy night stays busy
 * from the first block to the last, and draws its blocks from it with replacement.
 *
 * @param random uniform numbers in [0, 1)
 * @returns `draws` series of log ratios, each as long as the last look
 */
export function resample(
  { sessions, quirk = 0 }: NoiseModel,
  looks: readonly Look[],
  random: () => number,
  draws: number = DRAWS,
): readonly Float64Array[] {
  const blocks = looks.at(-1)?.blocks ?? 0;
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)];
  return Array.from({ length: draws }, () => {
    const residuals = pick(sessions) ?? [0];
    const off = quirk === 0 ? 0 : quirk * nearlyNormal(random);
    return Float64Array.from({ length: blocks }, () => off + (pick(residuals) ?? 0));
  });
}

/** Twelve uniform numbers, less six: a spread of 1, and as good as normal where nobody asks for far tails. */
export const nearlyNormal = (random: () => number): number =>
  Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6);

/**
 * Share of the series that would be called regressed were everything worse by `effect`.
 * @param effect a fraction, 0.05 is 5 % worse
 */
export function detectionRate(
  series: readonly Float64Array[],
  effect: number,
  { limit, alpha, looks, tests }: RowUnderTest,
): number {
  const shift = Math.log1p(effect);
  let found = 0;
  for (const noise of series) {
    const [outcome] = judgeFamily([{ worse: noise.map((d) => d + shift), limit }], { alpha, looks, tests });
    if (outcome?.decision === 'regressed') found++;
  }
  return found / series.length;
}

/**
 * The smallest change for the worse that the rule finds with the power asked for, to a tenth of a per cent.
 *
 * All sizes are tried on the same draws, so the rate grows with the size but for a few draws, and halving the
 * interval finds where it passes.
 *
 * @returns a fraction; null where even half as much again would be missed
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
