import { createColors } from 'picocolors';
import type { Finding } from '../session/machine-reading.ts';
import { clip, oneLine } from './escape.ts';
import { own } from '../session/record.ts';

export interface FindingsLook {
  readonly colour: boolean;
  /** The terminal's width in columns. */
  readonly width: number;
}

/** Facts that identify a machine, for the first line. */
const IDENTITY: Readonly<Record<string, (value: string) => string>> = {
  processor: (value) => value,
  cores: (value) => `${value} ${value === '1' ? 'core' : 'cores'}`,
  memory: (value) => value,
  kernel: (value) => value,
  engine: (value) => value,
};

const HEADS: Readonly<Record<Finding['judgement'], string>> = {
  bad: 'bad',
  notice: 'notice',
  good: 'good',
  unknown: 'unknown',
};
const HEAD_WIDTH = 12;
/** The maximum width, because longer lines are hard to read. */
const WIDEST = 120;

/** The findings about a machine: its identity, problems with advice, warnings, and the rest in a few lines. */
export function renderFindings(findings: readonly Finding[], look: FindingsLook): string {
  const { bold } = createColors(look.colour);
  const identity = findings.filter(
    ({ name, judgement }) => judgement === 'good' && Object.hasOwn(IDENTITY, name),
  );
  const words = identity.map(({ name, value }) => own(IDENTITY, name)?.(shown(value)) ?? shown(value));
  return [
    bold(`Machine: ${words.join(', ')}`),
    ...findingLines(
      findings.filter((finding) => !identity.includes(finding)),
      look,
    ),
    '',
  ].join('\n');
}

/** The findings without the machine's identity: problems with advice first, the others together. */
export function findingLines(
  findings: readonly Finding[],
  { colour, width }: FindingsLook,
): readonly string[] {
  const { dim, red, yellow } = createColors(colour);
  const own = (judgement: Finding['judgement']) =>
    findings.filter((finding) => finding.judgement === judgement);
  const paragraph = (judgement: Finding['judgement'], text: string) =>
    wrapped(text, Math.min(width, WIDEST) - HEAD_WIDTH).map(
      (line, index) => `  ${(index === 0 ? HEADS[judgement] : '').padEnd(HEAD_WIDTH - 2)}${line}`,
    );
  const together = (judgement: Finding['judgement'], words: (finding: Finding) => string) => {
    const all = own(judgement);
    return all.length === 0 ? [] : paragraph(judgement, all.map(words).join('; ')).map(dim);
  };
  const single = (judgement: Finding['judgement'], paint: (text: string) => string) =>
    own(judgement).flatMap(({ name, value, advice }) =>
      paragraph(
        judgement,
        `${name}: ${shown(value)}${advice === undefined ? '' : `. ${clip(oneLine(advice), 600)}`}`,
      ).map((line, index) => (index === 0 ? paint(line) : line)),
    );
  return [
    ...single('bad', red),
    ...single('notice', yellow),
    ...together('good', ({ name, value }) => `${name} ${shown(value)}`),
    ...together('unknown', ({ name }) => name),
  ];
}

const shown = (value: string) => clip(oneLine(value), 80);

/** Wraps a text to a width; a longer word gets its own line. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
