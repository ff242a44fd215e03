import { median } from 'simple-statistics';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import type { RankedVariant, Ranking, RankRow, RankVerdict } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { blocksNeeded, firstReachable, looksFor } from '../statistics/looks.ts';
import type { RowOutcome } from '../statistics/sequential.ts';
import { exactVerdict } from '../verdict/exact-verdicts.ts';
import { pairedChange } from '../evidence/pairs.ts';
import {
  failureOf,
  imageSide,
  judgeRanking,
  plannedBlocks,
  type Comparable,
  type JudgedRanking,
  type UnjudgedRankRow,
} from './unjudged-rows.ts';
import { isPerTask, PER_TASK } from './values.ts';

/**
 * The variants of a session against one of them.
 *
 * A pair is a run of the reference and one of the variant in the same block; the statistics are those of the gate: log
 * ratios, Hodges-Lehmann, exact signed-rank tests and Holm, over (variants - 1) x tested metrics. Differences of both
 * signs are reported, so each direction has half of alpha. @throws ConfigurationError if the session has no such
 * reference, or fewer than two variants @throws MeasurementError if the reference could not be measured
 */
export const rankVariants = (session: Session, reference = referenceOf(session)): Ranking =>
  rankSessions([session], reference);

/** The requested reference, else the first measured variant. */
export const referenceOf = (session: Session): string =>
  session.ranking?.reference ??
  session.variants.find((variant) => failureOf(session, variant) === undefined) ??
  session.variants[0] ??
  '';

/**
 * Joins several sessions of one machine and one workload; their blocks are numbered consecutively.
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

/** If a run is one task, the result of the run applies to the task. */
function testedAs(draft: UnjudgedRankRow, { work, drafts }: JudgedRanking): UnjudgedRankRow {
  const { name } = draft.rule;
  if (work !== null || !isPerTask(name)) return draft;
  return (
    drafts.find(({ variant, rule }) => variant === draft.variant && rule.name === PER_TASK[name]) ?? draft
  );
}

const WORDS: Readonly<Record<RowOutcome['decision'], RankVerdict>> = {
  regressed: 'worse',
  improved: 'better',
  // No row of a ranking has a smaller loss that warns.
  warning: 'same',
  unchanged: 'same',
  undecided: 'undecided',
};
const EXACT_WORDS: Readonly<Record<string, RankVerdict>> = {
  regressed: 'worse',
  improved: 'better',
  unchanged: 'same',
};

function rowOf(draft: UnjudgedRankRow, outcome: RowOutcome | undefined): RankRow {
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
  if (ratios === undefined) return { ...base, verdict: 'no_data', reason };
  const used = outcome === undefined || outcome.blocks === 0 ? pairs.length : outcome.blocks;
  return {
    ...base,
    change: pairedChange(ratios, used, { method: 1, looks: looks.length }),
    blocks: used,
    p:
      outcome === undefined
        ? null
        : Math.min(1, 2 * Math.min(outcome.pWorseAdjusted, outcome.pBetterAdjusted)),
    verdict: outcome === undefined ? 'shown' : WORDS[outcome.decision],
  };
}

function refuse(session: Session, reference: string): void {
  const { variants } = session;
  if (!variants.includes(reference))
    throw new ConfigurationError(
      `There is no variant ${JSON.stringify(reference)} to rank the others against; expected: ${variants.join(', ')}.`,
    );
  if (variants.length < 2)
    throw new ConfigurationError(
      `A ranking needs at least two variants, but there is only ${reference}. Add another under variants, such as \`debian: { interpreter: debian }\`.`,
    );
  const failure = failureOf(session, reference);
  if (failure !== undefined)
    throw new MeasurementError(
      `${reference} is the reference of the ranking, but it could not be measured: ${failure}\nFix it, or rank against another with --reference (${variants.filter((variant) => variant !== reference).join(', ')}).`,
    );
}

/** Facts of an image, independent of runs. */
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

/** Sorted by CPU per task, the least first, from the pairs with the reference; otherwise from the medians. */
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
  const words = `${undecided.length} ${undecided.length === 1 ? 'comparison is' : 'comparisons are'} undecided`;
  const most = Math.max(0, ...drafts.map(({ pairs }) => pairs.length));
  const planned = plannedBlocks(newest);
  const needed =
    planned === undefined
      ? blocksNeeded(tests, rules.alpha / 2)
      : firstReachable(looksFor(rules.profile, planned, rules.method ?? 1), tests, rules.alpha / 2);
  const minutes = Math.ceil(budget.secondsLeftOut / 60);
  return [
    ...(needed === undefined || most < needed
      ? [
          `${most} blocks are too few to find a difference among ${tests} ${tests === 1 ? 'test' : 'tests'}; it takes at least ${needed ?? blocksNeeded(tests, rules.alpha / 2)}.`,
        ]
      : []),
    ...(budget.secondsLeftOut > 0
      ? [
          `The budget ended before every row was decided: ${words}; the remaining blocks would take about ${minutes} more ${minutes === 1 ? 'minute' : 'minutes'}.`,
        ]
      : []),
  ];
}
