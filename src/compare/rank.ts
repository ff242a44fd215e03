import { median } from 'simple-statistics';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import { defaultRule, type MetricRule } from '../session/metric.ts';
import type { RankedMetric, RankedVariant, Ranking, RankRow, RankVerdict } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { firstReachable, blocksNeeded, looksFor, type Look } from '../statistics/looks.ts';
import { judgeFamily, type RowOutcome } from '../statistics/sequential.ts';
import { exactVerdict, imageMetricsOf } from './deterministic.ts';
import { logRatios, pairedChange, sign, type Pair } from './evidence.ts';
import { observeSession } from './observations.ts';
import {
  PER_TASK,
  PER_TASK_NAMES,
  perTaskRules,
  rankedValues,
  sidesRanked,
  workOf,
  type PerTask,
  type RankedValues,
} from './rank-values.ts';

/**
 * The variants of a session against one of them.
 *
 * A pair is a run of the reference and one of the variant in the same block; the rest is the gate's: log ratios,
 * Hodges-Lehmann, exact signed-rank tests and Holm, over (variants - 1) x tested metrics. A difference of either sign is
 * news here, so each direction has half of alpha.
 *
 * @throws ConfigurationError where the session has no such reference, or fewer than two variants
 * @throws MeasurementError where the reference could not be measured
 */
export const rankVariants = (session: Session, reference = referenceOf(session)): Ranking =>
  rankSessions([session], reference);

/** The one that the session was asked for, else the first that was measured. */
export const referenceOf = (session: Session): string =>
  session.ranking?.reference ??
  session.variants.find((variant) => failureOf(session, variant) === undefined) ??
  session.variants[0] ??
  '';

/**
 * Several sessions of one machine and one workload as one: their blocks follow each other.
 * @param sessions oldest first; the newest says what was planned, and which variants failed
 */
export function rankSessions(
  sessions: readonly [Session, ...Session[]],
  reference: string,
  comparable: Comparable = () => true,
): Ranking {
  const newest = sessions.at(-1) ?? sessions[0];
  refuse(newest, reference);
  const judged = judgeRanking(sessions, reference, comparable);
  const { drafts, metrics, work, outcomes, tests } = judged;
  const cells = drafts.map((draft) => ({ draft, row: rowOf(draft, outcomes.get(testedAs(draft, judged))) }));
  const variants = newest.variants.map((variant): RankedVariant => ({
    ...imageOf(newest, variant),
    failure: failureOf(newest, variant) ?? null,
    rows: cells.filter(({ draft }) => draft.variant === variant).map(({ row }) => row),
  }));
  return {
    reference,
    work,
    family: { tests, alpha: newest.rules.alpha },
    sessions: sessions.map(({ id }) => id),
    metrics: [...metrics],
    variants: inOrder(variants, reference),
    warnings: warningsOf(
      newest,
      judged,
      cells.map(({ row }) => row),
    ),
  };
}

/** Whether a variant of an earlier session is the one of the newest. */
export type Comparable = (earlier: Session, variant: string) => boolean;

/** One row before the family's correction. */
export interface RankDraft {
  readonly variant: string;
  readonly rule: MetricRule;
  readonly kind: RankedMetric['kind'];
  readonly values: readonly number[];
  readonly pairs: readonly Pair[];
  /** Undefined where there is nothing to compare by. */
  readonly ratios: Float64Array | undefined;
  readonly looks: readonly Look[];
  readonly exact: { readonly reference: number; readonly value: number } | undefined;
  readonly isReference: boolean;
  readonly reason: string | undefined;
}

export interface JudgedRanking {
  readonly work: string | null;
  readonly metrics: readonly RankedMetric[];
  readonly drafts: readonly RankDraft[];
  readonly outcomes: ReadonlyMap<RankDraft, RowOutcome>;
  readonly tests: number;
}

