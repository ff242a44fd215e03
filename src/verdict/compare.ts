import type { Session } from '../session/session.ts';
import type { TimedRun } from '../session/timings.ts';
import { blocksNeeded, firstReachable } from '../statistics/looks.ts';
import { detectableEffect } from '../statistics/power.ts';
import { uniformSource } from '../statistics/random.ts';
import { judgeFamily, type RowOutcome } from '../statistics/sequential.ts';
import type { BoundOutcome } from '../statistics/sign-test.ts';
import { boundOf } from './bound.ts';
import { withAcceptance } from './acceptance.ts';
import { isOutsideTests, worst, worstWith, type Comparison, type Row } from './comparison.ts';
import { withMeasuring } from './changed-measuring.ts';
import { unjudgedRows } from './unjudged-rows.ts';
import { pairedFigures } from './paired-row.ts';
import type { UnjudgedRow } from './unjudged-row.ts';
import { residualsOf } from '../evidence/nights.ts';
import { patternWarnings } from './patterns.ts';
import {
  observeSession,
  observeTimings,
  type Observations,
  type TimingsOptions,
} from '../evidence/observations.ts';

/** The function that the live gate and `compare session.json` both call, so that the same file gives the same verdict. */
export const compareSession = (session: Session): Comparison => {
  if (session.skipped !== undefined)
    return {
      verdict: 'unchanged',
      skipped: true,
      family: { tests: 0, alpha: session.rules.alpha },
      rows: [],
      warnings: [],
    };
  const comparison = compare(observeSession(session));
  const warnings = [...partWarnings(session), ...patternWarnings(session), ...comparison.warnings];
  return withMeasuring(withAcceptance({ ...comparison, warnings }, [session]), [session]);
};

export const compareTimings = (runs: readonly TimedRun[], options: TimingsOptions): Comparison =>
  withoutRules(compare(observeTimings(runs, options)), options);

/** A remark for files without rules: judging every metric lowers the power of each. */
const withoutRules = (comparison: Comparison, { rules }: TimingsOptions): Comparison =>
  rules === undefined && comparison.family.tests > 1
    ? {
        ...comparison,
        warnings: [
          `Timings have no rules, so each of the ${comparison.family.tests} rows is judged. To apply the rules of a configuration, use --config FILE, or compare the session.json of the same run.`,
          ...comparison.warnings,
        ],
      }
    : comparison;

/**
 * Judges observations: those of one session, or those of several jobs' shares of one family.
 *
 * The family is every judged variant x metric except identical images and values that do not vary. The plan fixes it
 * before the data are known.
 */
export function compare(...parts: readonly [Observations, ...Observations[]]): Comparison {
  const { drafts, from, outcomes, tests, testsOf } = judge(...parts);
  const rows = drafts.map((draft) =>
    rowOf(draft, outcomes.get(draft), from.get(draft) ?? parts[0], testsOf(draft)),
  );
  const interrupted = parts.some((part) => part.interrupted);
  return {
    verdict: interrupted ? worstWith(rows, 'no_data') : worst(rows),
    interrupted: interrupted ? true : undefined,
    family: { tests, alpha: parts[0].alpha },
    rows,
    warnings: warningsOf(parts, rows),
  };
}

export interface Judged {
  readonly drafts: readonly UnjudgedRow[];
  /** The part to which each observation belongs. */
  readonly from: ReadonlyMap<UnjudgedRow, Observations>;
  /** The decisions of the tested rows. */
  readonly outcomes: ReadonlyMap<UnjudgedRow, RowOutcome>;
  /** The number of tests in the base's family; that of the additions if there is no other. */
  readonly tests: number;
  /** The number of tests in a row's family. */
  readonly testsOf: (draft: UnjudgedRow) => number;
}

