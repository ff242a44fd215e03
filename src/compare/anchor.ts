import type { AnchorHistory, Creep, Point } from '../session/history.ts';
import type { MetricRule } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { creep, type WeeklyComparison } from '../statistics/creep.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { signedRankGreater } from '../statistics/signed-rank.ts';
import { sign } from './evidence.ts';
import { pairRatios } from './nights.ts';

/**
 * A loss that adds up counts from two thirds of what counts in one change, 2 % where that is 3 %: the anchor's sessions
 * look once, at all their pairs, and so see less.
 */
const CREEP_SHARE = 2 / 3;
const WEEK_MS = 7 * 24 * 3600 * 1000;

/**
 * What the weekly comparisons with the anchor say. The series is that of the newest session's anchor and measuring
 * code: an anchor that moved begins a new one.
 *
 * @param sessions all stored ones, oldest first
 * @returns null before the first comparison
 */
export function anchorHistory(sessions: readonly Session[]): AnchorHistory | null {
  const all = sessions.filter(({ purpose }) => purpose === 'anchor');
  const newest = all.at(-1);
  const commit = newest?.source.baseline?.commit;
  if (newest === undefined || commit === undefined) return null;
  const series = all.filter(
    ({ source, workload }) => source.baseline?.commit === commit && workload.hash === newest.workload.hash,
  );
  const first = series[0] ?? newest;
  const weeks = byWeek(series, first).map(
    (session) => session && { at: pointOfHead(session), ratios: pairRatios(session) },
  );
  const judged = newest.rules.metrics.filter(({ gate, deterministic }) => gate && deterministic !== true);
  return {
    commit,
    sessions: series.length,
    first: pointOfHead(first),
    last: pointOfHead(newest),
    creeps: newest.variants.flatMap((variant) =>
      judged.flatMap((rule) => creepOf(weeks, variant, rule) ?? []),
    ),
  };
}

/** The newest session of each week, counted from the first; undefined for a week without one. */
function byWeek(series: readonly Session[], first: Session): readonly (Session | undefined)[] {
  const weekOf = ({ started }: Session) =>
    Math.round((Date.parse(started) - Date.parse(first.started)) / WEEK_MS);
  const weeks = new Map(series.map((session) => [weekOf(session), session]));
  return Array.from({ length: Math.max(0, ...weeks.keys()) + 1 }, (_, week) => weeks.get(week));
}

type Week = { readonly at: Point; readonly ratios: ReturnType<typeof pairRatios> } | undefined;

function creepOf(weeks: readonly Week[], variant: string, rule: MetricRule): Creep | undefined {
  const comparisons = weeks.map((week): WeeklyComparison | undefined => {
    const ratios = week?.ratios[variant]?.[rule.name];
    if (ratios === undefined) return undefined;
    const worse = ratios.map((ratio) => sign(rule) * ratio);
    return { estimate: centreOf(worse), p: signedRankGreater(worse), blocks: worse.length };
  });
  const found = creep(comparisons, { limit: CREEP_SHARE * rule.limit });
  const since = found && weeks[found.since]?.at;
  if (found === undefined || since === undefined) return undefined;
  const { kind, now } = found;
  return {
    variant,
    metric: rule.name,
    now,
    p: comparisons.at(-1)?.p ?? 1,
    kind,
    size: kind === 'step' ? found.change : found.perWeek,
    since,
  };
}

/** The anchor's sessions follow the head: the baseline side is the anchor itself. */
const pointOfHead = ({ started, source }: Session): Point => ({ started, commit: source.head?.commit ?? '' });
