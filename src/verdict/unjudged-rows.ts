import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import { groupedBy } from '../session/record.ts';
import { isAddedIn, isJudgedIn, standsForNothing } from '../session/patterns.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Verdict } from '../session/rules.ts';
import { looksFor, type Look } from '../statistics/looks.ts';
import type { RowSeries, SingleTest } from '../statistics/sequential.ts';
import { twoModes } from '../statistics/two-modes.ts';
import { deathOf, headRan } from './blame.ts';
import type { Row } from './comparison.ts';
import { countedVerdict, exactVerdict, spreadOf } from './exact-verdicts.ts';
import {
  finiteExp,
  logRatios,
  nightMedians,
  NIGHTS_NEEDED,
  pairedChange,
  pairsOf,
  sign,
  storedNights,
  storedTest,
  valuesOf,
  type Pair,
} from '../evidence/pairs.ts';
import { storeConflict } from '../evidence/image-metrics.ts';
import { sinceLastShift, type Level } from '../evidence/level-shifts.ts';
import type { Observations } from '../evidence/observations.ts';

/** A row before the family's correction: with what it is tested by, or settled from outside the test. */
export type UnjudgedRow = Omit<Row, 'verdict' | 'worse' | 'better' | 'detectable' | 'confirmation'> & {
  readonly tested: Tested | undefined;
  readonly settled: Verdict | undefined;
  /** What a change adds, a variant or a benchmark, is in a family of its own. */
  readonly added: boolean;
};

export type Tested =
  | {
      readonly kind: 'paired';
      readonly pairs: readonly Pair[];
      readonly ratios: Float64Array;
      readonly series: RowSeries;
      readonly looks: readonly Look[];
    }
  | {
      readonly kind: 'stored';
      readonly single: SingleTest;
      /** Stored sessions judge only where the machine stays the same, or where they were asked to. */
      readonly advisory: boolean;
    };

/** Every row there is: what is gated, and what was measured although nobody judges it. */
export function unjudgedRows(observations: Observations): readonly UnjudgedRow[] {
  const byVariant = groupedBy(observations.runs, ({ variant }) => variant);
  return observations.variants.flatMap((variant) => {
    // A row looks at its own variant's runs alone: with a thousand variants the others are what takes time.
    const own = { ...observations, runs: byVariant.get(variant) ?? [] };
    return observations.metrics.flatMap((rule) => draftRow(own, variant, rule));
  });
}

function draftRow(observations: Observations, variant: string, rule: MetricRule): UnjudgedRow[] {
  const { runs, nights } = observations;
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
  const base: UnjudgedRow = {
    variant,
    metric: rule.name,
    unit: rule.unit,
    direction: rule.better,
    limit: rule.limit,
    gated: isJudgedIn(rule, variant),
    evidence: 'none',
    baseline: summary(values.baseline),
    head: summary(values.head),
    change: { estimate: null, low: null, high: null },
    blocks: 0,
    stored: storedNights(nights, variant, rule.name, values.baseline),
    warnings: [],
    tested: undefined,
    settled: undefined,
    added: observations.added.has(variant) || isAddedIn(rule, variant),
  };
  switch (rule.kind) {
    case 'counted':
      return countedDraft(base, rule, observations);
    case 'exact':
    case 'once':
      return exactDraft(base, rule, observations, values);
    case 'paired':
      return testedDraft(base, rule, observations, values);
  }
}

/** A row that is tested, over this session's pairs or against the stored sessions; or what leaves nothing to test. */
function testedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  values: Readonly<Record<Side, readonly number[]>>,
): UnjudgedRow[] {
  const { variant } = base;
  const { identical, conflicts } = observations;
  // What nobody judges and nobody measured is no row.
  if (!base.gated && values.baseline.length === 0 && values.head.length === 0) return [];
  const death = deathOf(observations, variant);
  if (death !== undefined) return [{ ...base, settled: death.verdict, warnings: [death.reason] }];
  if (identical.has(variant))
    return [
      { ...base, evidence: 'identical', settled: 'unchanged', change: { estimate: 0, low: 0, high: 0 } },
    ];
  const conflict = conflicts.get(rule.name);
  if (conflict !== undefined)
    return [{ ...base, settled: 'no_data', warnings: [`${rule.name} cannot be compared: ${conflict}`] }];
  if (observations.evidence !== 'stored' && observations.twoSided.has(variant))
    return [pairedDraft(base, rule, observations)];
  return [storedDraft(base, rule, observations, values.head)];
}

/** A build that is judged and could not be measured must not pass; a variant without an image has none. */
function buildNotMeasured(
  base: UnjudgedRow,
  rule: MetricRule,
  imageMetrics: Observations['imageMetrics'],
): UnjudgedRow[] {
  const hasImage = imageMetrics.some(({ variant }) => variant === base.variant);
  return rule.kind === 'once' && rule.gate && hasImage
    ? [
        {
          ...base,
          evidence: 'once',
          settled: 'no_data',
          warnings: ['its build was not measured on both sides'],
        },
      ]
    : [];
}

