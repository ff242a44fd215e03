import { createColors } from 'picocolors';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import { aligned } from './aligned.ts';
import { confirmationWords } from './confirmation.ts';
import { clip, oneLine, printable } from './escape.ts';
import { noise } from './noise.ts';
import { alsoChanged } from './facts.ts';
import { headline, lead, restOf } from './headline.ts';
import { probableWords } from './probable-loss.ts';
import { confidence, hasFigures, sentences } from './row-sentences.ts';
import { whySentences } from './why.ts';
import { change, isDetail, judgedMetric, quantity, sorted, VERDICT_WORDS } from './verdict-wording.ts';

export interface TerminalOptions {
  readonly colour: boolean;
  readonly remarks?: readonly string[];
}

const HEADER = ['variant', 'metric', 'baseline', 'head', 'change (95 % interval)', 'verdict'];
const ALIGNMENTS = ['left', 'left', 'right', 'right', 'right', 'left'] as const;
/** The number of text lines below the table. The run's files contain all of them. */
const LINES_SHOWN = 20;
/** With more rows than this, unchanged rows are left out. */
const ROWS_SHOWN = 30;

/** The verdict for a terminal. The headline comes last, because the user looks there when a command ends. */
export function renderTerminal(
  comparison: Comparison,
  session: Session | undefined,
  { colour, remarks = [] }: TerminalOptions,
): string {
  const paint = paintFor(colour);
  const news = (comparison.measuring?.news ?? []).map((one) => paint.yellow(oneLine(one.sentence)));
  return [
    ...(news.length === 0 ? [] : [...news, '']),
    ...tableLines(comparison, session, paint),
    ...failureLines(session, paint),
    ...wordLines(comparison, session, paint),
    ...noteLines(comparison, session, remarks).map((note) => paint.dim(note)),
    ...lead(comparison, session, 'command').map(oneLine),
    paint.bold(paint.verdict(comparison.verdict)(`Pacegate: ${headline(comparison, oneLine)}`)),
    '',
  ].join('\n');
}

type Paint = ReturnType<typeof paintFor>;

function paintFor(colour: boolean) {
  const { bold, dim, green, red, yellow } = createColors(colour);
  const verdict = (verdict: Row['verdict']) =>
    verdict === 'regressed' || verdict === 'failed' || verdict === 'over_limit' || verdict === 'no_data'
      ? red
      : verdict === 'improved' || verdict === 'unchanged'
        ? green
        : verdict === 'info'
          ? dim
          : yellow;
  return { bold, dim, red, yellow, verdict };
}

/** The visible rows in order, without details. */
const seenRows = ({ rows }: Comparison): readonly Row[] => sorted(rows).filter((row) => !isDetail(row));

/** The table, the number of omitted rows, and an empty line; empty if there are no rows. */
function tableLines(comparison: Comparison, session: Session | undefined, paint: Paint): readonly string[] {
  const seen = seenRows(comparison);
  const rows =
    seen.length <= ROWS_SHOWN
      ? seen
      : seen.filter(({ verdict }) => verdict !== 'unchanged' && verdict !== 'info');
  if (rows.length === 0) return [];
  const hidden = comparison.rows.length - rows.length;
  const [header = '', ...lines] = aligned(
    [HEADER, ...rows.map((row) => cellsOf(row, session))],
    (column) => ALIGNMENTS[column] ?? 'left',
  );
  return [
    paint.dim(header),
    ...rows.map((row, index) => paint.verdict(row.verdict)(lines[index] ?? '')),
    ...(hidden === 0
      ? []
      : [paint.dim(`… ${hidden} more, unchanged or not judged; --format markdown shows them`)]),
    '',
  ];
}

const cellsOf = (row: Row, session: Session | undefined): readonly string[] => [
  clip(oneLine(row.variant), 24),
  clip(oneLine(judgedMetric(row, session?.rules)), 40),
  quantity(row.baseline.median, oneLine(row.unit)),
  quantity(row.head.median, oneLine(row.unit)),
  change(row),
  `${VERDICT_WORDS[row.verdict]}${probableWords(row)}${confirmationWords(row)}`,
];

const failureLines = (session: Session | undefined, { red }: Paint): readonly string[] =>
  (session?.failures ?? []).flatMap(({ variant, side, stage, message }) => [
    red(`${oneLine(variant)} (${side}) failed in ${stage}:`),
    ...printable(message)
      .split('\n')
      .slice(0, 20)
      .map((text) => `  ${clip(text, 200)}`),
  ]);

/** Explanations of the rows: sentences, causes and remarks. */
function wordLines(comparison: Comparison, session: Session | undefined, paint: Paint): readonly string[] {
  const said = sentences(comparison, STYLE);
  const noted = remarksOf(seenRows(comparison));
  const sure = confidence(comparison);
  return [
    ...said.slice(0, LINES_SHOWN).map(({ verdict, text }) => paint.verdict(verdict)(`${text}.`)),
    ...whySentences(comparison, session, STYLE),
    ...alsoChanged(comparison, session, oneLine, oneLine).map(paint.yellow),
    ...noted.slice(0, LINES_SHOWN).map((remark) => paint.dim(remark)),
    ...(sure === '' ? [] : [sure]),
    ...restOf(comparison, session),
    ...(said.length + noted.length === 0 ? [] : ['']),
  ];
}

const STYLE = { name: oneLine, text: oneLine };

/** What was measured, and notes about the whole run. */
function noteLines(
  { verdict, warnings }: Comparison,
  session: Session | undefined,
  remarks: readonly string[],
): readonly string[] {
  const open = verdict === 'no_baseline' || verdict === 'incomparable';
  return [
    ...(session === undefined || session.runs.length === 0
      ? []
      : [`${session.runs.length} runs; machine ${noise(session)}`]),
    ...[...remarks, ...warnings, ...(open ? (session?.notes ?? []) : [])].map(oneLine),
  ];
}

/** Warnings that no sentence contains. The rows of a variant often share them. */
const remarksOf = (rows: readonly Row[]): readonly string[] => [
  ...new Set(
    rows
      .filter((row) => row.verdict === 'unchanged' || row.verdict === 'info' || hasFigures(row))
      .flatMap(({ variant, warnings }) =>
        warnings.map((warning) => `${oneLine(variant)}: ${oneLine(warning)}`),
      ),
  ),
];