/** Only the decisions, without the other figures: the running session needs them after each block. */
export function judge(...parts: readonly [Observations, ...Observations[]]): Judged {
  const { alpha, method, sharedTests } = parts[0];
  const from = new Map(
    parts.flatMap((observations) =>
      unjudgedRows(observations).map((draft) => [draft, observations] as const),
    ),
  );
  const drafts = [...from.keys()];
  /** A family of its own, so that a change's additions do not lower the power of the other rows. */
  const family = (members: readonly UnjudgedRow[], shared: number | undefined) => {
    const own = members.filter(
      (draft) => draft.gated && draft.evidence !== 'identical' && !isOutsideTests(draft),
    ).length;
    const tests = Math.max(own, shared ?? 0);
    const tested = members.flatMap((draft) =>
      draft.gated && draft.tested !== undefined ? [{ draft, tested: draft.tested }] : [],
    );
    const outcomes = judgeFamily(
      tested.map(({ tested: data }) => (data.kind === 'paired' ? data.series : data.single)),
      { alpha, method, looks: [], tests, sharded: shared !== undefined },
    );
    return {
      tests,
      outcomes: tested.flatMap(({ draft }, index) => {
        const outcome = outcomes[index];
        return outcome === undefined ? [] : [[draft, outcome] as const];
      }),
    };
  };
  const added = drafts.filter((draft) => draft.added);
  const base = family(
    drafts.filter((draft) => !draft.added),
    sharedTests,
  );
  const extra = family(added, undefined);
  return {
    drafts,
    from,
    outcomes: new Map([...base.outcomes, ...extra.outcomes]),
    tests: added.length === drafts.length ? extra.tests : base.tests,
    testsOf: (draft) => (draft.added ? extra.tests : base.tests),
  };
}

/** Verdicts that a longer measurement could have made worse. */
const OPEN: ReadonlySet<Row['verdict']> = new Set(['inconclusive', 'no_baseline', 'incomparable']);

/** Verdicts of the comparison with the base that an exceeded bound replaces, because they are better. */
const BETTER_THAN_BOUND: ReadonlySet<Row['verdict']> = new Set([...OPEN, 'warning', 'improved', 'unchanged']);

/** @param alone whether there is no comparison with the base, because values are not positive */
function boundVerdict(
  relative: Row['verdict'],
  outcome: BoundOutcome | undefined,
  alone: boolean,
): Row['verdict'] {
  if (alone && outcome !== undefined)
    return outcome === 'beyond' ? 'over_limit' : outcome === 'within' ? 'unchanged' : 'inconclusive';
  return outcome === 'beyond' && BETTER_THAN_BOUND.has(relative) ? 'over_limit' : relative;
}

const VERDICT_OF = {
  regressed: 'regressed',
  improved: 'improved',
  warning: 'warning',
  unchanged: 'unchanged',
  undecided: 'inconclusive',
} as const;

function rowOf(
  draft: UnjudgedRow,
  outcome: RowOutcome | undefined,
  observations: Observations,
  tests: number,
): Row {
  const ofRow: Omit<UnjudgedRow, 'added'> & { added?: boolean } = { ...draft };
  delete ofRow.added;
  const { tested, decided, bound: boundData, ...row } = ofRow;
  const bound = boundOf(draft, observations.alpha, tests);
  const relative = !row.gated
    ? 'info'
    : (decided ?? (outcome === undefined ? 'no_data' : VERDICT_OF[outcome.decision]));
  const found = boundVerdict(relative, bound?.outcome, boundData?.alone === true);
  // In a cancelled session, rows decided at a look keep their verdict; the others become `no_data`.
  const cut = observations.interrupted && OPEN.has(found);
  const verdict = cut || (observations.interrupted && tested?.kind === 'stored') ? 'no_data' : found;
  const base: Row = {
    ...row,
    verdict,
    worse: { p: outcome?.pWorse ?? null, pAdjusted: outcome?.pWorseAdjusted ?? null },
    better: { p: outcome?.pBetter ?? null, pAdjusted: outcome?.pBetterAdjusted ?? null },
    detectable: null,
    confirmation: null,
    bound: bound?.shown,
    warnings: [
      ...(cut ? ['the measurement was cancelled before this was decided'] : []),
      ...row.warnings,
      ...(bound?.shown.baselineBeyond === true
        ? [
            `the base is ${bound.shown.kind === 'max' ? 'above its max' : 'below its min'} already, so this change is not held to it`,
          ]
        : []),
    ],
  };
  if (tested?.kind === 'stored') return tested.advisory ? advisory(base) : base;
  if (tested?.kind !== 'paired') return base;
  // A row without a look shows all its pairs.
  const used = outcome === undefined || outcome.blocks === 0 ? tested.pairs.length : outcome.blocks;
  const reachable = firstReachable(tested.looks, Math.max(1, tests), observations.alpha);
  // Too few pairs to decide count as `no_data`. Files without a plan show them anyway.
  const hopeless = verdict === 'inconclusive' && reachable === undefined && observations.cap !== undefined;
  return {
    ...base,
    verdict: hopeless ? 'no_data' : verdict,
    ...pairedFigures(tested, used),
    detectable: row.gated ? detectableOf(draft, observations, tests) : null,
    warnings: [
      ...base.warnings,
      ...(verdict === 'inconclusive' && (reachable === undefined || used < reachable)
        ? [
            `${used} pairs are too few to find a change among ${tests} checks; it takes at least ${reachable ?? blocksNeeded(tests, observations.alpha)}`,
          ]
        : []),
    ],
  };
}

