import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import { headRan } from './blame.ts';
import { finiteExp, nightMedians, NIGHTS_NEEDED, storedNights, storedTest } from '../evidence/pairs.ts';
import { type Level, sinceLastShift } from '../evidence/level-shifts.ts';
import type { Observations } from '../evidence/observations.ts';
import { type UnjudgedRow, withFormula } from './unjudged-row.ts';

/** Rows that are tested against the stored sessions. */

/** Stored evidence: this session's head against the nights of the same machine and the same measuring code. */
export function storedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  observations: Observations,
  head: readonly number[],
): UnjudgedRow {
  const { variant } = base;
  const { nights, incomparable, nightConflicts } = observations;
  const decided = (verdict: Verdict, ...reasons: readonly string[]): UnjudgedRow => ({
    ...base,
    decided: verdict,
    warnings: [...reasons],
  });
  // A head that never ran fails even if there is nothing to compare with.
  if (!headRan(observations, variant))
    return decided(
      'no_data',
      observations.secondsLeftOut > 0
        ? 'the budget left no time for a run of the head'
        : 'no run of the head ended well',
    );
  if (incomparable !== undefined) return decided('incomparable', incomparable);
  if (nights.length === 0) return decided('no_baseline', 'there is no stored session to compare with');
  const conflict = nightConflicts.get(rule.name);
  if (conflict !== undefined) return decided('no_data', `${rule.name} cannot be compared: ${conflict}`);
  if (head.length === 0) return decided('no_data', `the head has no value of ${withFormula(rule)}`);
  const here = nights.filter((night) => night.sameMachine);
  if (here.length === 0)
    return decided('incomparable', `all ${nights.length} stored sessions ran on another kind of machine`);
  const same = here.filter(({ changedFiles }) => changedFiles === null);
  if (same.length === 0)
    return decided(
      'incomparable',
      `the stored sessions ran another workload: ${(here.at(-1)?.changedFiles ?? []).join(', ')} changed`,
    );
  const level = sinceLastShift(same, variant, rule.name);
  const cut = shiftRemarks(level, rule.name);
  const medians = nightMedians(level.nights, variant, rule.name);
  if (medians.length < NIGHTS_NEEDED)
    return decided(
      'no_baseline',
      `${medians.length} of the ${NIGHTS_NEEDED} stored sessions that stored evidence needs`,
      ...cut,
    );
  if (!head.every((value) => value > 0))
    return decided('no_data', `${rule.name} has values that are not positive`);
  const { test, change } = storedTest(medians, median(head.map(Math.log)), rule);
  return {
    ...base,
    evidence: 'stored',
    baseline: { median: finiteExp(median([...medians])), n: medians.length },
    change,
    // The row also shows the nights that judge it.
    stored: storedNights(level.nights, variant, rule.name, []),
    warnings: cut,
    tested: {
      kind: 'stored',
      single: { limit: rule.limit, warn: rule.warn, test },
      advisory: observations.evidence !== 'stored' && here.length < nights.length,
    },
  };
}

/** A remark on nights that are left out because of a level shift. */
const shiftRemarks = ({ shift, nights }: Level, metric: string): string[] =>
  shift === undefined
    ? []
    : [
        `${metric} changed its level${shift.started === '' ? '' : ` on ${shift.started.slice(0, 10)}`} (${shift.change < 0 ? '−' : '+'}${Math.abs(shift.change * 100).toFixed(1)} %), so the ${shift.before} nights before it are left out. The ${nights.length} nights since then count`,
      ];
