import type { Row } from '../verdict/comparison.ts';
import { metricWords } from '../session/metric-words.ts';
import { DEFAULT_LIMIT, defaultRule, DESCRIBED_METRICS } from '../session/metric.ts';
import { VERDICTS, type Rules, type Verdict } from '../session/rules.ts';
import { PROFILE_SETTINGS } from '../statistics/looks.ts';

export { metricWords };

/** The wording of figures and verdicts, for the comment and the terminal. */

/**
 * The metric of a row. Includes the limit if it is not the default, so that a reader of `unchanged` sees the limit.
 * @param rules the session's rules; undefined if they are unknown, and then the default profile applies
 */
export function judgedMetric(
  {
    metric,
    limit,
    warn,
    bound,
    unit = '',
    gated,
  }: Pick<Row, 'metric' | 'limit' | 'warn' | 'bound' | 'gated'> & Partial<Pick<Row, 'unit'>>,
  rules: Pick<Rules, 'profile'> | undefined,
): string {
  const own = defaultRule(metric, true).limit;
  const byDefault = own === DEFAULT_LIMIT ? PROFILE_SETTINGS[rules?.profile ?? 'balanced'].limit : own;
  const size = (fraction: number) => `${Number((fraction * 100).toPrecision(3))} %`;
  const bounds = [
    ...(Math.abs(limit - byDefault) > 1e-12 ? [`limit ${size(limit)}`] : []),
    ...(warn === undefined ? [] : [`warning from ${size(warn)}`]),
    ...(bound === undefined ? [] : [`${bound.kind} ${quantity(bound.value, unit)}`]),
  ];
  return gated && bounds.length > 0 ? `${metricWords(metric)} (${bounds.join(', ')})` : metricWords(metric);
}

/** The sign of a verdict. The verdict's name always follows, so colour is never the only mark. */
export const SIGNS: Readonly<Record<Verdict | 'info', string>> = {
  failed: '❌',
  regressed: '🔴',
  over_limit: '⛔',
  no_data: '⚠️',
  inconclusive: '🟡',
  incomparable: '⚪',
  no_baseline: '⚪',
  accepted: '🔵',
  warning: '🟠',
  improved: '🟢',
  unchanged: '✅',
  info: '▫️',
};

export const VERDICT_WORDS: Readonly<Record<Verdict | 'info', string>> = {
  failed: 'failed',
  regressed: 'regressed',
  over_limit: 'over limit',
  no_data: 'no data',
  inconclusive: 'inconclusive',
  incomparable: 'incomparable',
  no_baseline: 'no baseline',
  accepted: 'accepted',
  warning: 'warning',
  improved: 'improved',
  unchanged: 'unchanged',
  info: 'not judged',
};

/** Metrics that few readers need: they are in the comment's folded table, and in the session. */
const DETAILS: ReadonlySet<string> = new Set(
  DESCRIBED_METRICS.filter(({ of, gate, name }) => of === 'run' && !gate && name !== 'memory_peak_bytes').map(
    ({ name }) => name,
  ),
);

/** Whether to omit a row if the output cannot fold it, because it is not judged and few readers need it. */
export const isDetail = ({ verdict, metric }: Row): boolean => verdict === 'info' && DETAILS.has(metric);

export interface VerdictSentence {
  /** The meaning of the verdict, and its limits. */
  readonly means: string;
  /** The reader's next step. */
  readonly next: string;
}

/** A sentence for each verdict. Readers need only per cent, and no statistics. */
export const VERDICT_SENTENCES: Readonly<Record<Verdict | 'info', VerdictSentence>> = {
  failed: {
    means:
      'The new code did not build, or the workload crashed, ran out of time or ran out of memory with it.',
    next: 'Fix the cause given here and push again.',
  },
  regressed: {
    means:
      'The new code is worse, by at least the smallest change that counts, and by more than noise explains.',
    next: 'Look for the cause in this change. If the cost is intended, a maintainer can accept it (label "pacegate: accepted").',
  },
  over_limit: {
    means: 'The new code is beyond an absolute bound of the configuration (max or min), and the base is not.',
    next: 'Look for the cause in this change. If the cost is intended, set another bound on the base branch first, or let a maintainer accept it (label "pacegate: accepted").',
  },
  no_data: {
    means: 'There are no figures to judge; this says nothing about the new code.',
    next: 'Read the reason given here, fix the set-up if it is the cause, and run the job again.',
  },
  inconclusive: {
    means:
      'The measurements cannot tell a change that counts from noise: this is neither an alarm nor an all-clear.',
    next: 'If the answer matters, raise the budget, give the workload more to do, or use a quieter machine.',
  },
  incomparable: {
    means:
      'The stored figures come from another machine or another workload, so comparing with them would be a guess.',
    next: 'This change needs no action. For a verdict, measure both sides in one job (evidence: paired) or store nights of this machine and workload.',
  },
  no_baseline: {
    means: 'There is nothing to compare with, so the change is not judged.',
    next: 'This change needs no action. The reason given here lies with the base branch or its history.',
  },
  accepted: {
    means: 'It is worse, and somebody with write access accepted that.',
    next: 'Nothing is left to do.',
  },
  warning: {
    means:
      'The new code is worse by more than noise explains. The loss is large enough to warn and smaller than the limit; one of 5/3 of the limit or more is ruled out.',
    next: 'Look whether this cost is intended. Several small losses add up.',
  },
  improved: {
    means:
      'The new code is better, by at least the smallest change that counts, and by more than noise explains.',
    next: 'Nothing is left to do.',
  },
  unchanged: {
    means:
      'No loss that matters: where a change counts from 3 %, one of 5 % or more is ruled out (always 5/3 of what counts). Smaller changes are possible. Figures that do not vary, such as an image’s size, are compared exactly.',
    next: 'Nothing is left to do.',
  },
  info: {
    means: 'Measured and shown, but not judged: it neither raises an alarm nor rules one out.',
    next: 'To have it judged, set gate: true for the metric.',
  },
};

