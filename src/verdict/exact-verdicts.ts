import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import { sign } from '../evidence/pairs.ts';

/** Verdicts on figures that are compared as they are, without a test. */

/**
 * Counts of two sides, which vary a little. A change that would count is none where the sides' counts overlap, or lie no
 * further apart than counts of one side: the workload then differs from itself by as much. Of a workload that does, two
 * counts of each side are apart by chance in one of three cases, and by such a gap in one of eleven.
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

/** How far counts of one side lie apart, as a fraction of the least; 0 of one count. */
export const spreadOf = (counts: readonly number[]): number => Math.max(...counts) / Math.min(...counts) - 1;

/** Two figures that do not vary are compared as they are: any change is a change, and the limit says if it counts. */
export function exactVerdict(baseline: number, head: number, rule: MetricRule): Verdict {
  if (baseline === head) return 'unchanged';
  if (baseline <= 0 || head <= 0) return sign(rule) * (head - baseline) > 0 ? 'regressed' : 'improved';
  const worse = sign(rule) * Math.log(head / baseline);
  const counts = Math.log1p(rule.limit);
  if (worse >= counts) return 'regressed';
  return -worse >= counts ? 'improved' : 'unchanged';
}
