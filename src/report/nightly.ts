import { markdownTable } from 'markdown-table';
import { createColors } from 'picocolors';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { RowNoise } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import { aligned } from './aligned.ts';
import { environmentDetail, failureDetails, imageDetails, noteDetails } from './details.ts';
import { noise } from './noise.ts';
import { clip, code, oneLine, printable, sentence } from './escape.ts';
import { historySentences } from './history.ts';
import { folded } from './markdown.ts';
import { rankingDetail } from './ranking-report.ts';
import { rankHeadline } from './ranking-wording.ts';
import { change, isDetail, count, metricWords, quantity, share, VERDICT_WORDS } from './verdict-wording.ts';

/**
 * Renders a night, which gates the baseline against itself. Nothing changed, so every regression and improvement is a
 * false one.
 */

const isAlarm = ({ verdict }: Row) => verdict === 'regressed' || verdict === 'improved';

/** A one-line summary. */
export function nightlyHeadline(
  session: Session,
  { rows }: Comparison,
  name: (text: string) => string,
): string {
  const failed = [...new Set(session.failures.map(({ variant }) => variant))];
  const measured = session.variants.filter((variant) => !failed.includes(variant));
  const alarms = rows.filter(isAlarm);
  return [
    ...(failed.length === 0 ? [] : [`${failed.map(name).join(', ')} could not be measured`]),
    `${measured.length === session.variants.length ? '' : 'only '}${count(measured.length, 'variant')} measured against ${measured.length === 1 ? 'itself' : 'themselves'} in ${count(session.runs.length, 'run')}`,
    alarms.length === 0
      ? 'no false alarm'
      : `${count(alarms.length, 'false alarm')}: ${alarms.map((row) => `${name(row.variant)} ${metricWords(row.metric)} ${change(row)}`).join(', ')}`,
  ].join('; ');
}

const HEADER = [
  'variant',
  'metric',
  'median',
  'against itself (95 %)',
  'tonight',
  'noise of a pair',
  'between nights',
  '80 % power at',
  'nights',
];

const LEGEND =
  'Noise: the standard deviation of log(head / baseline) in a pair, median over the nights. Between nights: how much the centres of the nights differ beyond that, which more blocks do not average away. 80 % power: the smallest loss that a gate here finds in 80 of 100 cases, by the noise within the nights.';

function cells(row: Row, noises: readonly RowNoise[]): readonly string[] {
  const own = noises.find(({ variant, metric }) => variant === row.variant && metric === row.metric);
  return [
    row.variant,
    metricWords(row.metric),
    quantity(row.baseline.median, row.unit),
    change(row),
    isAlarm(row) ? 'false alarm' : VERDICT_WORDS[row.verdict],
    own === undefined ? '–' : share(Math.expm1(own.noise)),
    own === undefined || own.tau === null ? '–' : share(Math.expm1(own.tau)),
    own === undefined ? '–' : own.detectable === null ? '> 50 %' : `≥ ${share(own.detectable)}`,
    own === undefined ? '–' : String(own.nights),
  ];
}

/** The night as Markdown: its measurements, its false alarms, and the history of all nights. */
export function renderNightlyMarkdown(
  session: Session,
  comparison: Comparison,
  remarks: readonly string[] = [],
): string {
  const { history } = session;
  const rows = comparison.rows
    .filter((row) => !isDetail(row))
    .map((row) => {
      const [variant = '', ...rest] = cells(row, history?.noise ?? []);
      return [code(variant), ...rest.map(sentence)];
    });
  const details = [
    ...failureDetails(session),
    ...(history?.ranking === undefined ? [] : [rankingDetail(history.ranking, session)]),
    environmentDetail(session),
    ...imageDetails(session),
    ...noteDetails(session),
  ];
  return `${[
    `### ${session.failures.length > 0 ? '❌' : '📏'} Pacegate: ${nightlyHeadline(session, comparison, code)}`,
    ...remarks.map(sentence),
    ...(history === undefined ? [] : historySentences(history, code)),
    ...(rows.length === 0
      ? []
      : [
          markdownTable([HEADER, ...rows], {
            align: ['l', 'l', 'r', 'r', 'l', 'r', 'r', 'r', 'r'],
            alignDelimiters: false,
          }),
          LEGEND,
        ]),
    ...details.map(folded),
  ].join('\n\n')}\n`;
}

/** The same for a terminal, with the headline last. */
export function renderNightlyTerminal(
  session: Session,
  comparison: Comparison,
  { colour, remarks = [] }: { readonly colour: boolean; readonly remarks?: readonly string[] },
): string {
  const { bold, dim, red } = createColors(colour);
  const { history } = session;
  const rows = [
    HEADER,
    ...comparison.rows
      .filter((row) => !isDetail(row))
      .map((row) => cells(row, history?.noise ?? []).map((cell) => clip(oneLine(cell), 40))),
  ];
  const lines = aligned(rows, (column) => (column < 2 || column === 4 ? 'left' : 'right'));
  return [
    ...(lines.length > 1 ? [dim(lines[0] ?? ''), ...lines.slice(1), ''] : []),
    ...session.failures.flatMap(({ message }) => printable(message).split('\n').slice(0, 20)).map(red),
    ...(history === undefined ? [] : historySentences(history, oneLine)),
    ...(history?.ranking === undefined
      ? []
      : [`Between the variants: ${rankHeadline(history.ranking, oneLine)}.`]),
    dim(`machine ${noise(session)}`),
    ...remarks.map((remark) => dim(oneLine(remark))),
    bold(`Pacegate: ${nightlyHeadline(session, comparison, oneLine)}`),
    '',
  ].join('\n');
}
