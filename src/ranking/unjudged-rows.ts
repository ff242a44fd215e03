import { defaultRule, type MetricRule } from '../session/metric.ts';
import { isJudgedIn } from '../session/patterns.ts';
import type { RankedMetric } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { looksFor, type Look } from '../statistics/looks.ts';
import { judgeFamily, type RowOutcome } from '../statistics/sequential.ts';
import { imageMetricsOf } from '../evidence/image-metrics.ts';
import { logRatios, sign, type Pair } from '../evidence/pairs.ts';
import { observeSession } from '../evidence/observations.ts';
import { isPerTask, perTaskRules, rankedValues, sidesRanked, workOf, type RankedValues } from './values.ts';
import { own } from '../session/record.ts';

/** Whether a variant of an earlier session is the same as in the newest. */
export type Comparable = (earlier: Session, variant: string) => boolean;

/** One row before the family's correction. */
export interface UnjudgedRankRow {
  readonly variant: string;
  readonly rule: MetricRule;
  readonly kind: RankedMetric['kind'];
  readonly values: readonly number[];
  readonly pairs: readonly Pair[];
  /** Undefined if there is nothing to compare. */
  readonly ratios: Float64Array | undefined;
  readonly looks: readonly Look[];
  readonly exact: { readonly reference: number; readonly value: number } | undefined;
  readonly isReference: boolean;
  readonly reason: string | undefined;
}

export interface JudgedRanking {
  readonly work: string | null;
  readonly metrics: readonly RankedMetric[];
  readonly drafts: readonly UnjudgedRankRow[];
  readonly outcomes: ReadonlyMap<UnjudgedRankRow, RowOutcome>;
  readonly tests: number;
}

/** Only the decisions, which the running session needs after each block. */
export function judgeRanking(
  sessions: readonly [Session, ...Session[]],
  reference: string,
  comparable: Comparable = () => true,
): JudgedRanking {
  const newest = sessions.at(-1) ?? sessions[0];
  const work = workOf(newest);
  const rules = rulesOf(newest, work);
  const kinds = new Map(rules.map((rule) => [rule.name, kindOf(rule, work)]));
  /** A benchmark that only one of the two has is shown. */
  const kindIn: KindIn = (rule, variant) =>
    isJudgedIn(rule, variant) && isJudgedIn(rule, reference) ? (kinds.get(rule.name) ?? 'shown') : 'shown';
  const drafts = draftsOf(sessions, newest, reference, rules, kindIn, comparable);
  const present = new Set(drafts.map(({ rule }) => rule.name));
  // The planned number of tests: a failed variant does not reduce it.
  const tests = newest.variants
    .filter((variant) => variant !== reference)
    .flatMap((variant) =>
      rules.filter((rule) => rule.kind === 'paired' && kindIn(rule, variant) === 'tested'),
    ).length;
  return {
    work,
    metrics: rules
      .filter(({ name }) => present.has(name))
      .map(({ name, unit, better, limit, kind }): RankedMetric => ({
        ...{ name, unit, better, limit },
        kind: kind !== 'paired' ? 'exact' : (kinds.get(name) ?? 'shown'),
      })),
    drafts,
    outcomes: judgedDrafts(drafts, newest.rules.alpha, tests),
    tests,
  };
}

type KindIn = (rule: MetricRule, variant: string) => RankedMetric['kind'];

/** The rows of all variants that were measured to the end, without those that have nothing to show. */
function draftsOf(
  sessions: readonly Session[],
  newest: Session,
  reference: string,
  rules: readonly MetricRule[],
  kindIn: KindIn,
  comparable: Comparable,
): readonly UnjudgedRankRow[] {
  const work = workOf(newest);
  const values = sessions.map((session) => ({ session, ...rankedValues(session, work) }));
  return newest.variants
    .filter((variant) => failureOf(newest, variant) === undefined)
    .flatMap((variant) => {
      const usable = values.filter(
        ({ session }) =>
          session === newest || (comparable(session, variant) && comparable(session, reference)),
      );
      return rules.flatMap((rule) =>
        rule.kind !== 'paired'
          ? exactDraft(newest, variant, reference, rule)
          : [draftOf(newest, variant, reference, rule, kindIn(rule, variant), usable)],
      );
    })
    .filter(({ values: some, exact, kind }) => some.length > 0 || exact !== undefined || kind === 'tested');
}

/** The tested rows, judged as one family. */
function judgedDrafts(
  drafts: readonly UnjudgedRankRow[],
  alpha: number,
  tests: number,
): JudgedRanking['outcomes'] {
  const tested = drafts.filter(
    ({ kind, isReference, ratios }) => kind === 'tested' && !isReference && ratios !== undefined,
  );
  const judged = judgeFamily(
    tested.map(({ ratios = [], rule, pairs, looks }) => ({
      worse: Float64Array.from(ratios, (ratio) => sign(rule) * ratio),
      limit: rule.limit,
      at: pairs.map(({ block }) => block),
      looks,
    })),
    { alpha: alpha / 2, looks: [], tests },
  );
  return new Map(
    tested.flatMap((draft, index) => {
      const outcome = judged[index];
      return outcome === undefined ? [] : [[draft, outcome] as const];
    }),
  );
}