/** Compared as it is, outside the family; no row where a side has no figure, for then there is nothing to compare. */
function exactDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  { imageMetrics, identical }: Observations,
  values: Readonly<Record<Side, readonly number[]>>,
): UnjudgedRow[] {
  const figureOf = (side: Side) =>
    imageMetrics.find(
      (found) => found.variant === base.variant && found.side === side && found.metric === base.metric,
    );
  const valueOf = (side: Side) => figureOf(side)?.value ?? base[side].median;
  const [baseline, head] = [valueOf('baseline'), valueOf('head')];
  const conflict = storeConflict(figureOf('baseline'), figureOf('head'));
  if (conflict !== undefined)
    return [{ ...base, settled: 'no_data', warnings: [`${base.metric} cannot be compared: ${conflict}`] }];
  if (baseline === null || head === null)
    return identical.has(base.variant) ? [] : buildNotMeasured(base, rule, imageMetrics);
  const estimate = baseline > 0 ? changeOf(head, baseline) : null;
  const varies = SIDES.filter((side) => new Set(values[side]).size > 1);
  return [
    {
      ...base,
      evidence: identical.has(base.variant) ? 'identical' : rule.kind === 'once' ? 'once' : 'deterministic',
      baseline: { median: baseline, n: Math.max(1, values.baseline.length) },
      head: { median: head, n: Math.max(1, values.head.length) },
      change: { estimate, low: estimate, high: estimate },
      settled: exactVerdict(baseline, head, rule),
      warnings: varies.map(
        (side) => `${base.metric} should not vary, and did on the side ${side}; its median is compared`,
      ),
    },
  ];
}

/** What no float can be is the largest one. */
const changeOf = (head: number, baseline: number) => Math.min(Number.MAX_VALUE, head / baseline - 1);

/** What valgrind counted; a count that is judged and was not made must not pass. */
function countedDraft(base: UnjudgedRow, rule: MetricRule, observations: Observations): UnjudgedRow[] {
  const { imageMetrics, identical, uncounted } = observations;
  const countsOf = (side: Side) =>
    imageMetrics.find(
      (found) => found.variant === base.variant && found.side === side && found.metric === base.metric,
    )?.counts;
  const [baseline, head] = [countsOf('baseline'), countsOf('head')];
  const settled = (verdict: Verdict, reason: string): UnjudgedRow[] => [
    { ...base, settled: verdict, warnings: [reason] },
  ];
  if (baseline !== undefined && head !== undefined) {
    const [from, to] = [summary(baseline), summary(head)];
    const estimate = changeOf(to.median ?? 0, from.median ?? 0);
    const verdict = countedVerdict(baseline, head, rule);
    const spread = Math.max(spreadOf(baseline), spreadOf(head));
    return [
      {
        ...base,
        evidence: 'counted',
        baseline: from,
        head: to,
        change: { estimate, low: estimate, high: estimate },
        settled: verdict,
        warnings:
          verdict === 'inconclusive'
            ? [
                `two counts of one side differ by up to ${(spread * 100).toFixed(1)} %, and the sides by no more: this workload does not do the same work every time`,
              ]
            : [],
      },
    ];
  }
  if (!rule.gate || uncounted === undefined || identical.has(base.variant)) return [];
  const death = deathOf(observations, base.variant);
  if (death !== undefined) return settled(death.verdict, death.reason);
  const reason = uncounted.get(base.variant);
  return reason === undefined
    ? settled('no_baseline', 'there is no second side here of which valgrind counted the instructions')
    : settled('no_data', firstLine(reason));
}

function pairedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  { runs, secondsLeftOut, profile, cap: capOfBase, added, addedCap }: Observations,
): UnjudgedRow {
  const pairs = pairsOf(runs, base.variant, rule.name);
  if (pairs.length === 0 && secondsLeftOut > 0)
    return { ...base, settled: 'no_data', warnings: ['the budget left no time for a pair'] };
  if (pairs.length === 0)
    return {
      ...base,
      settled: 'no_data',
      warnings: [
        standsForNothing(rule)
          ? `no metric that the workload reported on both sides is judged by it (measured ones, such as wall_time_s, never are)`
          : `no block has ${withFormula(rule)} on both sides`,
      ],
    };
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
  const cap = added.has(base.variant) ? addedCap : capOfBase;
  const looks = looksFor(profile, cap ?? pairs.length);
  const series: RowSeries = {
    worse: ratios.map((ratio) => sign(rule) * ratio),
    limit: rule.limit,
    at: pairs.map(({ block }) => block),
    looks,
  };
  return {
    ...base,
    evidence: 'paired',
    blocks: pairs.length,
    tested: { kind: 'paired', pairs, ratios, series, looks },
    warnings: SIDES.flatMap((side) => modesOf(pairs, side)),
  };
}

