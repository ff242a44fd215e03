import type { MetricRule } from '../session/metric.ts';
import { type Side, SIDES } from '../session/run.ts';
import type { Verdict } from '../session/rules.ts';
import { deathOf } from './blame.ts';
import { countedVerdict, exactVerdict, spreadOf } from './exact-verdicts.ts';
import { storeConflict } from '../evidence/image-metrics.ts';
import type { Observations } from '../evidence/observations.ts';
import { summary, type UnjudgedRow } from './unjudged-row.ts';

/** Rows that are compared as they are, outside of the family: images, builds and counts. */

/** A judged build that could not be measured must not pass. A variant without an image has no build. */
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
          decided: 'no_data',
          warnings: ['its build was not measured on both sides'],
        },
      ]
    : [];
}

/** Compared directly, outside the family. There is no row if a side has no value. */
export function exactDraft(
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
    return [{ ...base, decided: 'no_data', warnings: [`${base.metric} cannot be compared: ${conflict}`] }];
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
      decided: exactVerdict(baseline, head, rule),
      warnings: varies.map(
        (side) => `${base.metric} should not vary, but varied on the side ${side}; its median is compared`,
      ),
    },
  ];
}

/** At most the largest float. */
const changeOf = (head: number, baseline: number) => Math.min(Number.MAX_VALUE, head / baseline - 1);

/** Valgrind's count. A judged count that is missing must not pass. */
export function countedDraft(base: UnjudgedRow, rule: MetricRule, observations: Observations): UnjudgedRow[] {
  const { imageMetrics, identical, uncounted } = observations;
  const countsOf = (side: Side) =>
    imageMetrics.find(
      (found) => found.variant === base.variant && found.side === side && found.metric === base.metric,
    )?.counts;
  const [baseline, head] = [countsOf('baseline'), countsOf('head')];
  const decided = (verdict: Verdict, reason: string): UnjudgedRow[] => [
    { ...base, decided: verdict, warnings: [reason] },
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
        decided: verdict,
        warnings:
          verdict === 'inconclusive'
            ? [
                `two counts of one side differ by up to ${(spread * 100).toFixed(1)} %, and the sides do not differ by more: this workload does not do the same work in each run`,
              ]
            : [],
      },
    ];
  }
  if (!rule.gate || uncounted === undefined || identical.has(base.variant)) return [];
  const death = deathOf(observations, base.variant);
  if (death !== undefined) return decided(death.verdict, death.reason);
  const reason = uncounted.get(base.variant);
  return reason === undefined
    ? decided('no_baseline', 'there is no second side whose instructions valgrind counted')
    : decided('no_data', firstLine(reason));
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';
