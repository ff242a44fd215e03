import type { Comparison, Row } from '../compare/comparison.ts';
import type { Verdict } from '../session/rules.ts';

/** How figures and verdicts are said to people; the same words in the comment and on the terminal. */

const METRIC_WORDS: Readonly<Record<string, string>> = {
  wall_time_s: 'wall time',
  cpu_time_s: 'CPU time',
  max_rss_bytes: 'max RSS',
  memory_peak_bytes: 'memory peak',
  image_size_bytes: 'image size',
};

export const metricWords = (metric: string): string => METRIC_WORDS[metric] ?? metric;

/** The sign that leads a verdict. Never colour alone: the word always stands beside it. */
export const SIGNS: Readonly<Record<Verdict | 'info', string>> = {
  failed: '❌',
  regressed: '🔴',
  no_data: '⚠️',
  inconclusive: '🟡',
  incomparable: '⚪',
  no_baseline: '⚪',
  accepted: '🔵',
  improved: '🟢',
  unchanged: '✅',
  info: '▫️',
};

export const VERDICT_WORDS: Readonly<Record<Verdict | 'info', string>> = {
  failed: 'failed',
  regressed: 'regressed',
  no_data: 'no data',
  inconclusive: 'not decided',
  incomparable: 'incomparable',
  no_baseline: 'no baseline',
  accepted: 'accepted',
  improved: 'improved',
  unchanged: 'unchanged',
  info: 'not judged',
};

/** What each verdict means, for a reader who is no statistician. */
export const VERDICT_SENTENCES: Readonly<Record<Verdict | 'info', string>> = {
  failed: 'The head did not build, or its workload died, ran out of time or out of memory.',
  regressed:
    'The head is worse by at least what counts, and chance alone would show this in fewer than 1 of 20 whole reports.',
  no_data: 'Nothing could be measured, for a reason that is not the workload’s.',
  inconclusive:
    'The measurements allow both a change that counts and none. This is no sign of a regression; more blocks would decide it.',
  incomparable:
    'There are stored figures, of another machine or another workload: comparing them would be a guess.',
  no_baseline: 'There is nothing to compare with yet. This does not block.',
  accepted: 'A regression that somebody with write access accepted.',
  improved: 'The head is better by at least what counts, as surely as a regression would be said.',
  unchanged: 'A change as large as 5/3 of what counts is ruled out, or both images are identical.',
  info: 'Shown for orientation, outside the test.',
};

const number = (value: number, digits: number) => value.toFixed(digits).replace('-', '−');

/** +21.3 %, −0.4 %, ±0.0 %. */
export function percent(fraction: number | null): string {
  if (fraction === null) return '–';
  const value = fraction * 100;
  const text = number(Math.abs(value), Math.abs(value) >= 100 ? 0 : 1);
  if (Number(text) === 0) return '±0.0 %';
  return `${value > 0 ? '+' : '−'}${text} %`;
}

/** +21.3 % (+19.8 … +22.9). */
export function change({ change: { estimate, low, high } }: Row): string {
  if (estimate === null) return '–';
  const bound = (fraction: number) => percent(fraction).replace(' %', '');
  return low === null || high === null
    ? `${percent(estimate)} (no interval)`
    : `${percent(estimate)} (${bound(low)} … ${bound(high)})`;
}

/** A value with a unit that suits its size. */
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
  return `${significant(value)}${unit === '' ? '' : ` ${unit}`}`;
}

/** Four significant digits, without an exponent in the range that people write out. */
function significant(value: number): string {
  if (value === 0) return '0';
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size < -4 || size > 8) return value.toExponential(2);
  return size >= 4 ? Math.round(value).toString() : value.toFixed(Math.max(0, 3 - size));
}

/** The adjusted p of the direction that the estimate points to. */
export function adjustedP(row: Row): string {
  const { estimate } = row.change;
  const grew = (estimate ?? 0) > 0;
  const towardsWorse = grew === (row.direction === 'lower');
  const p = towardsWorse ? row.worse.pAdjusted : row.better.pAdjusted;
  if (p === null) return '–';
  if (p < 0.001) return '< 0.001';
  return p > 0.999 ? '1' : p.toFixed(3);
}

/** 1 run, 2 runs. */
export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** One line that says it all. `name` writes a variant's name safely for where the line will stand. */
export function headline({ verdict, rows }: Comparison, name: (text: string) => string): string {
  const gated = rows.filter((row) => row.gated);
  const of = (...verdicts: Verdict[]) =>
    gated.filter((row) => row.verdict !== 'info' && verdicts.includes(row.verdict));
  const checks = (some: readonly Row[]) => `${some.length} of ${count(gated.length, 'check')}`;
  const variants = (some: readonly Row[]) =>
    [...new Set(some.map((row) => row.variant))].map(name).join(', ');
  const largest = (some: readonly Row[]) => {
    const size = (row: Row) => Math.abs(Math.log1p(row.change.estimate ?? 0));
    const [first] = [...some].sort((a, b) => size(b) - size(a));
    return first === undefined ? '' : `${name(first.variant)} ${metricWords(first.metric)} ${change(first)}`;
  };
  const regressed = of('regressed');
  const alsoRegressed =
    regressed.length === 0 ? '' : `; ${checks(regressed)} regressed: ${largest(regressed)}`;
  switch (verdict) {
    case 'failed':
      return `${variants(of('failed'))} could not be measured${alsoRegressed}`;
    case 'regressed':
      return regressed.length === 1
        ? `regressed: ${largest(regressed)}`
        : `${checks(regressed)} regressed, the most: ${largest(regressed)}`;
    case 'no_data':
      return gated.length === 0
        ? 'nothing was measured'
        : `no data for ${variants(of('no_data'))}${alsoRegressed}`;
    case 'inconclusive':
      return `${checks(of('inconclusive'))} not decided, no regression shown${
        of('improved').length > 0 ? `; ${checks(of('improved'))} improved` : ''
      }`;
    case 'incomparable':
      return `${checks(of('incomparable'))} incomparable with what is stored; nothing blocks`;
    case 'no_baseline':
      return `no baseline to compare ${checks(of('no_baseline'))} with; nothing blocks`;
    case 'accepted':
      return `${checks(of('accepted'))} regressed and accepted`;
    case 'improved':
      return `${checks(of('improved'))} improved, the most: ${largest(of('improved'))}`;
    case 'unchanged':
      return gated.every((row) => row.evidence === 'identical')
        ? `identical images, so nothing was measured (${count(new Set(gated.map((row) => row.variant)).size, 'variant')})`
        : `unchanged in ${count(gated.length, 'check')}`;
  }
}

/** Worst first, then the plan's order; what is not judged comes last. */
export function sorted(rows: readonly Row[]): readonly Row[] {
  const order: readonly (Verdict | 'info')[] = [
    'failed',
    'regressed',
    'no_data',
    'inconclusive',
    'incomparable',
    'no_baseline',
    'accepted',
    'improved',
    'unchanged',
    'info',
  ];
  return rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => order.indexOf(a.row.verdict) - order.indexOf(b.row.verdict) || a.index - b.index)
    .map(({ row }) => row);
}
