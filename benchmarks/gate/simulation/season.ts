import { median } from 'simple-statistics';
import { creeps, WEEKLY_BLOCKS, type WeeklyComparison } from '../../../src/statistics/creep.ts';
import { centreOf } from '../../../src/statistics/hodges-lehmann.ts';
import { predict } from '../../../src/statistics/prediction.ts';
import { signedRankGreater } from '../../../src/statistics/signed-rank.ts';
import { interleavedSession, logRatios, METRICS, oneSide, rowsOf, type Machine } from './machine.ts';
import { count, measure, type Tally } from './tally.ts';

/** A quarter of a year in which every metric of one variant gets a little worse every week. */
export interface Season {
  readonly machine: Machine;
  /** A fraction; 0 for a quarter in which nothing does. */
  readonly perWeek: number;
}

const WEEKS = 13;
/** Runs of a night. */
const NIGHT_RUNS = 30;
/** By the last week in which the loss is below 2.5 %, creep must be found. */
const DRIFT = 0.025;

/** Compares every week with the anchor, asks the shipped rule after each, and notes when it finds what. */
export function judgeSeason({ machine, perWeek }: Season, random: () => number, tally: Tally): void {
  const step = Math.log1p(perWeek);
  const anchored = weeksOfAnchor(machine, step, random);
  const rolling = weeksOfRollingBaseline({ ...machine, variants: 1 }, step, random);
  if (perWeek === 0) {
    for (const week of anchored) count(tally, 'creep: false in a row', week !== undefined);
    for (const week of rolling) count(tally, 'rolling: false in a row', week !== undefined);
    count(
      tally,
      'creep: false in any row',
      anchored.some((week) => week !== undefined),
    );
    return;
  }
  const inTime = (week: number | undefined) => week !== undefined && Math.expm1(week * step) < DRIFT;
  for (const [row, metric] of METRICS.entries()) {
    count(tally, `creep: found in time ${metric}`, inTime(anchored[row]));
    count(tally, `rolling: found in time ${metric}`, inTime(rolling[row]));
    const week = anchored[row];
    if (week !== undefined)
      measure(tally, `creep: drift when found ${metric}`, 100 * Math.expm1(week * step));
  }
}

/** Effects of a moment, in weeks from the anchor: the first variant's rows have them. */
function effectsAfter(weeks: number, machine: Machine, step: number): Float64Array {
  const effects = new Float64Array(rowsOf(machine));
  effects.fill(step * weeks, 0, machine.noise.length);
  return effects;
}

/** @returns for each row the week of its first alarm, from 1; undefined without any */
function weeksOfAnchor(
  machine: Machine,
  step: number,
  random: () => number,
): readonly (number | undefined)[] {
  const weeks = Array.from({ length: WEEKS }, (_, week) =>
    logRatios(interleavedSession(machine, effectsAfter(week + 1, machine, step), WEEKLY_BLOCKS, random)).map(
      (worse): WeeklyComparison => ({
        estimate: centreOf(worse),
        p: signedRankGreater(worse),
        blocks: WEEKLY_BLOCKS,
      }),
    ),
  );
  return Array.from({ length: rowsOf(machine) }, (_, row) => {
    const comparisons = weeks.map((week) => week[row]);
    // The nights have told what sessions of the same code differ by.
    return firstOf(
      comparisons.map((_, week) => creeps(comparisons.slice(0, week + 1), { quirk: machine.quirk })),
    );
  });
}

const firstOf = (alarms: readonly boolean[]) => {
  const index = alarms.indexOf(true);
  return index < 0 ? undefined : index + 1;
};

const NIGHTS_A_WEEK = 7;
const ROLLING_NIGHTS = 14;
/** The rule for creep, asked of nights: as strict as that for the anchor. */
const ROLLING = { level: 0.001, limit: 0.02 };

/**
 * What most keep instead of an anchor: each night's median against the prediction of the 14 nights before it.
 * @returns for each row the week of its first alarm, from 1; undefined without any
 */
function weeksOfRollingBaseline(
  machine: Machine,
  step: number,
  random: () => number,
): readonly (number | undefined)[] {
  const nights = Array.from({ length: ROLLING_NIGHTS + WEEKS * NIGHTS_A_WEEK }, (_, index) => {
    const weeks = Math.max(0, index + 1 - ROLLING_NIGHTS) / NIGHTS_A_WEEK;
    return oneSide(machine, effectsAfter(weeks, machine, step), NIGHT_RUNS, random);
  });
  return Array.from({ length: rowsOf(machine) }, (_, row) => {
    const medians = nights.map((night) => median([...(night[row] ?? [])]));
    const night = firstOf(
      medians.slice(ROLLING_NIGHTS).map((value, index) => {
        const prediction = predict(medians.slice(index, index + ROLLING_NIGHTS), 0.95);
        return (
          prediction.above(value) <= ROLLING.level && value - prediction.centre >= Math.log1p(ROLLING.limit)
        );
      }),
    );
    return night === undefined ? undefined : Math.ceil(night / NIGHTS_A_WEEK);
  });
}
