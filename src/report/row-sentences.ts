import { isOutsideTests, type Comparison, type Row } from '../verdict/comparison.ts';
import { notSeenAgain } from './confirmation.ts';
import { MARGIN } from '../statistics/sequential.ts';
import { clip } from './escape.ts';
import { isProbableLoss, probableLoss } from './probable-loss.ts';
import { count, listed, metricWords, percent, quantity, share, sorted } from './verdict-wording.ts';

/** Formats names and other text from outside for its place: Markdown or a terminal. */
export interface Style {
  readonly name: (text: string) => string;
  readonly text: (text: string) => string;
}

/** A sentence about one row, or about several rows of a variant with the same reason. */
export interface RowSentence {
  readonly verdict: Row['verdict'];
  readonly text: string;
  /** Whether the row is inconclusive and probably a loss, which a reader must not miss. */
  readonly probableLoss: boolean;
}

/** The sentences about all judged rows that are not unchanged, the worst first. */
export function sentences({ rows }: Comparison, style: Style): readonly RowSentence[] {
  const notable = sorted(rows).filter(
    // A regression that the second session did not confirm has a sentence in the remarks, with both figures.
    (row) => row.verdict !== 'unchanged' && row.verdict !== 'info' && !notSeenAgain(row),
  );
  // Rows that could not be judged share a reason, so they share a sentence.
  const alike = new Map<string, Row[]>();
  for (const row of notable) {
    const key = hasFigures(row) ? `${row.variant}/${row.metric}` : `${row.verdict}: ${reasonOf(row)}`;
    const group = alike.get(key);
    if (group === undefined) alike.set(key, [row]);
    else group.push(row);
  }
  return [...alike.values()].flatMap((group) => {
    const [row] = group;
    if (row === undefined) return [];
    const text = hasFigures(row) ? figureSentence(row, style) : reasonSentence(group, rows, style);
    return [{ verdict: row.verdict, text, probableLoss: isProbableLoss(row) }];
  });
}

/** Whether a row's sentence contains its figures and warnings, so that no remark repeats them. */
export const hasFigures = ({ verdict, change }: Row): boolean =>
  verdict === 'over_limit' || (CHANGES.has(verdict) && change.estimate !== null);

const CHANGES: ReadonlySet<Row['verdict']> = new Set([
  'regressed',
  'improved',
  'accepted',
  'warning',
  'inconclusive',
]);

const reasonOf = ({ warnings }: Row) => warnings.join('; ');

const WITHOUT_FIGURES: Readonly<Partial<Record<Row['verdict'], string>>> = {
  failed: 'failed',
  no_data: 'without figures',
  inconclusive: 'not measured',
  incomparable: 'not compared',
  no_baseline: 'not compared',
};

function reasonSentence(group: readonly Row[], all: readonly Row[], { name, text }: Style): string {
  const variants = [...new Set(group.map(({ variant }) => variant))];
  const [first] = group;
  // The metrics are named only if other metrics of the same variants were judged.
  const whole = all.filter((row) => row.gated && !isOutsideTests(row) && variants.includes(row.variant));
  const metrics = [...new Set(group.map((row) => text(metricWords(row.metric))))];
  const what =
    whole.length === group.length
      ? listed(variants.map(name))
      : `${listed(variants.map(name))}, ${listed(metrics)}`;
  const reason = first === undefined ? '' : reasonOf(first);
  const why = reason === '' ? '' : `: ${text(clip(reason, 300).replace(/\.$/, ''))}`;
  return `${what} ${(first && WITHOUT_FIGURES[first.verdict]) ?? 'not judged'}${why}`;
}

function figureSentence(row: Row, style: Style): string {
  return row.verdict === 'over_limit' ? boundSentence(row, style) : changeSentence(row, style);
}

/** `official` wall time is above its max of 300.0 ms: median 312.0 ms, in 12 of 12 runs above it; most likely 4.0 % … */
function boundSentence(row: Row, { name, text }: Style): string {
  const { kind = 'max', value = null, runsBeyond = 0, runs = 0 } = row.bound ?? {};
  const side = kind === 'max' ? 'above' : 'below';
  const unit = text(row.unit);
  const source = runs > 1 ? `, ${runsBeyond} of ${runs} runs are ${side} it` : '';
  return `${name(row.variant)} ${text(metricWords(row.metric))} is ${side} its ${kind} of ${quantity(value, unit)}: ${quantity(row.head.median, unit)}, ${quantity(row.baseline.median, unit)} on the base${source}`;
}