/** The decision alone: what the running session asks after each block. */
export function judgeRanking(
  sessions: readonly [Session, ...Session[]],
  reference: string,
  comparable: Comparable = () => true,
): JudgedRanking {
  const newest = sessions.at(-1) ?? sessions[0];
  const work = workOf(newest);
  const rules = rulesOf(newest, work);
  const kinds = new Map(rules.map((rule) => [rule.name, kindOf(rule, work)]));
  const values = sessions.map((session) => ({ session, ...rankedValues(session, work) }));
  const drafts = newest.variants
    .filter((variant) => failureOf(newest, variant) === undefined)
    .flatMap((variant) => {
      const usable = values.filter(
        ({ session }) =>
          session === newest || (comparable(session, variant) && comparable(session, reference)),
      );
      return rules.flatMap((rule) =>
        rule.deterministic === true
          ? exactDraft(newest, variant, reference, rule)
          : [draftOf(newest, variant, reference, rule, kinds.get(rule.name) ?? 'shown', usable)],
      );
    })
    .filter(({ values: some, exact, kind }) => some.length > 0 || exact !== undefined || kind === 'tested');
  const present = new Set(drafts.map(({ rule }) => rule.name));
  const metrics = rules
    .filter(({ name }) => present.has(name))
    .map((rule): RankedMetric => {
      const { name, unit, better, limit } = rule;
      return {
        name,
        unit,
        better,
        limit,
        kind: rule.deterministic === true ? 'exact' : (kinds.get(name) ?? 'shown'),
      };
    });
  // Planned, not found: a variant that failed does not make the others' words cheaper.
  const perVariant = rules.filter(
    (rule) => rule.deterministic !== true && kinds.get(rule.name) === 'tested',
  ).length;
  const tests = (newest.variants.length - 1) * perVariant;
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
    { alpha: newest.rules.alpha / 2, looks: [], tests },
  );
  return {
    work,
    metrics,
    drafts,
    outcomes: new Map(
      tested.flatMap((draft, index) => {
        const outcome = judged[index];
        return outcome === undefined ? [] : [[draft, outcome] as const];
      }),
    ),
    tests,
  };
}

/** Every metric with a rule, the talk's, and those met in the data alone. */
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

const isPerTask = (name: string): name is PerTask => PER_TASK_NAMES.some((known) => known === name);

/**
 * Where a run is one task, its time and a task's are one figure and one test. Where tasks are counted, a run's own time
 * says how long the workload was told to work.
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
): RankDraft {
  const values = sessions.flatMap(({ blocks }) =>
    [...(blocks.get(variant)?.values() ?? [])].flatMap((metrics) => metrics[rule.name] ?? []),
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
        : looksFor(newest.rules.profile, planned),
    exact: undefined,
    isReference: variant === reference,
    reason: unknown
      ? `a run of ${idle[0] ?? ''} did no task, or did not say how many`
      : pairs.length === 0
        ? `no block has ${rule.name} of both`
        : ratios === undefined
          ? `${rule.name} has values that are not positive`
          : undefined,
  };
}

/** The cap that the looks of a ranking were planned for; other sessions were not looked at by their variants: one look. */
export const plannedBlocks = (session: Session): number | undefined =>
  session.purpose === 'ranking'
    ? Math.min(session.rules.blocks, session.budget.blocksPlanned ?? session.rules.blocks)
    : undefined;

/** Blocks of the same session that both have, numbered on from session to session. */
function pairsWith(
  reference: string,
  variant: string,
  metric: string,
  sessions: readonly RankedValues[],
): readonly Pair[] {
  let before = 0;
  return sessions.flatMap(({ blocks }) => {
    const own = blocks.get(variant);
    const pairs = [...(blocks.get(reference) ?? [])].flatMap(([block, { [metric]: baseline }]): Pair[] => {
      const head = own?.get(block)?.[metric];
      return baseline === undefined || head === undefined ? [] : [{ block: before + block, baseline, head }];
    });
    before = pairs.at(-1)?.block ?? before;
    return pairs;
  });
}

/** Whose image is looked at: the sides of a ranking are one image. */
export const imageSide = ({ sides }: Session) => (sides.includes('head') ? 'head' : sides[0]);

