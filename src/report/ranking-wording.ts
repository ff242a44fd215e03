import { PER_TASK } from '../ranking/values.ts';
import type { Property } from '../session/facts.ts';
import type { RankedMetric, RankedVariant, Ranking, RankRow, RankVerdict } from '../session/ranking.ts';
import { MARGIN } from '../statistics/sequential.ts';
import type { Name } from './escape.ts';
import { count, listed, metricWords, percent, quantity, share } from './verdict-wording.ts';
import { duration } from './durations.ts';

/** The wording of a ranking, for Markdown and the terminal. */

export const RANK_WORDS: Readonly<Record<RankVerdict, string>> = {
  better: 'better',
  worse: 'worse',
  same: 'same',
  undecided: 'undecided',
  shown: '',
  no_data: 'no data',
};

export const rowOf = ({ rows }: RankedVariant, metric: string): RankRow | undefined =>
  rows.find((row) => row.metric === metric);

/** If nothing counts tasks, a run is the unit. */
const taskWord = ({ work }: Ranking) => (work === null ? 'run' : 'task');

/** A metric's name in a ranking. */
export function rankMetricWords(ranking: Ranking, metric: string): string {
  const task = taskWord(ranking);
  switch (metric) {
    case 'work_per_minute':
      return `${ranking.work ?? 'runs'} a minute`;
    case 'cpu_time_s_per_work':
      return `CPU a ${task}`;
    case 'max_rss_bytes_per_work':
      return `memory a ${task}`;
    default:
      return metricWords(metric);
  }
}

/** The CPU metric: if a run is the unit, the run's own figure, which was tested. */
export const cpuMetric = ({ work }: Ranking) =>
  work === null ? PER_TASK.cpu_time_s_per_work : 'cpu_time_s_per_work';
const paceMetric = ({ work }: Ranking) => (work === null ? PER_TASK.work_per_minute : 'work_per_minute');

/** The tested metrics, the most important first. */
export function testedMetrics(ranking: Ranking): readonly RankedMetric[] {
  const order = [cpuMetric(ranking), paceMetric(ranking), 'max_rss_bytes', 'max_rss_bytes_per_work'];
  const place = ({ name }: RankedMetric) => (order.indexOf(name) + order.length + 1) % (order.length + 1);
  return ranking.metrics
    .filter(({ kind }) => kind === 'tested')
    .map((metric, index) => ({ metric, index }))
    .sort((a, b) => place(a.metric) - place(b.metric) || a.index - b.index)
    .map(({ metric }) => metric);
}

/** −12.1 % (−15.0 … −9.2) better. */
export function differenceWords(row: RankRow | undefined): string {
  if (row === undefined) return '–';
  const { estimate, low, high } = row.change;
  if (estimate === null) return row.verdict === 'no_data' ? 'no data' : '–';
  const bound = (fraction: number) => percent(fraction).replace(' %', '');
  const interval = low === null || high === null ? 'no interval' : `${bound(low)} … ${bound(high)}`;
  return `${percent(estimate)} (${interval}) ${RANK_WORDS[row.verdict]}`.trimEnd();
}

/** 12 % less CPU a task (9 to 15 %). */
function differencePhrase(
  ranking: Ranking,
  { metric, change: { estimate, low, high } }: RankRow,
  name: Name,
): string {
  const more = (estimate ?? 0) > 0;
  // Both bounds have the estimate's sign, so the direction is shown.
  const bounds = [low, high].map((bound) => (bound === null ? undefined : share(bound)));
  const [near, far] = more ? bounds : [...bounds].reverse();
  const interval = near === undefined || far === undefined ? '' : ` (${near.replace(' %', '')} to ${far})`;
  return `${share(estimate ?? 0)} ${more ? 'more' : 'less'} ${nameOf(ranking, metric, name)}${interval}`;
}

/** A business metric's name comes from the workload, so it is escaped. */
const nameOf = (ranking: Ranking, metric: string, name: Name) => name(rankMetricWords(ranking, metric));

const HOURS = 1000;

/** 1,000 CPU hours become 880 (850 to 910). */
function hours({ change: { estimate, low, high } }: RankRow): string {
  const become = (fraction: number) => Math.round(HOURS * (1 + fraction)).toLocaleString('en-US');
  const interval = low === null || high === null ? '' : ` (${become(low)} to ${become(high)})`;
  return `${HOURS.toLocaleString('en-US')} CPU hours become ${become(estimate ?? 0)}${interval}`;
}

/** A build is measured once, under unknown load of machine and mirrors, so a smaller ratio is not reported. */
const BUILD_COUNTS = 1.25;

/** The costs and savings of moving to a variant, as far as they are decided; undefined if none is. */
function moveSentence(ranking: Ranking, to: RankedVariant, text: Name, name: Name): string | undefined {
  const from = ranking.variants.find(({ variant }) => variant === ranking.reference);
  if (from === undefined) return undefined;
  const tested = testedMetrics(ranking).flatMap(({ name: metric }) => rowOf(to, metric) ?? []);
  const differs = tested.filter(({ verdict }) => verdict === 'better' || verdict === 'worse');
  const same = tested.filter(({ verdict }) => verdict === 'same');
  const parts = [
    ...differs.map(
      (row) =>
        differencePhrase(ranking, row, text) + (row.metric === cpuMetric(ranking) ? `: ${hours(row)}` : ''),
    ),
    ...(same.length === 0
      ? []
      : [`no difference that matters in ${listed(same.map(({ metric }) => nameOf(ranking, metric, text)))}`]),
    ...sizePart(from, to),
    ...buildPart(from, to),
  ];
  if (differs.length + same.length === 0) return undefined;
  return `Moving from ${name(from.variant)} to ${name(to.variant)}: ${parts.join('; ')}.`;
}

