import { createColors } from 'picocolors';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import { confirmationWords } from './confirmation.ts';
import { clip, oneLine, printable } from './escape.ts';
import { noise } from './noise.ts';
import { movedToo } from './facts.ts';
import { headline, lead, restOf } from './headline.ts';
import { confidence, hasFigures, sentences } from './row-sentences.ts';
import { whySentences } from './why.ts';
import { change, isDetail, judgedMetric, quantity, sorted, VERDICT_WORDS } from './verdict-wording.ts';

export interface TerminalOptions {
  readonly colour: boolean;
  readonly remarks?: readonly string[];
}

const HEADER = ['variant', 'metric', 'baseline', 'head', 'change (95 % interval)', 'verdict'];
const RIGHT = [false, false, true, true, true, false];
/** Lines of words below the table; the files of the run have all of them. */
const LINES_SHOWN = 20;
/** With more rows than this, only those that did not stay as they were. */
const ROWS_SHOWN = 30;

/** The verdict for a terminal: the headline last, where the eye is when a command ends. */
export function renderTerminal(
  comparison: Comparison,
  session: Session | undefined,
  { colour, remarks = [] }: TerminalOptions,
): string {
  const { bold, dim, green, red, yellow } = createColors(colour);
  const tint = (verdict: Row['verdict']) =>
    verdict === 'regressed' || verdict === 'failed' || verdict === 'no_data'
      ? red
      : verdict === 'improved' || verdict === 'unchanged'
        ? green
        : verdict === 'info'
          ? dim
          : yellow;
  const all = sorted(comparison.rows);
  const seen = all.filter((row) => !isDetail(row));
  const rows =
    seen.length <= ROWS_SHOWN
      ? seen
      : seen.filter(({ verdict }) => verdict !== 'unchanged' && verdict !== 'info');
  const hidden = all.length - rows.length;
  const cells = rows.map((row) => [
    clip(oneLine(row.variant), 24),
    clip(oneLine(judgedMetric(row, session?.rules)), 40),
    quantity(row.baseline.median, oneLine(row.unit)),
    quantity(row.head.median, oneLine(row.unit)),
    change(row),
    `${VERDICT_WORDS[row.verdict]}${confirmationWords(row)}`,
  ]);
  const widths = HEADER.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        RIGHT[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const failures = (session?.failures ?? []).flatMap(({ variant, side, stage, message }) => [
    red(`${oneLine(variant)} (${side}) failed in ${stage}:`),
    ...printable(message)
      .split('\n')
      .slice(0, 20)
      .map((text) => `  ${clip(text, 200)}`),
  ]);
  const said = sentences(comparison, { name: oneLine, text: oneLine });
  const noted = remarksOf(seen);
  const notesOpen = comparison.verdict === 'no_baseline' || comparison.verdict === 'incomparable';
  const mark = tint(comparison.verdict);
  const news = (comparison.measuring?.news ?? []).map((one) => yellow(oneLine(one.sentence)));
  return [
    ...(news.length === 0 ? [] : [...news, '']),
    ...(rows.length === 0
      ? []
      : [
          dim(line(HEADER)),
          ...rows.map((row, index) => tint(row.verdict)(line(cells[index] ?? []))),
          ...(hidden === 0
            ? []
            : [dim(`… ${hidden} more, unchanged or not judged; --format markdown shows them`)]),
          '',
        ]),
    ...failures,
    ...said.slice(0, LINES_SHOWN).map(({ verdict, text }) => tint(verdict)(`${text}.`)),
    ...whySentences(comparison, session, { name: oneLine, text: oneLine }),
    ...movedToo(comparison, session, oneLine, oneLine).map(yellow),
    ...noted.slice(0, LINES_SHOWN).map((remark) => dim(remark)),
    ...(confidence(comparison) === '' ? [] : [confidence(comparison)]),
    ...restOf(comparison, session),
    ...(said.length + noted.length === 0 ? [] : ['']),
    ...(session === undefined || session.runs.length === 0
      ? []
      : [dim(`${session.runs.length} runs; machine ${noise(session)}`)]),
    ...[...remarks, ...comparison.warnings, ...(notesOpen ? (session?.notes ?? []) : [])].map((remark) =>
      dim(oneLine(remark)),
    ),
    ...lead(comparison, session, 'command').map(oneLine),
    bold(mark(`Pacegate: ${headline(comparison, oneLine)}`)),
    '',
  ].join('\n');
}

/** Warnings that no sentence holds; rows of a variant often share theirs. */
const remarksOf = (rows: readonly Row[]): readonly string[] => [
  ...new Set(
    rows
      .filter((row) => row.verdict === 'unchanged' || row.verdict === 'info' || hasFigures(row))
      .flatMap(({ variant, warnings }) =>
        warnings.map((warning) => `${oneLine(variant)}: ${oneLine(warning)}`),
      ),
  ),
];
