import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import { SIDES, type Side } from '../session/run.ts';
import { VERDICTS, type Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import type { TimedRun } from '../session/timings.ts';
import { holm } from '../statistics/holm.ts';
import { blocksNeeded } from '../statistics/significance.ts';
import type { Comparison, Row } from './comparison.ts';
import {
  logRatios,
  nightMedians,
  NIGHTS_NEEDED,
  pairedTest,
  pairsOf,
  storedNights,
  storedTest,
  valuesOf,
  type RowTest,
} from './evidence.ts';
import { observeSession, observeTimings, type Observations, type TimingsOptions } from './observations.ts';

/** What the live gate and `compare session.json` both call: the same file gives the same verdict. */
export const compareSession = (session: Session): Comparison => compare(observeSession(session));

export const compareTimings = (runs: readonly TimedRun[], options: TimingsOptions): Comparison =>
  compare(observeTimings(runs, options));

/** A row before the family's correction: tested, or settled from outside the test. */
type Draft = Omit<Row, 'verdict' | 'worse' | 'better'> & {
  readonly rule: MetricRule;
  readonly test: RowTest | undefined;
  readonly settled: Verdict | undefined;
};

/**
 * Judges observations.
 *
 * The family is every gated variant x metric that was not settled by identical images: fixed by the plan, not
 * by what the data turned out to be. Over a fixed number of blocks each direction is tested once, so equivalence
 * is shown at alpha as well.
 */
export function compare(observations: Observations): Comparison {
  const { alpha, plannedBlocks } = observations;
  const drafts = observations.variants.flatMap((variant) => {
    // A row looks at its own variant's runs alone: with a thousand variants the others are what takes time.
    const own = { ...observations, runs: observations.runs.filter((run) => run.variant === variant) };
    return observations.metrics.flatMap((rule) => draftRow(own, variant, rule));
  });
  const family = drafts.filter(({ gated, evidence }) => gated && evidence !== 'identical').length;
  const needed = family === 0 ? 0 : blocksNeeded(family, alpha);
  const tested = drafts.filter(({ gated, test }) => gated && test !== undefined);
  const adjust = (p: (test: RowTest) => number) => {
    const adjusted = holm(
      tested.map(({ test }) => (test === undefined ? 1 : p(test))),
      family,
    );
    return new Map(tested.map((draft, index) => [draft, adjusted[index] ?? 1]));
  };
  const worse = adjust(({ pWorse }) => pWorse);
  const better = adjust(({ pBetter }) => pBetter);
  const rows = drafts.map((draft): Row => {
    const { rule, test, settled, ...row } = draft;
    const worseAdjusted = worse.get(draft) ?? null;
    const betterAdjusted = better.get(draft) ?? null;
    const verdict = !row.gated
      ? 'info'
      : (settled ??
        (test === undefined
          ? 'no_data'
          : decide(test, rule, alpha, worseAdjusted ?? 1, betterAdjusted ?? 1)));
    return {
      ...row,
      verdict,
      worse: { p: test?.pWorse ?? null, pAdjusted: worseAdjusted },
      better: { p: test?.pBetter ?? null, pAdjusted: betterAdjusted },
      warnings: [
        ...row.warnings,
        ...(verdict === 'inconclusive' && row.evidence === 'paired' && row.blocks < needed
          ? [
              `${row.blocks} blocks could not have reached significance among ${family} tests; at least ${needed} are needed${plannedBlocks === undefined ? '' : ` (${plannedBlocks} were planned)`}`,
            ]
          : []),
      ],
    };
  });
  return {
    verdict: worst(rows),
    family: { tests: family, alpha, blocksNeeded: needed },
    rows,
    warnings: warningsOf(observations, rows),
  };
}

/**
 * The decision, with L the metric's limit and M = 5/3 L, in logarithms so that both directions mirror each other:
 *
 *   improved        unchanged         regressed
 *   <=====-L----(------0------)----+L=======>       estimate
 *        -M [=====interval=====] +M                 both tests against +-M
 */
function decide(
  test: RowTest,
  { limit }: MetricRule,
  alpha: number,
  worseAdjusted: number,
  betterAdjusted: number,
): Verdict {
  const counts = Math.log1p(limit);
  const margin = Math.log1p((5 / 3) * limit);
  if (worseAdjusted <= alpha && test.worseBy >= counts) return 'regressed';
  if (betterAdjusted <= alpha && -test.worseBy >= counts) return 'improved';
  if (Math.abs(test.worseBy) < counts && test.pNotWorse(margin) <= alpha && test.pNotBetter(margin) <= alpha)
    return 'unchanged';
  return 'inconclusive';
}

function draftRow(observations: Observations, variant: string, rule: MetricRule): Draft[] {
  const { runs, identical, nights } = observations;
  const values = Object.fromEntries(
    SIDES.map((side) => [
      side,
      valuesOf(
        runs.filter((run) => run.side === side),
        variant,
        rule.name,
      ),
    ]),
  ) as Record<Side, number[]>;
  // What nobody judges and nobody measured is no row.
  if (!rule.gate && values.baseline.length === 0 && values.head.length === 0) return [];
  const base: Draft = {
    variant,
    metric: rule.name,
    unit: rule.unit,
    direction: rule.better,
    limit: rule.limit,
    gated: rule.gate,
    evidence: 'none',
    baseline: summary(values.baseline),
    head: summary(values.head),
    change: { estimate: null, low: null, high: null },
    blocks: 0,
    detectable: null,
    stored: storedNights(nights, variant, rule.name, values.baseline),
    warnings: [],
    rule,
    test: undefined,
    settled: undefined,
  };
  if (identical.has(variant))
    return [
      { ...base, evidence: 'identical', settled: 'unchanged', change: { estimate: 0, low: 0, high: 0 } },
    ];
  const death = deathOf(observations, variant);
  if (death !== undefined) return [{ ...base, settled: death.verdict, warnings: [death.reason] }];
  if (observations.evidence !== 'stored' && observations.twoSided.has(variant))
    return [pairedDraft(base, observations)];
  return [storedDraft(base, observations, values.head)];
}

function pairedDraft(base: Draft, { runs, secondsLeftOut }: Observations): Draft {
  const { rule } = base;
  const pairs = pairsOf(runs, base.variant, rule.name);
  if (pairs.length === 0 && secondsLeftOut > 0)
    return { ...base, settled: 'inconclusive', warnings: ['the budget left no time for a block'] };
  if (pairs.length === 0)
    return { ...base, settled: 'no_data', warnings: [`no block has ${rule.name} on both sides`] };
  const ratios = logRatios(pairs);
  if (ratios === undefined)
    return {
      ...base,
      blocks: pairs.length,
      settled: 'no_data',
      warnings: [
        `${rule.name} has values that are not positive, and a change in per cent needs positive ones`,
      ],
    };
  const test = pairedTest(ratios, rule);
  return { ...base, evidence: 'paired', blocks: pairs.length, test, change: test.change };
}

/** Stored evidence: this session's head against the nights of the same machine and the same measuring code. */
function storedDraft(base: Draft, observations: Observations, head: readonly number[]): Draft {
  const { rule, variant } = base;
  const { nights, incomparable } = observations;
  const settled = (verdict: Verdict, reason: string): Draft => ({
    ...base,
    settled: verdict,
    warnings: [reason],
  });
  if (incomparable !== undefined) return settled('incomparable', incomparable);
  if (nights.length === 0) return settled('no_baseline', 'there is no stored session to compare with');
  if (head.length === 0) return settled('no_data', `the head has no value of ${rule.name}`);
  const here = nights.filter((night) => night.sameMachine);
  if (here.length === 0)
    return settled('incomparable', `all ${nights.length} stored sessions ran on another kind of machine`);
  const same = here.filter(({ changedFiles }) => changedFiles === null);
  if (same.length === 0)
    return settled(
      'incomparable',
      `the stored sessions ran another workload: ${(here.at(-1)?.changedFiles ?? []).join(', ')} changed`,
    );
  const medians = nightMedians(same, variant, rule.name);
  if (medians.length < NIGHTS_NEEDED)
    return settled(
      'no_baseline',
      `${medians.length} of the ${NIGHTS_NEEDED} stored sessions that judging by them takes`,
    );
  if (!head.every((value) => value > 0))
    return settled('no_data', `${rule.name} has values that are not positive`);
  const test = storedTest(medians, median(head.map(Math.log)), rule);
  return {
    ...base,
    evidence: 'stored',
    baseline: { median: Math.exp(median([...medians])), n: medians.length },
    test,
    change: test.change,
  };
}

/** What kept a variant from being judged by its runs at all. */
function deathOf(
  { failures, runs, nights, evidence }: Observations,
  variant: string,
): { readonly verdict: Verdict; readonly reason: string } | undefined {
  const own = failures.filter((failure) => failure.variant === variant);
  const dead = (side: Side) =>
    runs.find(
      (run) =>
        run.variant === variant && run.side === side && run.outcome !== 'ok' && run.outcome !== 'engine',
    );
  const head = own.find(({ side, stage }) => side === 'head' && stage !== 'engine');
  if (head !== undefined) return { verdict: 'failed', reason: firstLine(head.message) };
  const died = dead('head');
  if (died !== undefined)
    return { verdict: 'failed', reason: `the head's run in block ${died.block} ended as ${died.outcome}` };
  const engine = own.find(({ stage }) => stage === 'engine');
  if (engine !== undefined) return { verdict: 'no_data', reason: firstLine(engine.message) };
  // A baseline that cannot be had or does not run must not block the change that mends it.
  const baseline = own.find(({ side }) => side === 'baseline');
  const fallsBack = evidence === 'auto' && nights.length > 0 && baseline?.stage === 'build';
  if (baseline !== undefined && !fallsBack)
    return { verdict: 'no_baseline', reason: firstLine(baseline.message) };
  const lost = dead('baseline');
  return lost === undefined
    ? undefined
    : {
        verdict: 'no_baseline',
        reason: `the baseline's run in block ${lost.block} ended as ${lost.outcome}`,
      };
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';

const summary = (values: readonly number[]) => ({
  median: values.length === 0 ? null : median([...values]),
  n: values.length,
});

function worst(rows: readonly Row[]): Verdict {
  const found = new Set(rows.map(({ verdict }) => verdict));
  return VERDICTS.find((verdict) => found.has(verdict)) ?? 'no_data';
}

function warningsOf({ nights, secondsLeftOut }: Observations, rows: readonly Row[]): string[] {
  const undecided = rows.filter(({ verdict }) => verdict === 'inconclusive').length;
  const changed = nights.at(-1)?.changedFiles ?? null;
  return [
    ...(undecided > 0 && secondsLeftOut > 0
      ? [
          `The budget left ${undecided} rows undecided; the blocks left out would take about ${Math.ceil(secondsLeftOut / 60)} more minutes.`,
        ]
      : []),
    ...(changed === null
      ? []
      : [`The measuring code changed since the last stored session: ${changed.join(', ')}.`]),
  ];
}
