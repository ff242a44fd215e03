import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { parse } from 'yaml';

interface Action {
  readonly inputs: Record<string, { description: string; default: string }>;
  readonly outputs: Record<string, { description: string }>;
}

/** The tables of inputs and outputs, from action.yml alone. */
function tables({ inputs, outputs }: Action): string {
  const given = Object.entries(inputs).map(([name, { description, default: value }]) => [
    `\`${name}\``,
    value === '' ? '' : `\`${value}\``,
    description.replaceAll('|', '\\|'),
  ]);
  const gives = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, description]);
  return `${markdownTable([['input', 'default', ''], ...given])}\n\n${markdownTable([['output', ''], ...gives])}`;
}

/** Compares the README between two marks with what the code says; UPDATE_GOLDEN=1 writes it. */
function expectReadme(mark: string, expected: string) {
  const readme = readFileSync('README.md', 'utf8');
  const [begin, end] = [`<!-- ${mark}:begin -->`, `<!-- ${mark}:end -->`];
  const [before = '', rest = ''] = readme.split(`${begin}\n`);
  const [found = '', after = ''] = rest.split(end);
  if (process.env['UPDATE_GOLDEN'] === '1')
    writeFileSync('README.md', `${before}${begin}\n\n${expected}\n\n${end}${after}`);
  // Prettier sets the columns' widths; the words are what counts.
  const words = (text: string) => text.replace(/[ -]+/g, ' ').trim();
  expect(words(found)).toBe(words(expected));
}

test("README's tables of inputs and outputs are those of action.yml", () => {
  expectReadme('inputs', tables(parse(readFileSync('action.yml', 'utf8')) as Action));
});
