import type { MetricRule } from '../session/metric.ts';
import { groupedBy } from '../session/record.ts';
import { isAddedIn, isJudgedIn } from '../session/patterns.ts';
import { type Side, SIDES } from '../session/run.ts';
import { deathOf } from './blame.ts';
import { storedNights, valuesOf } from '../evidence/pairs.ts';
import type { Observations } from '../evidence/observations.ts';
import { summary, type UnjudgedRow } from './unjudged-row.ts';
import { withBound } from './bound.ts';
import { countedDraft, exactDraft } from './exact-rows.ts';
import { pairedDraft } from './paired-row.ts';
import { storedDraft } from './stored-row.ts';

/** All rows: judged metrics, and measured metrics that are not judged. */
export function unjudgedRows(observations: Observations): readonly UnjudgedRow[] {
  const byVariant = groupedBy(observations.runs, ({ variant }) => variant);
  return observations.variants.flatMap((variant) => {
    // A row reads only its own variant's runs, which saves time with a thousand variants.
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
    warn: rule.warn,
    gated: isJudgedIn(rule, variant),
    evidence: 'none',
    baseline: summary(values.baseline),
    head: summary(values.head),
    change: { estimate: null, low: null, high: null },
    blocks: 0,
    stored: storedNights(nights, variant, rule.name, values.baseline),
    warnings: [],
    tested: undefined,
    decided: undefined,
    added: observations.added.has(variant) || isAddedIn(rule, variant),
  };
  return draftsOf(base, rule, observations, values).map((draft) =>
    withBound(draft, rule, observations, values),
  );
}

function draftsOf(
  base: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  values: Readonly<Record<Side, readonly number[]>>,
): UnjudgedRow[] {
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

/** A tested row, over this session's pairs or against the nights; or the reason why there is nothing to test. */
function testedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  values: Readonly<Record<Side, readonly number[]>>,
): UnjudgedRow[] {
  const { variant } = base;
  const { identical, conflicts } = observations;
  // A metric that is neither judged nor measured has no row.
  if (!base.gated && values.baseline.length === 0 && values.head.length === 0) return [];
  const death = deathOf(observations, variant);
  if (death !== undefined) return [{ ...base, decided: death.verdict, warnings: [death.reason] }];
  if (identical.has(variant))
    return [
      { ...base, evidence: 'identical', decided: 'unchanged', change: { estimate: 0, low: 0, high: 0 } },
    ];
  const conflict = conflicts.get(rule.name);
  if (conflict !== undefined)
    return [{ ...base, decided: 'no_data', warnings: [`${rule.name} cannot be compared: ${conflict}`] }];
  if (observations.evidence !== 'stored' && observations.twoSided.has(variant))
    return [pairedDraft(base, rule, observations)];
  return [storedDraft(base, rule, observations, values.head)];
}
