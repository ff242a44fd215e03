import { readFileSync } from 'node:fs';
import { test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { parse } from 'yaml';
import { expectGenerated } from './generated.test-support.ts';

/** The tables of docs/github.md are generated from action.yml, so that an input is described in one place. */

interface Action {
  readonly inputs: Record<string, { description: string; default: string }>;
  readonly outputs: Record<string, { description: string }>;
}

const { inputs, outputs } = parse(readFileSync('action.yml', 'utf8')) as Action;

test('docs/github.md has the inputs of action.yml', () => {
  const rows = Object.entries(inputs).map(([name, { description, default: value }]) => [
    `\`${name}\``,
    value === '' ? '' : `\`${value}\``,
    description.replaceAll('|', '\\|'),
  ]);
  expectGenerated('docs/github.md', 'inputs', markdownTable([['input', 'default', 'meaning'], ...rows]));
});

test('docs/github.md has the outputs of action.yml', () => {
  const rows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, description]);
  expectGenerated('docs/github.md', 'outputs', markdownTable([['output', 'meaning'], ...rows]));
});
