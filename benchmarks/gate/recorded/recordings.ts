import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTimings } from '../../../src/verdict/compare.ts';
import type { Row } from '../../../src/verdict/comparison.ts';
import { levelsOf, logRatios, pairsOf } from '../../../src/evidence/pairs.ts';
import { parseTimings, type TimedRun } from '../../../src/session/timings.ts';
import { centreOf } from '../../../src/statistics/hodges-lehmann.ts';
import { looksFor, NEWEST_METHOD, PROFILE_SETTINGS } from '../../../src/statistics/looks.ts';
import { judgeFamily, type RowOutcome } from '../../../src/statistics/sequential.ts';
import { ALPHA } from '../simulation/pull-request.ts';
import { METRICS } from '../simulation/machine.ts';

/** Real sessions, each a gate of one variant of which the truth is known. */
export interface Recording {
  readonly name: string;
  /** By how much wall and CPU time were made worse, a fraction; memory never was. */
  readonly effect: number;
  readonly sessions: readonly RecordedSession[];
}

export interface RecordedSession {
  readonly runs: readonly TimedRun[];
  /** What the shipped rule says of the file. */
  readonly rows: readonly Row[];
}

const KINDS = [
  { name: 'aa', effect: 0 },
  { name: 'plus3', effect: 0.03 },
  { name: 'plus5', effect: 0.05 },
  { name: 'plus10', effect: 0.1 },
];

/** Metrics that a slower program changes. */
export const SLOWED: readonly string[] = ['wall_time_s', 'cpu_time_s'];

/** The recordings that are there, A/A first, their sessions in the order of the file. */
export function readRecordings(folder: string): readonly Recording[] {
  return KINDS.flatMap(({ name, effect }) => {
    const path = join(folder, `${name}.csv`);
    if (!existsSync(path)) return [];
    const runs = parseTimings(readFileSync(path, 'utf8'), path);
    return [
      {
        name,
        effect,
        sessions: bySession(runs).map((own) => ({
          runs: own,
          rows: compareTimings(own, { sameMachine: false }).rows,
        })),
      },
    ];
  });
}

function bySession(runs: readonly TimedRun[]): readonly (readonly TimedRun[])[] {
  const sessions = new Map<string, TimedRun[]>();
  for (const run of runs) {
    const own = sessions.get(run.session);
    if (own === undefined) sessions.set(run.session, [run]);
    else own.push(run);
  }
  return [...sessions.values()];
}

/** The levels of the same pairs. */
const levelSeries = ({ runs }: RecordedSession): readonly Float64Array[] => {
  const variant = runs[0]?.variant ?? '';
  return METRICS.map(
    (metric) => levelsOf(pairsOf(runs, variant, metric), { better: 'lower' }) ?? new Float64Array(),
  );
};

/** A session's log ratios, one series for each metric, all of the same blocks. */
export function ratiosOf({ runs }: RecordedSession): readonly Float64Array[] {
  const variant = runs[0]?.variant ?? '';
  return METRICS.map((metric) => logRatios(pairsOf(runs, variant, metric)) ?? new Float64Array());
}

/** Gates that a prediction makes up: its standard error is half a point at most. */
const DRAWS = 10_000;

/**
 * What the A/A sessions let expect of a change of this size: gates made of one session's blocks, drawn with
 * replacement as they are, all metrics of a block together, so that what moves together stays together. Each session
 * is centred, so that a session's own offset is not taken for noise between its blocks.
 *
 * @param effect fraction by which wall and CPU time are worse
 * @returns for each metric the share of the gates in which it is called regressed, and the share with any such row
 */
export function predicted(
  sessions: readonly RecordedSession[],
  effect: number,
  random: () => number,
): { readonly byMetric: ReadonlyMap<string, number>; readonly any: number } {
  const noise = sessions.map((session) => {
    const levels = levelSeries(session);
    return ratiosOf(session).map((ratios, metric) => {
      const centre = centreOf(ratios);
      return { ratios: ratios.map((ratio) => ratio - centre), levels: levels[metric] ?? new Float64Array() };
    });
  });
  const shifts = METRICS.map((metric) => (SLOWED.includes(metric) ? Math.log1p(effect) : 0));
  // As many as the sessions that the prediction is held against.
  const cap = Math.max(...noise.map(([first]) => first?.ratios.length ?? 0));
  const { limit } = PROFILE_SETTINGS.balanced;
  const looks = looksFor('balanced', cap, NEWEST_METHOD);
  const found = new Map<string, number>(METRICS.map((metric) => [metric, 0]));
  let any = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const session = noise[Math.floor(random() * noise.length)] ?? [];
    const length = session[0]?.ratios.length ?? 0;
    const blocks = Array.from({ length: cap }, () => Math.floor(random() * length));
    const outcomes: readonly RowOutcome[] = judgeFamily(
      session.map(({ ratios, levels }, metric) => ({
        worse: blocks.map((block) => (ratios[block] ?? Number.NaN) + (shifts[metric] ?? 0)),
        levels: Float64Array.from(blocks, (block) => (levels[block] ?? 0) + (shifts[metric] ?? 0) / 2),
        limit,
      })),
      { alpha: ALPHA, looks, tests: session.length, method: NEWEST_METHOD },
    );
    const regressed = METRICS.filter((_, metric) => outcomes[metric]?.decision === 'regressed');
    for (const metric of regressed) found.set(metric, (found.get(metric) ?? 0) + 1);
    if (regressed.length > 0) any++;
  }
  return {
    byMetric: new Map([...found].map(([metric, times]) => [metric, times / DRAWS])),
    any: any / DRAWS,
  };
}
