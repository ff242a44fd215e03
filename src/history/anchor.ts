import type { AnchorHistory, Creep, Point } from '../session/history.ts';
import { isTested, type MetricRule } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { creep, CREEP_LEVEL, type WeeklyComparison } from '../statistics/creep.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { blocksNeeded } from '../statistics/looks.ts';
import { signedRankGreater } from '../statistics/signed-rank.ts';
import { sign } from '../evidence/pairs.ts';
import { nightsLike, pairRatios } from '../evidence/nights.ts';
import { betweenNights } from './row-noise.ts';

/** Pairs of a comparison with the anchor. */
export { WEEKLY_BLOCKS } from '../statistics/creep.ts';

/** With fewer pairs no p is small enough for creep. */
export const FEWEST_FOR_CREEP = blocksNeeded(1, CREEP_LEVEL);

/**
 * Creep counts from three fifths of the metric's limit, 1.8 % with a limit of 3 %. The anchor's sessions test once,
 * with all their pairs, and so find smaller losses.
 */
const CREEP_SHARE = 0.6;
const WEEK_MS = 7 * 24 * 3600 * 1000;

/**
 * The result of the weekly comparisons with the anchor. A new anchor or new measuring code begins a new series.
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
  // Computed once for all rows, of which there may be ninety.
  const nights = nightsLike(newest, sessions).map(pairRatios);
  const judged = newest.rules.metrics.filter(isTested);
  return {
    commit,
    sessions: series.length,
    first: pointOfHead(first),
    last: pointOfHead(newest),
    creeps: newest.variants.flatMap((variant) =>
      judged.flatMap((rule) => creepOf(weeks, variant, rule, quirkOf(nights, variant, rule.name)) ?? []),
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

/** How much sessions of the same code differ on this machine, from the nights; 0 if unknown. */
function quirkOf(nights: readonly ReturnType<typeof pairRatios>[], variant: string, metric: string): number {
  return betweenNights(nights.flatMap((night) => night.get(variant)?.get(metric) ?? [])) ?? 0;
}

function creepOf(
  weeks: readonly Week[],
  variant: string,
  rule: MetricRule,
  quirk: number,
): Creep | undefined {
  const comparisons = weeks.map((week): WeeklyComparison | undefined => {
    const ratios = week?.ratios.get(variant)?.get(rule.name);
    if (ratios === undefined) return undefined;
    const worse = ratios.map((ratio) => sign(rule) * ratio);
    return { estimate: centreOf(worse), p: signedRankGreater(worse), blocks: worse.length };
  });
  const found = creep(comparisons, { limit: CREEP_SHARE * rule.limit, quirk });
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

/** The head of the anchor's sessions moves; their baseline is the anchor. */
const pointOfHead = ({ started, source }: Session): Point => ({ started, commit: source.head?.commit ?? '' });
