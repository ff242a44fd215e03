import { defaultRule, type MetricRule } from '../session/metric.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';
import { definedOnly, own } from '../session/record.ts';

/** Metrics per task and per minute, computed for each run. */

/** Each is a metric of the run divided by its tasks. */
export const PER_TASK = {
  work_per_minute: 'wall_time_s',
  cpu_time_s_per_work: 'cpu_time_s',
  max_rss_bytes_per_work: 'max_rss_bytes',
} as const;
export type PerTask = keyof typeof PER_TASK;
const PER_TASK_NAMES = Object.keys(PER_TASK) as readonly PerTask[];

export const isPerTask = (name: string): name is PerTask => PER_TASK_NAMES.some((known) => known === name);

/** A rate is not a count of tasks. */
const isRate = ({ name, unit }: { readonly name: string; readonly unit: string }) =>
  /(_per_|_rate$|\/)/.test(name) || unit.includes('/');

/**
 * The metric that counts the tasks of a run: the named one, else the first metric for which higher is better and that
 * is no rate, first from the configuration and then from the workload's declarations; null if a run is one task.
 */
export function workOf({ ranking, rules, declaredMetrics }: Session): string | null {
  if (ranking?.work !== undefined) return ranking.work;
  const declared = Object.entries(declaredMetrics)
    .filter(([name]) => !rules.metrics.some((rule) => rule.name === name))
    .map(([name, { unit = '', better = 'lower' }]) => ({ name, unit, better }));
  return (
    [...rules.metrics, ...declared].find((metric) => metric.better === 'higher' && !isRate(metric))?.name ??
    null
  );
}

/** The sides of a session that hold the same code, so that a run of each of them is a run of the variant. */
export const sidesRanked = ({ purpose, sides }: Session): readonly Side[] =>
  IMPLIED[purpose].sameCode ? sides : sides.includes('head') ? ['head'] : sides.slice(0, 1);

/** Variant -> block -> metric -> value. */
export type BlockValues = ReadonlyMap<string, ReadonlyMap<number, Readonly<Record<string, number>>>>;

export interface RankedValues {
  readonly blocks: BlockValues;
  /** Variants with a run that did no task, or did not report how many. Their cost per task is unknown. */
  readonly idle: ReadonlySet<string>;
}

/**
 * One value for each variant, block and metric. If both sides are the same code, it is their geometric mean. A block
 * that lacks one side is left out, because a single value has another noise.
 */
export function rankedValues(session: Session, work: string | null): RankedValues {
  const sides = sidesRanked(session);
  const blocks = new Map<string, Map<number, Record<string, number>[]>>();
  const idle = new Set<string>();
  for (const { variant, side, block, outcome, metrics } of lastAttempts(session.runs)) {
    if (outcome !== 'ok' || !sides.includes(side)) continue;
    const tasks = work === null ? 1 : (own(metrics, work) ?? 0);
    if (!(tasks > 0)) idle.add(variant);
    const byBlock = blocks.get(variant) ?? new Map<number, Record<string, number>[]>();
    blocks.set(variant, byBlock);
    byBlock.set(block, [...(byBlock.get(block) ?? []), { ...metrics, ...perTask(metrics, tasks) }]);
  }
  return {
    idle,
    blocks: new Map(
      [...blocks].map(([variant, byBlock]) => [
        variant,
        new Map(
          [...byBlock]
            .filter(([, runs]) => runs.length === sides.length)
            .sort(([a], [b]) => a - b)
            .map(([block, runs]) => [block, geometricMeans(runs)]),
        ),
      ]),
    ),
  };
}

function perTask(metrics: Readonly<Record<string, number>>, tasks: number): Record<string, number> {
  if (!(tasks > 0)) return {};
  const { wall_time_s: wall, cpu_time_s: cpu, max_rss_bytes: rss } = metrics;
  return definedOnly({
    work_per_minute: wall === undefined || wall <= 0 ? undefined : (tasks / wall) * 60,
    cpu_time_s_per_work: cpu === undefined ? undefined : cpu / tasks,
    max_rss_bytes_per_work: rss === undefined ? undefined : rss / tasks,
  });
}

/** Metrics that all of the runs have, with positive values. */
function geometricMeans(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const [first = {}, ...others] = runs;
  if (others.length === 0) return first;
  return Object.fromEntries(
    Object.keys(first).flatMap((name) => {
      const values = runs.map((run) => own(run, name) ?? Number.NaN);
      return values.every((value) => value >= 0)
        ? [[name, values.reduce((product, value) => product * value, 1) ** (1 / values.length)]]
        : [];
    }),
  );
}

/** The rules of the metrics per task: each has the limit of the metric that it is computed from. */
export function perTaskRules(rules: readonly MetricRule[], work: string | null): readonly MetricRule[] {
  return PER_TASK_NAMES.map((name) => {
    const of = PER_TASK[name];
    const { unit, limit, gate } = rules.find((rule) => rule.name === of) ?? defaultRule(of, false);
    return {
      name,
      unit: name === 'work_per_minute' ? `${work ?? 'runs'}/min` : unit,
      better: name === 'work_per_minute' ? 'higher' : 'lower',
      limit,
      gate,
      kind: 'paired',
    };
  });
}
