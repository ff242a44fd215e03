import { scheduleBlocks } from '../../../src/measure/schedule.ts';
import { SIDES } from '../../../src/session/run.ts';
import { normalSource } from './normal.ts';

/**
 * A machine whose truth is known. The logarithm of a run's value is
 *
 *   session effect + effect of the change + quirk + trend + AR(1) + white noise + outlier
 *
 * run after run in the order in which the shipped scheme would start them, so that drift meets the two runs of a pair
 * as it does in reality. A run gives one value of each metric; rows are counted variant by variant.
 */
export interface Machine {
  readonly variants: number;
  /** For each metric the standard deviation of the logarithms within a session, outliers and trend left out. */
  readonly noise: readonly number[];
  /** How the white noise is distributed, its standard deviation being the same; normal by default. */
  readonly shape?: 'exponential' | 't3';
  /** Share of that variance that is AR(1), and its correlation from one run to the next. The rest is white. */
  readonly autoregressive: { readonly share: number; readonly correlation: number };
  /** Each run is slower by `by` (a fraction) with this probability, for each metric by itself. */
  readonly outliers: { readonly share: number; readonly by: number };
  /** By how much the level moves from the first run to the last, a fraction; up or down by lot for each metric. */
  readonly trend: number;
  /** Standard deviation between sessions, the same for both sides of one. Half of the variance is the metric's, half the row's own. */
  readonly betweenSessions: number;
  /**
   * Standard deviation of what a processor makes of one side's memory layout: an offset between the sides that stays
   * all session, drawn for each row.
   */
  readonly quirk: number;
  /** How much slower the second run of a pair is, a fraction. */
  readonly secondPenalty: number;
}

export const METRICS = ['wall_time_s', 'cpu_time_s', 'max_rss_bytes'] as const;

export const STANDARD: Machine = {
  variants: 7,
  noise: [0.02, 0.03, 0.01],
  autoregressive: { share: 0.2, correlation: 0.5 },
  outliers: { share: 0.01, by: 0.1 },
  trend: 0.01,
  betweenSessions: 0.02,
  quirk: 0,
  secondPenalty: 0,
};

/** Logarithms, one series for each row, in the order of the blocks. */
export interface TwoSides {
  readonly baseline: readonly Float64Array[];
  readonly head: readonly Float64Array[];
}

export const rowsOf = ({ variants, noise }: Machine): number => variants * noise.length;

/** Runs as the shipped gate starts them: blocks of pairs back to back, everything in random, balanced order. */
export function interleavedSession(
  machine: Machine,
  effects: Float64Array,
  blocks: number,
  random: () => number,
): TwoSides {
  const { variants, quirk } = machine;
  const next = session(machine, 2 * blocks * variants, random);
  const normal = normalSource(random);
  const offsets = effects.map((effect) => effect + quirk * normal());
  const sides: TwoSides = { baseline: emptyRows(machine, blocks), head: emptyRows(machine, blocks) };
  const names = Array.from({ length: variants }, (_, variant) => String(variant));
  const schedule = scheduleBlocks(names, SIDES, blocks, Math.floor(random() * 2 ** 31));
  for (const [block, pairs] of schedule.entries())
    for (const { variant, order } of pairs)
      for (const [position, side] of order.entries())
        next(Number(variant), position, block, sides[side], side === 'head' ? offsets : undefined);
  return sides;
}

/** Of each row the logarithm of head / baseline, block by block. */
export const logRatios = ({ baseline, head }: TwoSides): readonly Float64Array[] =>
  head.map((series, row) => series.map((value, block) => value - (baseline[row]?.[block] ?? Number.NaN)));

/** Of each row the mean of both logarithms, block by block. */
export const levels = ({ baseline, head }: TwoSides): readonly Float64Array[] =>
  head.map((series, row) =>
    series.map((value, block) => (value + (baseline[row]?.[block] ?? Number.NaN)) / 2),
  );

/** Runs as many do by hand: the whole suite on the baseline, then on the head, in one session. */
export function sequentialSession(
  machine: Machine,
  effects: Float64Array,
  blocks: number,
  random: () => number,
): TwoSides {
  const next = session(machine, 2 * blocks * machine.variants, random);
  const sides: TwoSides = { baseline: emptyRows(machine, blocks), head: emptyRows(machine, blocks) };
  for (const side of SIDES)
    for (let block = 0; block < blocks; block++)
      for (let variant = 0; variant < machine.variants; variant++)
        next(variant, 0, block, sides[side], side === 'head' ? effects : undefined);
  return sides;
}

/** One side alone, in a session of its own: a night of the baseline, or a head that is judged by such nights. */
export function oneSide(
  machine: Machine,
  effects: Float64Array | undefined,
  runs: number,
  random: () => number,
): readonly Float64Array[] {
  const next = session(machine, runs * machine.variants, random);
  const rows = emptyRows(machine, runs);
  for (let run = 0; run < runs; run++)
    for (let variant = 0; variant < machine.variants; variant++) next(variant, 0, run, rows, effects);
  return rows;
}

const emptyRows = (machine: Machine, length: number) =>
  Array.from({ length: rowsOf(machine) }, () => new Float64Array(length));

/** Numbers with standard deviation 1 and mean 0. */
function whiteNoise(shape: Machine['shape'], random: () => number, normal: () => number): () => number {
  switch (shape) {
    case undefined:
      return normal;
    case 'exponential':
      return () => -Math.log(1 - random()) - 1;
    // Three degrees of freedom: the variance of their distribution is 3.
    case 't3':
      return () => normal() / Math.sqrt(normal() ** 2 + normal() ** 2 + normal() ** 2);
  }
}

/** Starts a session; what it returns makes the next run and writes each metric's logarithm into its row. */
function session(machine: Machine, runs: number, random: () => number) {
  const { variants, noise, autoregressive, outliers, betweenSessions } = machine;
  const normal = normalSource(random);
  const white = whiteNoise(machine.shape, random, normal);
  const half = betweenSessions * Math.SQRT1_2;
  const levels = noise.map(() => half * normal());
  const ownLevels = Float64Array.from({ length: variants * noise.length }, () => half * normal());
  const slopes = noise.map(() => (random() < 0.5 ? -1 : 1) * Math.log1p(machine.trend));
  const slow = noise.map(normal);
  const { share, correlation } = autoregressive;
  const innovation = Math.sqrt(1 - correlation ** 2);
  const [slowSize, fastSize] = [Math.sqrt(share), Math.sqrt(1 - share)];
  const outlier = Math.log1p(outliers.by);
  const penalty = Math.log1p(machine.secondPenalty);
  let run = 0;
  return (
    variant: number,
    position: number,
    index: number,
    rows: readonly Float64Array[],
    effects: Float64Array | undefined,
  ) => {
    const time = run++ / runs - 0.5;
    for (const [metric, size] of noise.entries()) {
      const row = variant * noise.length + metric;
      slow[metric] = correlation * (slow[metric] ?? 0) + innovation * normal();
      const value =
        (levels[metric] ?? 0) +
        (ownLevels[row] ?? 0) +
        (effects?.[row] ?? 0) +
        (slopes[metric] ?? 0) * time +
        position * penalty +
        size * (slowSize * slow[metric] + fastSize * white()) +
        (random() < outliers.share ? outlier : 0);
      const series = rows[row];
      if (series !== undefined) series[index] = value;
    }
  };
}
