import { markdownTable } from 'markdown-table';
import { PROPERTIES, type AskedImage, type InterpreterFacts } from '../session/facts.ts';
import { clip, oneLine, sentence } from './escape.ts';
import { knowledgeWords, propertyWords } from './facts.ts';
import { quantity } from './verdict-wording.ts';
import { own } from '../session/record.ts';

/** An interpreter's facts, and those of its image or machine. */
export interface AskedInterpreter {
  /** The image or the path as the user typed it. */
  readonly target: string;
  readonly kind: 'image' | 'host';
  readonly facts: InterpreterFacts;
  readonly image?: AskedImage;
}

/** `facts --format json`: one entry for each target, in the given order. */
export const factsJson = (asked: readonly AskedInterpreter[]): readonly object[] =>
  asked.map(({ target, kind, facts, image }) => ({
    target,
    kind,
    ...facts,
    layers: image?.layers,
    image,
  }));

/** A line of the table: its title, and the text for each interpreter. */
interface Line {
  readonly title: string;
  readonly cells: readonly string[];
}

function linesOf(asked: readonly AskedInterpreter[]): readonly Line[] {
  const line = (title: string, of: (one: AskedInterpreter) => string): Line[] => {
    const cells = asked.map((one) => clip(oneLine(of(one)), 60) || '–');
    return cells.every((cell) => cell === '–') ? [] : [{ title, cells }];
  };
  const names = (of: (facts: InterpreterFacts) => Readonly<Record<string, unknown>>) =>
    [...new Set(asked.flatMap(({ facts }) => Object.keys(of(facts))))].sort();
  const some = (record: Readonly<Record<string, unknown>>) => {
    const all = Object.keys(record);
    return all.length === 0
      ? 'none'
      : `${all.length}: ${all.slice(0, 3).join(', ')}${all.length > 3 ? ', …' : ''}`;
  };
  return [
    ...line('taken as', ({ kind }) => (kind === 'image' ? 'image' : 'host interpreter')),
    ...line('Python', ({ facts }) => `${facts.implementation} ${facts.python}`),
    ...line('executable', ({ facts }) => facts.executable),
    ...line('compiler', ({ facts }) => facts.compiler),
    ...line('optimization', ({ facts }) => facts.optimization),
    ...line('-march', ({ facts }) => facts.march),
    ...line('libc', ({ facts }) => facts.libc),
    ...line('system', ({ facts }) => facts.system),
    ...line('allocator', ({ facts }) => facts.allocator),
    ...PROPERTIES.flatMap((property) =>
      line(propertyWords(property), ({ facts }) => {
        const known = facts.properties[property];
        return known === undefined ? '' : knowledgeWords(known);
      }),
    ),
    ...names(({ libraries }) => libraries).flatMap((name) =>
      line(name, ({ facts }) => own(facts.libraries, name) ?? ''),
    ),
    ...line('modules that do not import', ({ facts }) => some(facts.brokenModules)),
    ...line('Python packages', ({ facts }) => some(facts.packages)),
    ...line('system packages', ({ facts }) =>
      facts.systemPackages === null ? '' : String(facts.systemPackages),
    ),
    ...line('unpacked size', ({ image }) =>
      image?.sizeBytes === undefined ? '' : quantity(image.sizeBytes, 'bytes'),
    ),
    ...line('layers', ({ image }) =>
      image === undefined ? '' : image.layers.map(({ bytes }) => quantity(bytes, 'bytes')).join(' + '),
    ),
    ...line('base', ({ image }) => image?.base?.reference ?? ''),
  ];
}

/** Marks the lines that differ between targets. */
const DIFFERS = '≠';
const differs = ({ cells }: Line) => new Set(cells).size > 1;

export function renderFactsMarkdown(asked: readonly AskedInterpreter[]): string {
  const several = asked.length > 1;
  const lines = linesOf(asked).map((line) => [
    ...(several ? [differs(line) ? DIFFERS : ''] : []),
    sentence(line.title),
    ...line.cells.map(sentence),
  ]);
  const header = [...(several ? [''] : []), '', ...asked.map(({ target }) => sentence(target))];
  return `${markdownTable([header, ...lines], { alignDelimiters: false })}\n\n${EXPLAINED}\n`;
}

/** A table with as many columns as fit the width; further targets follow below. */
export function renderFactsTerminal(asked: readonly AskedInterpreter[], width: number): string {
  const lines = linesOf(asked);
  const titles = Math.max(...lines.map(({ title }) => title.length));
  const widths = asked.map(({ target }, column) =>
    Math.max(oneLine(target).length, ...lines.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const several = asked.length > 1;
  const mark = (line: Line | undefined) =>
    several ? (line !== undefined && differs(line) ? `${DIFFERS} ` : '  ') : '';
  const row = (line: Line | undefined, title: string, cells: readonly string[], own: readonly number[]) =>
    `${mark(line)}${title.padEnd(titles)}  ${cells.map((cell, column) => cell.padEnd(own[column] ?? 0)).join('  ')}`.trimEnd();
  const columns = fitting(widths, width - titles - 4);
  const tables = columns.map((shown) =>
    [
      row(
        undefined,
        '',
        shown.map((column) => oneLine(asked[column]?.target ?? '')),
        shown.map((column) => widths[column] ?? 0),
      ),
      ...lines.map((line) =>
        row(
          line,
          line.title,
          shown.map((column) => line.cells[column] ?? ''),
          shown.map((column) => widths[column] ?? 0),
        ),
      ),
    ].join('\n'),
  );
  return `${tables.join('\n\n')}\n\n${several ? `${DIFFERS} not the same for all. ` : ''}${EXPLAINED}\n`;
}

/** Indices of the columns of each table; a column that is too wide gets its own table. */
function fitting(widths: readonly number[], room: number): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let left = 0;
  for (const [index, own] of widths.entries()) {
    const last = groups.at(-1);
    if (last !== undefined && own + 2 <= left) last.push(index);
    else groups.push([index]);
    left = (last === groups.at(-1) ? left : room) - own - 2;
  }
  return groups;
}

const EXPLAINED =
  'Each property is what the binary and its behaviour show. If the interpreter declares something else, that is shown too.';
