import { judgeResampled, resample, type NoiseModel, type Resampled, type RowUnderTest } from './power.ts';

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
export function blocksToDecide(
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

/**
 * The conditional power of a row: the chance that it is decided within `most` pairs, given those that it has. The pairs
 * to come are drawn from the ones that were seen, with their effect and their noise.
 *
 * @param most pairs in all
 * @param random uniform numbers in [0, 1)
 * @returns a share of 100 draws; 0 without a look up to `most` that the row has not had
 */
export function chanceToSettle(
  { worse, levels }: Resampled,
  row: RowUnderTest,
  most: number,
  random: () => number,
): number {
  const last = Math.max(0, ...row.looks.map(({ blocks }) => blocks).filter((blocks) => blocks <= most));
  if (last <= worse.length || worse.length === 0) return 0;
  let decided = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const pairs = Array.from({ length: last }, (_, pair) =>
      pair < worse.length ? pair : Math.floor(random() * worse.length),
    );
    const series = {
      worse: Float64Array.from(pairs, (pair) => worse[pair] ?? 0),
      levels: levels === undefined ? undefined : Float64Array.from(pairs, (pair) => levels[pair] ?? 0),
    };
    const decision = judgeResampled(series, 0, row)?.decision;
    if (decision !== undefined && decision !== 'undecided') decided++;
  }
  return decided / DRAWS;
}