function sizePart(from: RankedVariant, to: RankedVariant): string[] {
  const [before, after] = [from, to].map((one) => rowOf(one, 'image_size_bytes'));
  if (after?.verdict !== 'better' && after?.verdict !== 'worse') return [];
  const difference = (after.median ?? 0) - (before?.median ?? 0);
  return [`image ${difference > 0 ? '+' : '−'}${quantity(Math.abs(difference), 'bytes')}`];
}

function buildPart({ build: before }: RankedVariant, { build: after }: RankedVariant): string[] {
  if (before === null || after === null) return [];
  const [less, more] = [before.seconds, after.seconds].sort((a, b) => a - b);
  if (less === undefined || more === undefined || more < BUILD_COUNTS * less) return [];
  return [
    `the build takes ${duration(after.seconds)} instead of ${duration(before.seconds)} (one build each)`,
  ];
}

/** The decided differences, for readers without statistics. Undecided ones are left out. */
export function moveSentences(ranking: Ranking, text: Name, name: Name): string[] {
  const others = ranking.variants.filter(
    ({ variant, failure }) => variant !== ranking.reference && failure === null,
  );
  const open = others.filter((one) => {
    const tested = testedMetrics(ranking).flatMap(({ name: metric }) => rowOf(one, metric) ?? []);
    return tested.every(({ verdict }) => verdict === 'undecided' || verdict === 'no_data');
  });
  return [
    ...others.flatMap((one) => moveSentence(ranking, one, text, name) ?? []),
    ...(open.length === 0
      ? []
      : [
          `No decision between ${name(ranking.reference)} and ${listed(open.map(({ variant }) => name(variant)))}: the difference is too small, or the noise too large, for these blocks.`,
        ]),
  ];
}

/** A one-line summary. */
export function rankHeadline(ranking: Ranking, name: Name): string {
  const { variants, reference } = ranking;
  const failed = variants.filter(({ failure }) => failure !== null).map(({ variant }) => name(variant));
  const others = variants.filter(({ variant, failure }) => variant !== reference && failure === null);
  const cpu = rankMetricWords(ranking, cpuMetric(ranking));
  const rowsOf = (verdict: RankVerdict) =>
    others.filter((one) => rowOf(one, cpuMetric(ranking))?.verdict === verdict);
  const [best] = rowsOf('better');
  const change = best === undefined ? null : (rowOf(best, cpuMetric(ranking))?.change.estimate ?? null);
  const said =
    best !== undefined && change !== null
      ? `${name(best.variant)} takes ${share(change)} less ${cpu} than ${name(reference)}`
      : rowsOf('worse').length + rowsOf('same').length === others.length
        ? `none of ${count(others.length, 'other variant')} takes less ${cpu} than ${name(reference)}`
        : `no variant was shown to take less ${cpu} than ${name(reference)}`;
  return [...(failed.length === 0 ? [] : [`${failed.join(', ')} could not be measured`]), said].join('; ');
}

/** The observed properties of each interpreter. Columns without data are left out. */
export const OBSERVED: readonly (readonly [Property, string])[] = [
  ['pgo', 'PGO'],
  ['lto', 'LTO'],
  ['bolt', 'BOLT'],
  ['march', '-march'],
  ['shared_libpython', 'shared libpython'],
  ['jit', 'JIT'],
  ['tail_call', 'tail calls'],
];

/** How the ranking was computed, in one sentence for each part. */
export function methodSentences(ranking: Ranking, nights: number): string[] {
  const { family, metrics, work } = ranking;
  const limits = [...new Set(metrics.filter(({ kind }) => kind === 'tested').map(({ limit }) => limit))];
  const blocks = ranking.variants.flatMap(({ rows }) => rows.map((row) => row.blocks)).filter((n) => n > 0);
  const [least, most] = [Math.min(...blocks), Math.max(...blocks)];
  const range =
    blocks.length === 0 ? 'no block' : least === most ? count(most, 'block') : `${least} to ${most} blocks`;
  return [
    `Each block ran every variant in random order, each run fresh. Differences are between runs of one block (${range}${nights > 1 ? ` of ${nights} nights` : ''}), so the state of the machine affects both. Hodges-Lehmann with 95 % intervals, exact signed-rank tests, Holm over ${count(family.tests, 'test')}: a risk of ${share(family.alpha)} at most that any better or worse here is false.`,
    `Better and worse: by ${limits.map(share).join(' or ')} or more. Same: no difference that matters; one of ${limits.map((limit) => share(MARGIN * limit)).join(' or ')} is ruled out in both directions. ${work === null ? 'One run is one task.' : `A task is what the metric ${work} counts.`} Sizes are exact; a build is measured once.`,
  ];
}
