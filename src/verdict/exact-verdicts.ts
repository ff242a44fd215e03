import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import { sign } from '../evidence/pairs.ts';

/** Verdicts on values that are compared directly, without a test. */

/**
 * Compares counts, which vary a little. A change is inconclusive if the sides' counts overlap, or differ by no more
 * than the counts of one side: the workload then differs from itself as much. For such a workload, two counts of each
 * side do not overlap by chance in one of three cases, and differ by such a gap in one of eleven.
 */
export function countedVerdict(
  baseline: readonly number[],
  head: readonly number[],
  rule: MetricRule,
): Verdict {
  const verdict = exactVerdict(median([...baseline]), median([...head]), rule);
  const gap = Math.max(Math.min(...head) - Math.max(...baseline), Math.min(...baseline) - Math.max(...head));
  const range = Math.max(...[baseline, head].map((counts) => Math.max(...counts) - Math.min(...counts)));
  return verdict === 'unchanged' || gap > range ? verdict : 'inconclusive';
}

/** The spread of one side's counts, as a fraction of the smallest; 0 for one count. */
export const spreadOf = (counts: readonly number[]): number => Math.max(...counts) / Math.min(...counts) - 1;

/** Compares values that do not vary: any difference is a change, and the limit decides whether it counts. */
export function exactVerdict(baseline: number, head: number, rule: MetricRule): Verdict {
  if (baseline === head) return 'unchanged';
  if (baseline <= 0 || head <= 0) return sign(rule) * (head - baseline) > 0 ? 'regressed' : 'improved';
  const worse = sign(rule) * Math.log(head / baseline);
  const counts = Math.log1p(rule.limit);
  if (worse >= counts) return 'regressed';
  if (rule.warn !== undefined && worse >= Math.log1p(rule.warn)) return 'warning';
  return -worse >= counts ? 'improved' : 'unchanged';
}
