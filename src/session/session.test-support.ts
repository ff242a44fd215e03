import type { MetricRule } from './metric.ts';
import { SIDES, type Noise, type Run, type Side } from './run.ts';
import type { Image, Session } from './session.ts';
import { nearlyNormalFrom } from '../statistics/normal.test-support.ts';
import { uniformSource } from '../statistics/random.ts';
import { metricRule } from './metric.test-support.ts';

/** Sessions for tests: small, complete, and with numbers that are easy to follow. */

const WALL: MetricRule = metricRule('wall_time_s');

/** What runs of half a second or more say on a machine that does nothing else. */
const QUIET: Noise = {
  load_1m: 0.4,
  steal_s: 0,
  cpu_pressure_s: 0.004,
  throttled_s: 0,
  other_cpu_s: 0.01,
  frequency_hz: 2.6e9,
};

/** A run of variant a that ended well; what a test is about is in `change`. */
export const run = (change: Partial<Run> = {}): Run => ({
  side: 'head',
  variant: 'a',
  block: 1,
  position: 0,
  attempt: 0,
  started: '2026-01-01T00:00:00.000Z',
  outcome: 'ok',
  metrics: { wall_time_s: 1 },
  noise: QUIET,
  exitStatus: 0,
  ...change,
});

export const image = (variant: string, side: Side, identity: string): Image => ({
  variant,
  side,
  engine: 'container',
  identity,
  id: `sha256:${identity}`,
  definitionHash: 'd',
  layers: [],
  origin: 'built',
});

export const session = (metrics: readonly MetricRule[] = [WALL]): Session => ({
  format: 'pacegate-session',
  version: 1,
  id: 'this',
  purpose: 'gate',
  configuration: 'pacegate',
  started: '2026-01-01T00:00:00.000Z',
  ended: '2026-01-01T00:10:00.000Z',
  tool: { version: '0.1.0' },
  source: { repository: 'owner/name', event: 'pull_request' },
  machine: {
    cpuModel: 'model',
    architecture: 'x64',
    cores: 2,
    memoryBytes: 8e9,
    cpuFlagsHash: 'f',
    kernel: '6',
    engine: 'Docker 26',
    runnerImage: '',
  },
  workload: {
    command: ['python', 'bench.py'],
    hash: 'w',
    files: { 'bench.py': 'b' },
    repetitions: {},
    timeoutSeconds: 600,
  },
  variants: ['a'],
  sides: ['baseline', 'head'],
  rules: {
    alpha: 0.05,
    profile: 'balanced',
    method: 2,
    blocks: 12,
    evidence: 'auto',
    failOn: ['regressed'],
    metrics: [...metrics],
  },
  seed: 1,
  images: [image('a', 'baseline', 'b'), image('a', 'head', 'h')],
  warmup: [],
  runs: [],
  failures: [],
  nights: [],
  declaredMetrics: {},
  notes: [],
  budget: { seconds: 1200, spentSeconds: 60, blocksLeftOut: 0, secondsLeftOut: 0 },
});

/** Twelve blocks of variant a in which each metric has the same two values, but for a little of both sides' own. */
export function twoSided(
  values: Readonly<Record<string, readonly [number, number]>>,
  metrics?: readonly MetricRule[],
): Session {
  const whole = session(metrics);
  const runs = Array.from({ length: 12 }, (_, index) =>
    SIDES.map((side) =>
      run({
        side,
        block: index + 1,
        position: side === 'baseline' ? 0 : 1,
        metrics: Object.fromEntries(
          Object.entries(values).map(([name, [baseline, head]]) => [
            name,
            (side === 'baseline' ? baseline : head) * (1 + index / 1000),
          ]),
        ),
      }),
    ),
  ).flat();
  return { ...whole, runs };
}

/** A stored session of the baseline with ten runs around a value of wall time. */
export function night(index: number, value: number, change: Partial<Session> = {}): Session {
  const both = twoSided({ wall_time_s: [value, value] });
  return {
    ...both,
    id: `night-${index}`,
    sides: ['baseline'],
    runs: both.runs.filter(({ side }) => side === 'baseline'),
    images: [image('a', 'baseline', 'b')],
    ...change,
  };
}

/** A metric of a variant as it is drawn: the baseline's level, head over baseline less 1, spread of a run's logarithm. */
export interface Drawn {
  readonly level: number;
  readonly change: number;
  readonly spread: number;
}

