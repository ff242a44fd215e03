import type { Session } from '../session/session.ts';
import type { TimedRun } from '../session/timings.ts';
import { blocksNeeded, firstReachable } from '../statistics/looks.ts';
import { detectableEffect } from '../statistics/power.ts';
import { uniformSource } from '../statistics/random.ts';
import { judgeFamily, type RowOutcome } from '../statistics/sequential.ts';
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

/** What the live gate and `compare session.json` both call: the same file gives the same verdict. */
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

/** Figures that nobody meant to judge take significance from those that somebody did. */
const withoutRules = (comparison: Comparison, { rules }: TimingsOptions): Comparison =>
  rules === undefined && comparison.family.tests > 1
    ? {
        ...comparison,
        warnings: [
          `Timings carry no rules, so each of the ${comparison.family.tests} figures here is judged. --config FILE judges by a configuration's rules, and the session.json of the same run by its own.`,
          ...comparison.warnings,
        ],
      }
    : comparison;

/**
 * Judges observations: those of one session, or those of several jobs' shares of one family.
 *
 * The family is every gated variant x metric that was not settled by identical images or by figures that do not vary:
 * fixed by the plan, not by what the data turned out to be.
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
  /** The part that each of them is of. */
  readonly from: ReadonlyMap<UnjudgedRow, Observations>;
  /** What the family's rule says of the rows that were tested. */
  readonly outcomes: ReadonlyMap<UnjudgedRow, RowOutcome>;
  /** The family's tests: those of what the base has, or of what the change adds where there is nothing else. */
  readonly tests: number;
  /** The tests of the family that a row is in. */
  readonly testsOf: (draft: UnjudgedRow) => number;
}

/** The decision alone, without the figures around it: what the running session asks after each block. */
export function judge(...parts: readonly [Observations, ...Observations[]]): Judged {
  const { alpha, method, sharedTests } = parts[0];
  const from = new Map(
    parts.flatMap((observations) =>
      unjudgedRows(observations).map((draft) => [draft, observations] as const),
    ),
  );
  const drafts = [...from.keys()];
  /** A family by itself: what a change adds must not make it harder to find what it makes worse. */
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

/** Verdicts that a longer measurement could still have changed for the worse. */
const OPEN: ReadonlySet<Row['verdict']> = new Set(['inconclusive', 'no_baseline', 'incomparable']);

const VERDICT_OF = {
  regressed: 'regressed',
  improved: 'improved',
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
  const { tested, settled, ...row } = ofRow;
  const found = !row.gated
    ? 'info'
    : (settled ?? (outcome === undefined ? 'no_data' : VERDICT_OF[outcome.decision]));
  // What a cancelled session had settled at a look stays; what it had not is no answer, least of all a mild one.
  const cut = observations.interrupted && OPEN.has(found);
  const verdict = cut || (observations.interrupted && tested?.kind === 'stored') ? 'no_data' : found;
  const base: Row = {
    ...row,
    verdict,
    worse: { p: outcome?.pWorse ?? null, pAdjusted: outcome?.pWorseAdjusted ?? null },
    better: { p: outcome?.pBetter ?? null, pAdjusted: outcome?.pBetterAdjusted ?? null },
    detectable: null,
    confirmation: null,
    warnings: cut ? ['the measurement was cancelled before this was decided', ...row.warnings] : row.warnings,
  };
  if (tested?.kind === 'stored') return tested.advisory ? advisory(base) : base;
  if (tested?.kind !== 'paired') return base;
  // A row that had no look yet shows all that there is.
  const used = outcome === undefined || outcome.blocks === 0 ? tested.pairs.length : outcome.blocks;
  const reachable = firstReachable(tested.looks, Math.max(1, tests), observations.alpha);
  // Pairs that cannot decide, whatever they show, are no measurement; where nobody planned them they are what there is.
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
            `${used} pairs are too few to call a change among ${tests} checks; it takes at least ${reachable ?? blocksNeeded(tests, observations.alpha)}`,
          ]
        : []),
    ],
  };
}

/** What the stored nights would say, where they may not judge: the machine is not the same from day to day. */
function advisory(row: Row): Row {
  if (row.verdict !== 'regressed' && row.verdict !== 'improved' && row.verdict !== 'unchanged') return row;
  return {
    ...row,
    verdict: 'incomparable',
    warnings: [
      ...row.warnings,
      `by the stored nights alone it would be ${row.verdict}; they ran on machines of several kinds, so that is advice and no verdict (evidence: stored makes it one)`,
    ],
  };
}

/** The smallest change that would be found, from the noise of nights on this machine with this measuring code. */
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

/** A part alone must not look like the whole. */
function partWarnings({ shard, purpose }: Session): string[] {
  if (purpose === 'confirmation')
    return [
      'This is a session that confirms another: by itself it says too little; pacegate merge judges both together.',
    ];
  if (purpose === 'ranking')
    return [
      'This session ranks variants against each other and has one side alone; pacegate report shows the ranking.',
    ];
  if (shard === undefined) return [];
  return [
    `This is shard ${shard.index} of ${shard.of}, with its own variants alone; pacegate merge has the verdict of all ${shard.tests} tests.`,
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
          'The measurement was cancelled before it was complete: what it has is shown, and what it did not decide is no data.',
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