/** A hybrid that no run has is one of whose parts no run has: the reader needs to see which these are. */
const withFormula = ({ name, formula }: MetricRule) =>
  formula === undefined ? name : `${name} (${formula})`;

/** The figures of a paired row as they were when the look that settled it had them. */
export function pairedFigures(
  { pairs, ratios, looks }: Extract<Tested, { kind: 'paired' }>,
  blocks: number,
): Pick<Row, 'baseline' | 'head' | 'change' | 'blocks'> {
  const used = pairs.slice(0, blocks);
  return {
    baseline: summary(used.map(({ baseline }) => baseline)),
    head: summary(used.map(({ head }) => head)),
    change: pairedChange(ratios, blocks, looks.length),
    blocks,
  };
}

/** A side whose values fall into two groups: its median may jump between them from session to session. */
function modesOf(pairs: readonly Pair[], side: Side): string[] {
  const values = pairs.map((pair) => pair[side]);
  const modes = values.every((value) => value > 0) ? twoModes(values) : undefined;
  if (modes === undefined) return [];
  const { low, high } = modes;
  const apart = (Math.min(1e6, high.centre / low.centre - 1) * 100).toFixed(1);
  return [
    `the ${side}'s runs fall into two groups ${apart} % apart, ${low.n} low and ${high.n} high: something is on in some runs and off in others (a cache, a processor's clock), and the median can jump between them`,
  ];
}

/** Stored evidence: this session's head against the nights of the same machine and the same measuring code. */
function storedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  head: readonly number[],
): UnjudgedRow {
  const { variant } = base;
  const { nights, incomparable, nightConflicts } = observations;
  const settled = (verdict: Verdict, ...reasons: readonly string[]): UnjudgedRow => ({
    ...base,
    settled: verdict,
    warnings: [...reasons],
  });
  // Nothing to compare with excuses no head that never ran.
  if (!headRan(observations, variant))
    return settled(
      'no_data',
      observations.secondsLeftOut > 0
        ? 'the budget left no time for a run of the head'
        : 'no run of the head ended well',
    );
  if (incomparable !== undefined) return settled('incomparable', incomparable);
  if (nights.length === 0) return settled('no_baseline', 'there is no stored session to compare with');
  const conflict = nightConflicts.get(rule.name);
  if (conflict !== undefined) return settled('no_data', `${rule.name} cannot be compared: ${conflict}`);
  if (head.length === 0) return settled('no_data', `the head has no value of ${withFormula(rule)}`);
  const here = nights.filter((night) => night.sameMachine);
  if (here.length === 0)
    return settled('incomparable', `all ${nights.length} stored sessions ran on another kind of machine`);
  const same = here.filter(({ changedFiles }) => changedFiles === null);
  if (same.length === 0)
    return settled(
      'incomparable',
      `the stored sessions ran another workload: ${(here.at(-1)?.changedFiles ?? []).join(', ')} changed`,
    );
  const level = sinceLastShift(same, variant, rule.name);
  const cut = shiftRemarks(level, rule.name);
  const medians = nightMedians(level.nights, variant, rule.name);
  if (medians.length < NIGHTS_NEEDED)
    return settled(
      'no_baseline',
      `${medians.length} of the ${NIGHTS_NEEDED} stored sessions that judging by them takes`,
      ...cut,
    );
  if (!head.every((value) => value > 0))
    return settled('no_data', `${rule.name} has values that are not positive`);
  const { test, change } = storedTest(medians, median(head.map(Math.log)), rule);
  return {
    ...base,
    evidence: 'stored',
    baseline: { median: finiteExp(median([...medians])), n: medians.length },
    change,
    // Beside the row stand the nights that judge it.
    stored: storedNights(level.nights, variant, rule.name, []),
    warnings: cut,
    tested: {
      kind: 'stored',
      single: { limit: rule.limit, test },
      advisory: observations.evidence !== 'stored' && here.length < nights.length,
    },
  };
}

/** A word on nights that were left out because the baseline's level has moved since. */
const shiftRemarks = ({ shift, nights }: Level, metric: string): string[] =>
  shift === undefined
    ? []
    : [
        `${metric} went to another level${shift.started === '' ? '' : ` on ${shift.started.slice(0, 10)}`} (${shift.change < 0 ? '−' : '+'}${Math.abs(shift.change * 100).toFixed(1)} %), so the ${shift.before} nights before it are left out and the ${nights.length} since then count`,
      ];

const firstLine = (text: string) => text.split('\n')[0] ?? '';

const summary = (values: readonly number[]) => ({
  median: values.length === 0 ? null : finiteMedian(values),
  n: values.length,
});

/** The mean of the two in the middle is finite where they are, however large. */
function finiteMedian(values: readonly number[]): number {
  const found = median([...values]);
  return Number.isFinite(found) ? found : 2 * median(values.map((value) => value / 2));
}