export interface Drawing {
  readonly blocks: number;
  readonly seed?: number;
  readonly metrics?: readonly MetricRule[];
}

/** How long preparing takes, and a run, in the sessions that are drawn. */
const PREPARED_MS = 260_000;
const RUN_MS = 10_000;

/**
 * A session of several variants with noise that looks like a machine's, from a seed. Runs follow each other in time as
 * they would, after a block for warming up; every variant has all blocks.
 */
export function drawn(
  variants: Readonly<Record<string, Readonly<Record<string, Drawn>>>>,
  { blocks, seed = 1, metrics }: Drawing,
): Session {
  const whole = session(metrics);
  const normal = nearlyNormalFrom(uniformSource(seed));
  let clock = Date.parse(whole.started) + PREPARED_MS;
  const tick = () => {
    const now = new Date(clock).toISOString();
    clock += RUN_MS;
    return now;
  };
  const all = Array.from({ length: blocks + 1 }, (_, block) =>
    Object.entries(variants).flatMap(([variant, rows]) =>
      SIDES.map((side) =>
        run({
          ...{ side, variant, block, started: tick() },
          position: side === 'baseline' ? 0 : 1,
          metrics: Object.fromEntries(
            Object.entries(rows).map(([name, { level, change, spread }]) => [
              name,
              level * (side === 'head' ? 1 + change : 1) * Math.exp(spread * normal()),
            ]),
          ),
        }),
      ),
    ),
  ).flat();
  const names = Object.keys(variants);
  return ended({
    ...whole,
    variants: names,
    rules: { ...whole.rules, blocks },
    images: names.flatMap((name) => [image(name, 'baseline', `${name}-b`), image(name, 'head', `${name}-h`)]),
    warmup: all.filter(({ block }) => block === 0),
    runs: all.filter(({ block }) => block > 0),
  });
}

/** The session with its end where its last run's end is, as if nothing had been planned beyond. */
export function ended(observed: Session): Session {
  const last = Math.max(...observed.runs.map(({ started }) => Date.parse(started))) + RUN_MS;
  return {
    ...observed,
    ended: new Date(last).toISOString(),
    budget: { ...observed.budget, spentSeconds: (last - Date.parse(observed.started)) / 1000 },
  };
}

/** The session without what a variant ran after the block given, later runs moved up in time. */
export function cutTo(observed: Session, blocks: Readonly<Record<string, number>>): Session {
  const starts = observed.runs.map(({ started }) => started);
  const kept = observed.runs.filter(({ variant, block }) => block <= (blocks[variant] ?? Infinity));
  return ended({
    ...observed,
    runs: kept.map((run, index) => ({ ...run, started: starts[index] ?? run.started })),
  });
}

interface Simulated {
  /** Standard deviation of log(head / baseline) of a pair. */
  readonly noise: number;
  /** log(head / baseline) of the night as a whole. */
  readonly centre?: number;
  /** The baseline's level in seconds. */
  readonly level?: number;
  readonly blocks?: number;
  readonly seed: number;
}

/** A two-sided session of variant a with noise that is known. */
export function simulated(
  { noise, centre = 0, level = 1, blocks = 30, seed }: Simulated,
  change: Partial<Session> = {},
): Session {
  const normal = nearlyNormalFrom(uniformSource(seed));
  const whole = twoSided({});
  return {
    ...whole,
    rules: { ...whole.rules, blocks: 30 },
    runs: Array.from({ length: blocks }, (_, index) => {
      const baseline = level * Math.exp((noise / Math.SQRT2) * normal());
      const head = level * Math.exp(centre + (noise / Math.SQRT2) * normal());
      return SIDES.map((side) =>
        run({
          side,
          block: index + 1,
          position: side === 'baseline' ? 0 : 1,
          metrics: { wall_time_s: side === 'head' ? head : baseline },
        }),
      );
    }).flat(),
    ...change,
  };
}

/** A night of the baseline against itself, `day` days after the first. */
export const nightAgainstItself = (
  day: number,
  how: Omit<Simulated, 'seed'>,
  change: Partial<Session> = {},
) =>
  simulated(
    { ...how, seed: day + 1 },
    {
      id: `night-${day}`,
      purpose: 'nightly',
      started: new Date(Date.UTC(2026, 0, 1 + day, 3)).toISOString(),
      source: {
        repository: 'owner/name',
        event: 'schedule',
        baseline: { commit: `c${day}`, dirty: false },
        head: { commit: `c${day}`, dirty: false },
      },
      ...change,
    },
  );