const DECIDED: ReadonlySet<Row['verdict']> = new Set(['regressed', 'warning', 'improved', 'unchanged']);

/** The verdict of the nights if they may only advise, because they ran on several kinds of machines. */
function advisory(row: Row): Row {
  if (!DECIDED.has(row.verdict)) return row;
  return {
    ...row,
    verdict: 'incomparable',
    warnings: [
      ...row.warnings,
      `the stored nights would give ${row.verdict}; they ran on machines of several kinds, so this is only advice (evidence: stored makes it the verdict)`,
    ],
  };
}

/** The smallest loss that would be found, from the noise of nights on this machine with this measuring code. */
function detectableOf(
  { variant, metric, limit, tested }: UnjudgedRow,
  { nights, alpha, seed }: Observations,
  tests: number,
): number | null {
  if (tested?.kind !== 'paired') return null;
  const sessions = residualsOf(nights, variant, metric);
  if (sessions.length === 0) return null;
  return detectableEffect(
    { sessions },
    { limit, alpha, looks: tested.looks, tests, method: tested.method },
    uniformSource(seed),
  );
}

/** A remark for a session that is only a part of a gate. */
function partWarnings({ shard, purpose }: Session): string[] {
  if (purpose === 'confirmation')
    return [
      'This session confirms another one and cannot give a verdict alone; pacegate merge judges both together.',
    ];
  if (purpose === 'ranking')
    return [
      'This session ranks variants against each other and has only one side; pacegate report shows the ranking.',
    ];
  if (shard === undefined) return [];
  return [
    `This is shard ${shard.index} of ${shard.of}, with its own variants only; pacegate merge gives the verdict of all ${shard.tests} tests.`,
  ];
}

function warningsOf(parts: readonly Observations[], rows: readonly Row[]): string[] {
  const undecided = rows.filter(({ verdict }) => verdict === 'inconclusive').length;
  const secondsLeftOut = parts.reduce((sum, part) => sum + part.secondsLeftOut, 0);
  const minutes = Math.ceil(secondsLeftOut / 60);
  const changed =
    parts.map(({ nights }) => nights.at(-1)?.changedFiles ?? null).find((some) => some !== null) ?? null;
  return [
    ...(parts.some((part) => part.interrupted)
      ? [
          'The measurement was cancelled before it was complete: the report shows its runs, and undecided rows are no data.',
        ]
      : []),
    ...(undecided > 0 && secondsLeftOut > 0
      ? [
          `The budget left ${undecided} ${undecided === 1 ? 'row' : 'rows'} undecided; deciding them would take about ${minutes} more ${minutes === 1 ? 'minute' : 'minutes'}.`,
        ]
      : []),
    ...(changed === null
      ? []
      : [`The measuring code changed since the last stored session: ${changed.join(', ')}.`]),
  ];
}
