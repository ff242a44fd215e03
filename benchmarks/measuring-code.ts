/**
 * How often two versions of the measuring code that do the same seem to disagree, by the number of pairs and the limit.
 *
 * `node benchmarks/measuring-code.ts` prints the table of docs/method.md; `--write` writes it there. It is the same each
 * time: simulated trials are drawn from a seed, and recorded runs (fixtures/recordings/aa.csv) are cut into trials.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { format, resolveConfig } from 'prettier';
import type { MeasuringTrial } from '../src/session/measuring.ts';
import { parseTimings, type TimedRun } from '../src/session/timings.ts';
import { uniformSource } from '../src/statistics/random.ts';
import { disagreements } from '../src/verdict/changed-measuring.ts';
import { METRICS, oneSide, STANDARD, type Machine } from './gate/simulation/machine.ts';

const TOP = join(import.meta.dirname, '..');
const PAGE = join(TOP, 'docs/method.md');
const SEED = 11;
const TRIALS = 20_000;
const MOST_PAIRS = 4;
const LIMITS = [0.05, 0.25, 0.5];

const JUDGED = new Set<string>(METRICS);

/** Values of both versions in turns, as the trials run them: the first of a pair changes from pair to pair. */
function trialOf(values: readonly Readonly<Record<string, number>>[]): MeasuringTrial {
  const own = (code: 'base' | 'head') =>
    Object.fromEntries(
      METRICS.map((metric) => [
        metric,
        values.flatMap((run, index) => {
          const isFirst = index % 2 === 0;
          const round = Math.floor(index / 2);
          const isBase = isFirst === (round % 2 === 0);
          const value = run[metric];
          return isBase === (code === 'base') && value !== undefined ? [value] : [];
        }),
      ]),
    );
  const pairs = Math.floor(values.length / 2);
  return { variant: 'a', image: 'head', pairs, base: own('base'), head: own('head'), failures: {} };
}

/** Trials of one image, between whose runs the other image has its own: every second pair is this one's. */
function simulated(machine: Machine): (pairs: number) => readonly MeasuringTrial[] {
  return (pairs) => {
    const random = uniformSource(SEED);
    return Array.from({ length: TRIALS }, () => {
      const rows = oneSide({ ...machine, variants: 1 }, undefined, 4 * pairs, random);
      const runs = Array.from({ length: 4 * pairs }, (_, run) =>
        Object.fromEntries(METRICS.map((metric, row) => [metric, Math.exp(rows[row]?.[run] ?? Number.NaN)])),
      );
      return trialOf(runs.filter((_, run) => Math.floor(run / 2) % 2 === 0));
    });
  };
}

/** Real runs of one program, in the order in which they were made. */
function recorded(): (pairs: number) => readonly MeasuringTrial[] {
  const path = join(TOP, 'fixtures/recordings/aa.csv');
  const sessions = new Map<string, TimedRun[]>();
  for (const run of parseTimings(readFileSync(path, 'utf8'), path)) {
    const own = sessions.get(run.session) ?? [];
    own.push(run);
    sessions.set(run.session, own);
  }
  return (pairs) =>
    [...sessions.values()].flatMap((runs) => {
      const metrics = runs.filter(({ outcome }) => outcome === 'ok').map((run) => run.metrics);
      return Array.from({ length: Math.floor(metrics.length / (2 * pairs)) }, (_, at) =>
        trialOf(metrics.slice(2 * pairs * at, 2 * pairs * (at + 1))),
      );
    });
}

const SOURCES: readonly (readonly [string, (pairs: number) => readonly MeasuringTrial[]])[] = [
  ['simulated, 2 %, 3 %, 1 %', simulated(STANDARD)],
  ['simulated, 5 % each', simulated({ ...STANDARD, noise: [0.05, 0.05, 0.05] })],
  ['simulated, 10 % each', simulated({ ...STANDARD, noise: [0.1, 0.1, 0.1] })],
  ['recorded', recorded()],
];

const share = (trials: readonly MeasuringTrial[], limit?: number): string => {
  const found = trials.filter((trial) => disagreements(trial, JUDGED, limit).length > 0).length;
  return `${((100 * found) / trials.length).toFixed(2)} %`;
};

function table(): string {
  const rows = SOURCES.flatMap(([name, trialsOf]) =>
    Array.from({ length: MOST_PAIRS }, (_, index) => {
      const trials = trialsOf(index + 1);
      return [
        name,
        `${index + 1}`,
        `${trials.length}`,
        ...LIMITS.map((limit) => share(trials, limit)),
        share(trials),
      ];
    }),
  );
  return markdownTable([
    ['noise', 'pairs', 'trials', ...LIMITS.map((limit) => `limit ${100 * limit} %`), 'as shipped'],
    ...rows,
  ]);
}

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
if (values.write) {
  const page = readFileSync(PAGE, 'utf8').replace(
    /(<!-- measuring-code:begin -->\n)[^]*(<!-- measuring-code:end -->)/,
    (_, begin: string, end: string) => `${begin}\n${table()}\n\n${end}`,
  );
  writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
} else process.stdout.write(`${table()}\n`);