/** Figures of the images, which do not vary. */
function exactDraft(session: Session, variant: string, reference: string, rule: MetricRule): RankDraft[] {
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

/** Where a run is one task, a task's figure is judged by the run's. */
function testedAs(draft: RankDraft, { work, drafts }: JudgedRanking): RankDraft {
  const { name } = draft.rule;
  if (work !== null || !isPerTask(name)) return draft;
  return (
    drafts.find(({ variant, rule }) => variant === draft.variant && rule.name === PER_TASK[name]) ?? draft
  );
}

const WORDS: Readonly<Record<RowOutcome['decision'], RankVerdict>> = {
  regressed: 'worse',
  improved: 'better',
  unchanged: 'same',
  undecided: 'undecided',
};
const EXACT_WORDS: Readonly<Record<string, RankVerdict>> = {
  regressed: 'worse',
  improved: 'better',
  unchanged: 'same',
};

function rowOf(draft: RankDraft, outcome: RowOutcome | undefined): RankRow {
  const { rule, values, pairs, ratios, looks, exact, isReference, reason } = draft;
  const base: RankRow = {
    metric: rule.name,
    median: values.length === 0 ? null : median([...values]),
    n: values.length,
    change: { estimate: null, low: null, high: null },
    blocks: 0,
    p: null,
    verdict: 'shown',
  };
  if (isReference) return base;
  if (exact !== undefined) {
    const estimate = exact.reference > 0 ? exact.value / exact.reference - 1 : null;
    const word = EXACT_WORDS[exactVerdict(exact.reference, exact.value, rule)] ?? 'shown';
    return {
      ...base,
      change: { estimate, low: estimate, high: estimate },
      verdict: rule.gate ? word : 'shown',
    };
  }
  if (ratios === undefined)
    return { ...base, verdict: 'no_data', ...(reason === undefined ? {} : { reason }) };
  const used = outcome === undefined || outcome.blocks === 0 ? pairs.length : outcome.blocks;
  return {
    ...base,
    change: pairedChange(ratios, used, looks.length),
    blocks: used,
    p:
      outcome === undefined
        ? null
        : Math.min(1, 2 * Math.min(outcome.pWorseAdjusted, outcome.pBetterAdjusted)),
    verdict: outcome === undefined ? 'shown' : WORDS[outcome.decision],
  };
}

/** Why a variant was not measured to the end; undefined where it was. */
export function failureOf(session: Session, variant: string): string | undefined {
  const sides = sidesRanked(session);
  const failure = session.failures.find((one) => one.variant === variant && sides.includes(one.side));
  if (failure !== undefined) return failure.message.split('\n')[0] ?? failure.stage;
  return session.runs.some((run) => run.variant === variant && run.outcome === 'ok')
    ? undefined
    : 'it has no run that ended well';
}

function refuse(session: Session, reference: string): void {
  const { variants } = session;
  if (!variants.includes(reference))
    throw new ConfigurationError(
      `There is no variant ${JSON.stringify(reference)} to rank the others against; legal: ${variants.join(', ')}.`,
    );
  if (variants.length < 2)
    throw new ConfigurationError(
      `A ranking needs at least two variants, and there is ${reference} alone. Add another under variants, such as \`debian: { interpreter: debian }\`.`,
    );
  const failure = failureOf(session, reference);
  if (failure !== undefined)
    throw new MeasurementError(
      `${reference} is what the others are ranked against, and it could not be measured: ${failure}\nMend it, or rank against another with --reference (${variants.filter((variant) => variant !== reference).join(', ')}).`,
    );
}

/** What an image is, whatever is run in it. */
function imageOf(session: Session, variant: string): Omit<RankedVariant, 'failure' | 'rows'> {
  const side = imageSide(session);
  const image = session.images.find((one) => one.variant === variant && one.side === side);
  const { facts, coldBuild } = image ?? {};
  return {
    variant,
    python: facts?.python ?? null,
    system: facts?.system ?? null,
    observed: Object.fromEntries(
      Object.entries(facts?.properties ?? {}).map(([name, { observed }]) => [name, observed]),
    ),
    build:
      coldBuild === undefined
        ? null
        : { seconds: coldBuild.seconds, cpuSeconds: coldBuild.cpuSeconds ?? null },
  };
}

/** Least CPU a task first, by the pairs with the reference; without one, by what is left. */
function inOrder(variants: readonly RankedVariant[], reference: string): RankedVariant[] {
  const changeOf = ({ variant, rows }: RankedVariant) =>
    variant === reference
      ? 0
      : (['cpu_time_s_per_work', 'cpu_time_s', 'wall_time_s']
          .map((name) => rows.find(({ metric }) => metric === name)?.change.estimate ?? undefined)
          .find((estimate) => estimate !== undefined) ?? Infinity);
  const place = (one: RankedVariant) => (one.failure === null ? changeOf(one) : Infinity);
  return variants
    .map((one, index) => ({ one, index, failed: one.failure !== null }))
    .sort(
      (a, b) =>
        Number(a.failed) - Number(b.failed) ||
        (place(a.one) === place(b.one) ? 0 : place(a.one) - place(b.one)) ||
        a.index - b.index,
    )
    .map(({ one }) => one);
}

function warningsOf(newest: Session, { drafts, tests }: JudgedRanking, rows: readonly RankRow[]): string[] {
  const undecided = rows.filter(({ verdict }) => verdict === 'undecided');
  if (undecided.length === 0) return [];
  const { budget, rules } = newest;
  const words = `${undecided.length} ${undecided.length === 1 ? 'comparison is' : 'comparisons are'} not decided`;
  const most = Math.max(0, ...drafts.map(({ pairs }) => pairs.length));
  const planned = plannedBlocks(newest);
  const needed =
    planned === undefined
      ? blocksNeeded(tests, rules.alpha / 2)
      : firstReachable(looksFor(rules.profile, planned), tests, rules.alpha / 2);
  const minutes = Math.ceil(budget.secondsLeftOut / 60);
  return [
    ...(needed === undefined || most < needed
      ? [
          `${most} blocks are too few to call a difference among ${tests} ${tests === 1 ? 'test' : 'tests'}; it takes at least ${needed ?? blocksNeeded(tests, rules.alpha / 2)}.`,
        ]
      : []),
    ...(budget.secondsLeftOut > 0
      ? [
          `The budget ended before everything was decided: ${words}; the rest of the blocks would take about ${minutes} more ${minutes === 1 ? 'minute' : 'minutes'}.`,
        ]
      : []),
  ];
}
