import { createColors } from 'picocolors';
import type { Comparison, Row } from '../compare/comparison.ts';
import type { Session } from '../session/session.ts';
import { clip, oneLine, printable } from './escape.ts';
import { noise } from './details.ts';
import { adjustedP, change, headline, metricWords, quantity, sorted, VERDICT_WORDS } from './words.ts';

export interface TerminalOptions {
  readonly colour: boolean;
  readonly remarks?: readonly string[];
}

const HEADER = ['variant', 'metric', 'baseline', 'head', 'change (95 % interval)', 'adj. p', 'verdict'];
const RIGHT = [false, false, true, true, true, true, false];

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
  const rows = sorted(comparison.rows);
  const cells = rows.map((row) => [
    clip(oneLine(row.variant), 24),
    clip(oneLine(metricWords(row.metric)), 24),
    quantity(row.baseline.median, oneLine(row.unit)),
    quantity(row.head.median, oneLine(row.unit)),
    row.evidence === 'identical' ? 'identical image' : change(row),
    adjustedP(row),
    VERDICT_WORDS[row.verdict],
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
  const reasons = new Set(
    rows.flatMap(({ variant, warnings }) =>
      warnings.map((warning) => `${oneLine(variant)}: ${oneLine(warning)}`),
    ),
  );
  const mark = tint(comparison.verdict);
  return [
    ...(rows.length === 0
      ? []
      : [dim(line(HEADER)), ...rows.map((row, index) => tint(row.verdict)(line(cells[index] ?? []))), '']),
    ...failures,
    ...[...reasons].slice(0, 20).map((reason) => dim(reason)),
    ...(session === undefined || session.runs.length === 0
      ? []
      : [dim(`${session.runs.length} runs; machine ${noise(session)}`)]),
    ...[...remarks, ...comparison.warnings].map((remark) => dim(oneLine(remark))),
    bold(mark(`Pacegate: ${headline(comparison, oneLine)}`)),
    '',
  ].join('\n');
}
