import { judgeResampled, resample, type NoiseModel, type RowUnderTest } from './power.ts';

/**
 * Number of draws. The result plans minutes and is no verdict, so a share with a standard error of four points is
 * enough.
 */
const DRAWS = 100;
const POWER = 0.8;

/**
 * Pairs after which a row is decided in 80 of 100 cases, if its effect is the one estimated so far: the gate's rule,
 * applied to resampled noise.
 *
 * @param centre the effect so far towards worse, a logarithm; 0 before anything was measured
 * @param random uniform numbers in [0, 1)
 * @returns the blocks of one of the looks; undefined if even the last look is not enough
 */
export function blocksToSettle(
  model: NoiseModel,
  centre: number,
  row: RowUnderTest,
  random: () => number,
): number | undefined {
  const needed = resample(model, row.looks, random, DRAWS).map((noise) => {
    const outcome = judgeResampled(noise, centre, row);
    return outcome === undefined || outcome.decision === 'undecided' ? Infinity : outcome.blocks;
  });
  const enough = needed.sort((a, b) => a - b)[Math.ceil(POWER * DRAWS) - 1] ?? Infinity;
  return Number.isFinite(enough) ? enough : undefined;
}