/** Every metric with a rule, the metrics per task, and other metrics in the data. */
function rulesOf(session: Session, work: string | null): readonly MetricRule[] {
  const { metrics } = observeSession({ ...session, nights: [] });
  const own = new Set(metrics.map(({ name }) => name));
  const images = [...new Set(imageMetricsOf(session).map(({ metric }) => metric))]
    .filter((name) => !own.has(name))
    .map((name) => defaultRule(name, false));
  return [
    ...metrics,
    ...images,
    ...perTaskRules(session.rules.metrics, work).filter(({ name }) => !own.has(name)),
  ];
}

/**
 * If a run is one task, its time and the task's are the same value and one test. If tasks are counted, the time of a
 * run only shows how long the workload was set to work.
 */
function kindOf({ name, gate }: MetricRule, work: string | null): RankedMetric['kind'] {
  if (!gate) return 'shown';
  if (work === null) return isPerTask(name) ? 'shown' : 'tested';
  return name === 'wall_time_s' || name === 'cpu_time_s' ? 'shown' : 'tested';
}

function draftOf(
  newest: Session,
  variant: string,
  reference: string,
  rule: MetricRule,
  kind: RankedMetric['kind'],
  sessions: readonly (RankedValues & { readonly session: Session })[],
): UnjudgedRankRow {
  const values = sessions.flatMap(({ blocks }) =>
    [...(blocks.get(variant)?.values() ?? [])].flatMap((metrics) => own(metrics, rule.name) ?? []),
  );
  const idle = [reference, variant].filter((name) => sessions.some((session) => session.idle.has(name)));
  const unknown = isPerTask(rule.name) && idle.length > 0;
  const pairs = unknown || variant === reference ? [] : pairsWith(reference, variant, rule.name, sessions);
  const ratios = pairs.length === 0 ? undefined : logRatios(pairs);
  const planned = plannedBlocks(newest);
  return {
    variant,
    rule,
    kind,
    values: unknown && idle.includes(variant) ? [] : values,
    pairs,
    ratios,
    looks:
      planned === undefined
        ? [{ blocks: Math.max(1, pairs.length), weight: 1 }]
        : looksFor(newest.rules.profile, planned, newest.rules.method ?? 1),
    exact: undefined,
    isReference: variant === reference,
    reason: unknown
      ? `a run of ${idle[0] ?? ''} did no task, or did not report how many`
      : pairs.length === 0
        ? `no block has ${rule.name} of both`
        : ratios === undefined
          ? `${rule.name} has values that are not positive`
          : undefined,
  };
}

/** The maximum number of blocks for which the looks of a ranking were planned. Other sessions have one look. */
export const plannedBlocks = (session: Session): number | undefined =>
  session.purpose === 'ranking'
    ? Math.min(session.rules.blocks, session.budget.blocksPlanned ?? session.rules.blocks)
    : undefined;

/** Blocks of the same session that both have, numbered consecutively over the sessions. */
function pairsWith(
  reference: string,
  variant: string,
  metric: string,
  sessions: readonly RankedValues[],
): readonly Pair[] {
  let before = 0;
  return sessions.flatMap(({ blocks }) => {
    const others = blocks.get(variant);
    const pairs = [...(blocks.get(reference) ?? [])].flatMap(([block, metrics]): Pair[] => {
      const [baseline, head] = [own(metrics, metric), own(others?.get(block) ?? {}, metric)];
      return baseline === undefined || head === undefined ? [] : [{ block: before + block, baseline, head }];
    });
    before = pairs.at(-1)?.block ?? before;
    return pairs;
  });
}

/** The side whose image is used: the sides of a ranking have one image. */
export const imageSide = ({ sides }: Session) => (sides.includes('head') ? 'head' : sides[0]);

/** Values of the images, which do not vary. */
function exactDraft(
  session: Session,
  variant: string,
  reference: string,
  rule: MetricRule,
): UnjudgedRankRow[] {
  const figures = imageMetricsOf(session).filter(({ metric }) => metric === rule.name);
  const side = imageSide(session);
  const valueOf = (name: string) => figures.find((one) => one.variant === name && one.side === side)?.value;
  const [base, value] = [valueOf(reference), valueOf(variant)];
  if (value === undefined) return [];
  return [
    {
      variant,
      rule,
      kind: 'exact',
      values: [value],
      pairs: [],
      ratios: undefined,
      looks: [],
      exact: base === undefined ? undefined : { reference: base, value },
      isReference: variant === reference,
      reason: base === undefined ? `${reference} has no such figure` : undefined,
    },
  ];
}

/** Why a variant was not measured to the end; undefined if it was. */
export function failureOf(session: Session, variant: string): string | undefined {
  const sides = sidesRanked(session);
  const failure = session.failures.find((one) => one.variant === variant && sides.includes(one.side));
  if (failure !== undefined) return failure.message.split('\n')[0] ?? failure.stage;
  return session.runs.some((run) => run.variant === variant && run.outcome === 'ok')
    ? undefined
    : 'none of its runs succeeded';
}
