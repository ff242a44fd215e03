import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Side } from '../session/run.ts';
import { logRatios, pairsOf } from '../evidence/pairs.ts';
import type { Observations } from '../evidence/observations.ts';
import { looksFor } from '../statistics/looks.ts';
import { boundOutcome, type BoundOutcome } from '../statistics/sign-test.ts';
import { isOutsideTests, type Row } from './comparison.ts';
import type { UnjudgedRow } from './unjudged-row.ts';

/** Judges the absolute bound of a metric: its `max`, or its `min` if higher is better. */

/** The row with the data of its bound, if it has one. */
export function withBound(
  draft: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  values: Readonly<Record<Side, readonly number[]>>,
): UnjudgedRow {
  const kind = rule.max === undefined ? 'min' : 'max';
  const value = rule[kind];
  if (value === undefined || !draft.gated) return draft;
  const some = ({ median }: Row['head']) => (median === null ? [] : [median]);
  const bound = { kind, value, alone: false } as const;
  if (isOutsideTests(draft))
    return {
      ...draft,
      bound: { ...bound, head: some(draft.head), baseline: some(draft.baseline), looks: undefined },
    };
  if (observations.evidence === 'stored' || !observations.twoSided.has(draft.variant))
    return {
      ...draft,
      bound: {
        ...bound,
        ...{ head: values.head, baseline: some(draft.baseline) },
        // The head alone is tested once, with all its runs.
        looks: values.head.length === 0 ? [] : [{ blocks: values.head.length, weight: 1 }],
      },
    };
  const pairs = pairsOf(observations.runs, draft.variant, rule.name);
  const { profile, method, added, addedCap, cap } = observations;
  return {
    ...draft,
    bound: {
      ...bound,
      head: pairs.map(({ head }) => head),
      baseline: pairs.map(({ baseline }) => baseline),
      looks: looksFor(
        profile,
        Math.max(1, (added.has(draft.variant) ? addedCap : cap) ?? pairs.length),
        method,
      ),
      alone:
        draft.decided === 'no_data' &&
        !observations.conflicts.has(rule.name) &&
        logRatios(pairs) === undefined,
    },
  };
}

/**
 * Whether the head is beyond its bound. A baseline whose median is beyond it decides nothing: then the change is not
 * the cause.
 * @param tests in the row's family, which share alpha
 * @returns undefined without a bound or without values
 */
export function boundOf(
  { bound }: Pick<UnjudgedRow, 'bound'>,
  alpha: number,
  tests: number,
): { readonly outcome: BoundOutcome; readonly shown: NonNullable<Row['bound']> } | undefined {
  if (bound === undefined || bound.head.length === 0) return undefined;
  const isBeyond = (value: number) => (bound.kind === 'max' ? value > bound.value : value < bound.value);
  const flags = bound.head.map(isBeyond);
  const baselineBeyond = bound.baseline.length > 0 && isBeyond(median([...bound.baseline]));
  const outcome = baselineBeyond
    ? 'within'
    : bound.looks === undefined
      ? flags.some(Boolean)
        ? 'beyond'
        : 'within'
      : boundOutcome(flags, bound.looks, { share: alpha / Math.max(1, tests), alpha });
  return {
    outcome,
    shown: {
      kind: bound.kind,
      value: bound.value,
      beyond: outcome === 'beyond',
      baselineBeyond,
      runsBeyond: flags.filter(Boolean).length,
      runs: flags.length,
    },
  };
}