const number = (value: number, digits: number) => value.toFixed(digits).replace('-', '−');

/** Above this size the digits of a change are meaningless. */
const PER_CENT_AT_MOST = 1_000_000;

/** +21.3 %, −0.4 %, ±0.0 %, over +1000000 %. */
export function percent(fraction: number | null): string {
  if (fraction === null) return '–';
  const value = fraction * 100;
  if (Math.abs(value) >= PER_CENT_AT_MOST) return `over ${value > 0 ? '+' : '−'}${PER_CENT_AT_MOST} %`;
  const text = number(Math.abs(value), Math.abs(value) >= 100 ? 0 : 1);
  if (Number(text) === 0) return '±0.0 %';
  return `${value > 0 ? '+' : '−'}${text} %`;
}

/** 3 %, 4.1 %: a size without a sign. */
export const share = (fraction: number): string => `${Number((Math.abs(fraction) * 100).toFixed(1))} %`;

/** +21.3 % (+19.8 … +22.9). */
export function change({ evidence, change: { estimate, low, high } }: Row): string {
  if (evidence === 'identical') return 'identical image';
  if (estimate === null) return '–';
  if (evidence === 'deterministic') return `${percent(estimate)} (exact)`;
  if (evidence === 'counted') return `${percent(estimate)} (counted)`;
  if (evidence === 'once') return `${percent(estimate)} (one build each)`;
  const bound = (fraction: number) => percent(fraction).replace(' %', '');
  return low === null || high === null
    ? `${percent(estimate)} (no interval)`
    : `${percent(estimate)} (${bound(low)} … ${bound(high)})`;
}

/** A value with a suitable unit. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return '–';
  if (unit === 's') {
    const size = Math.abs(value);
    if (size > 0 && size < 1e-3) return `${significant(value * 1e6)} µs`;
    return size < 1 ? `${significant(value * 1e3)} ms` : `${significant(value)} s`;
  }
  if (unit === 'bytes') {
    const steps = ['B', 'KiB', 'MiB', 'GiB'];
    const step = value === 0 ? 0 : Math.min(3, Math.max(0, Math.floor(Math.log2(Math.abs(value)) / 10)));
    return `${significant(value / 1024 ** step)} ${steps[step] ?? 'B'}`;
  }
  // Large counts get a prefix. The metric's name contains the unit.
  if (unit === 'instructions' || unit === 'cycles') {
    const steps = ['', ' k', ' M', ' G', ' T'];
    const step = value < 1 ? 0 : Math.min(steps.length - 1, Math.floor(Math.log10(value) / 3));
    return `${significant(value / 1000 ** step)}${steps[step] ?? ''}`;
  }
  if (unit === 'layers') return `${value} ${value === 1 ? 'layer' : 'layers'}`;
  return `${significant(value)}${unit === '' ? '' : ` ${unit}`}`;
}

/** Four significant digits, without an exponent in the usual range. */
function significant(value: number): string {
  if (value === 0) return '0';
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size < -4 || size > 8) return value.toExponential(2);
  return size >= 4 ? Math.round(value).toString() : value.toFixed(Math.max(0, 3 - size));
}

/** The p of the estimate's direction. */
export function pValue(row: Row, which: 'p' | 'pAdjusted'): string {
  const grew = (row.change.estimate ?? 0) > 0;
  const p = (grew === (row.direction === 'lower') ? row.worse : row.better)[which];
  if (p === null) return '–';
  if (p < 0.001) return '< 0.001';
  return p > 0.999 ? '1' : p.toFixed(3);
}

/** 1 run, 2 runs. */
export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** a, b and c; of a long list the first ones and the number of others. */
export function listed(items: readonly string[], most = 6): string {
  const shown = items.length <= most ? items : [...items.slice(0, most), `${items.length - most} more`];
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** Worst first, then in the plan's order; rows that are not judged come last. */
export function sorted(rows: readonly Row[]): readonly Row[] {
  const order: readonly (Verdict | 'info')[] = [...VERDICTS, 'info'];
  return rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => order.indexOf(a.row.verdict) - order.indexOf(b.row.verdict) || a.index - b.index)
    .map(({ row }) => row);
}