/** `official` wall time got worse: most likely 6.1 % higher, between 4.0 % and 8.3 % (16 pairs). */
function changeSentence(row: Row, { name, text }: Style): string {
  const what = `${name(row.variant)} ${text(metricWords(row.metric))}`;
  const { estimate, low, high } = row.change;
  const size = (fraction: number) => percent(fraction).replace(/[+−±]/, '');
  const moved = `${size(estimate ?? 0)} ${(estimate ?? 0) < 0 ? 'lower' : 'higher'}`;
  const amount = size(estimate ?? 0) === '0.0 %' ? 'no change' : moved;
  if (isOutsideTests(row))
    return `${what} ${MOVED[row.verdict] ?? 'moved'}: ${amount}, from ${quantity(row.baseline.median, text(row.unit))} to ${quantity(row.head.median, text(row.unit))}. ${EXACT_WORDS[row.evidence] ?? 'This figure is exact'}; a change counts from ${share(row.limit)}${row.warn === undefined ? '' : ` and warns from ${share(row.warn)}`}`;
  const source =
    row.evidence === 'stored'
      ? `against ${count(row.baseline.n, 'stored night')} of this machine`
      : count(row.blocks, 'pair');
  if (low === null || high === null)
    return `${what} ${MOVED[row.verdict] ?? 'moved'}: ${amount} in ${source}, too few to say how sure that is`;
  const oneSided = low > 0 === high > 0;
  const bounds = (oneSided ? [low, high].sort((a, b) => Math.abs(a) - Math.abs(b)) : [low, high]).map(
    oneSided ? size : (fraction) => percent(fraction).replace('±', ''),
  );
  const between = bounds[0] === bounds[1] ? '' : `, between ${bounds.join(' and ')}`;
  if (isProbableLoss(row)) return `${what} is ${probableLoss(row)}: most likely ${amount} (${source})`;
  if (row.verdict === 'inconclusive')
    return `${what} is inconclusive: most likely ${amount}${between.replace(', between', ', but anything between')}${between === '' ? '' : ' fits'} (${source})`;
  const warned =
    row.verdict === 'warning' && row.warn !== undefined
      ? `; a loss warns from ${share(row.warn)}, and the limit is ${share(row.limit)}`
      : '';
  return `${what} ${MOVED[row.verdict] ?? 'moved'}: most likely ${amount}${between} (${source})${warned}`;
}

/** The wording for figures outside the tests that are not quite exact. */
const EXACT_WORDS: Readonly<Partial<Record<Row['evidence'], string>>> = {
  once: 'This is of one build each',
  counted: 'Valgrind counted it in separate runs',
};

const MOVED: Readonly<Partial<Record<Row['verdict'], string>>> = {
  regressed: 'got worse',
  accepted: 'got worse, which was accepted',
  warning: 'got worse, below the limit',
  improved: 'got better',
  inconclusive: 'is inconclusive',
};

/**
 * The loss that all of these unchanged rows exclude, as a fraction; undefined if limits differ too much for one figure.
 */
export function ruledOut(rows: readonly Row[]): number | undefined {
  const margins = new Set(
    rows
      .filter(({ evidence }) => evidence === 'paired' || evidence === 'stored')
      .map(({ limit, warn = limit }) => MARGIN * warn),
  );
  const [margin] = margins;
  // An exact figure excludes its own limit, which must not be the larger of the two.
  const exact = rows
    .filter(({ evidence }) => evidence === 'deterministic')
    .map(({ limit, warn = limit }) => warn);
  return margin === undefined || margins.size > 1 || exact.some((limit) => limit > margin + 1e-9)
    ? undefined
    : margin;
}

/** The probability of a false alarm; empty if no metric with noise regressed. */
export function confidence({ rows, family }: Comparison): string {
  const regressed = rows.filter((row) => row.verdict === 'regressed' && !isOutsideTests(row));
  if (regressed.length === 0) return '';
  const limits = [...new Set(regressed.map(({ limit }) => share(limit)))];
  const odds = 1 / family.alpha;
  const rate =
    Math.abs(odds - Math.round(odds)) < 0.01 ? `1 of ${Math.round(odds)}` : `${share(family.alpha)} of`;
  return `A change counts from ${limits.join(' or ')}. If this change cost nothing, a report like this one would still raise an alarm in at most ${rate} cases.`;
}
