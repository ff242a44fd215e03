import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { readResults } from '../measure/results/read.ts';
import { MERGED_FORMAT } from '../session/merged.ts';
import { parseSessionFile } from '../session/read.ts';
import { SESSION_FORMAT } from '../session/session.ts';
import { commandFault, commandsIn, isName } from './commands.test-support.ts';
import { PAGES } from './files.test-support.ts';
import { codeSpansOf, fencesOf, placeOf, readPage, type Fence } from './markdown.test-support.ts';
import { readYamlExample, yamlFault } from './yaml-examples.test-support.ts';

/** Every fenced example of the documentation is one that works; examples.itg.test.ts asks other programs. */

const LANGUAGES = ['yaml', 'json', 'sh', 'dockerfile', 'python', 'toml', 'csv', 'mermaid', 'text'];

function fault({ language, value }: Fence): string | undefined {
  switch (language) {
    case 'yaml':
      return yamlFault(value);
    case 'json':
      return jsonFault(value);
    case 'sh':
      return shellFault(value);
    case 'python':
      return pythonFault(value);
    case 'text':
      return listFault(value);
    default:
      return LANGUAGES.includes(language)
        ? undefined
        : `an example names its language: one of ${LANGUAGES.join(', ')}`;
  }
}

function jsonFault(text: string): string | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== 'object' || value === null) return 'it is neither an object nor a list';
    if ('format' in value && (value.format === SESSION_FORMAT || value.format === MERGED_FORMAT))
      parseSessionFile(text, 'the example');
    // What a workload writes: a number, or an object with a value, for each metric.
    const entries = Object.values(value) as unknown[];
    if (!entries.every((entry) => typeof entry === 'object' && entry !== null && 'value' in entry))
      return undefined;
    const read = readResults(text);
    return typeof read === 'string' ? read : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function shellFault(text: string): string | undefined {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' });
  if (status !== 0) return stderr.trim();
  return commandsIn(text)
    .map(commandFault)
    .find((found) => found !== undefined);
}

/** A form, such as `pacegate gate [--baseline REF]` or `pacegate rank …`, is no command. */
const isWhole = (text: string) => !/[[\]<>…]/.test(text);

const OURS = /^((npx )?pacegate [a-z-]|npm |node |\.ci\/)/;

/** A list of commands with what they do behind two spaces. */
function listFault(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.split(/\s{2,}/)[0] ?? '')
    .filter((command) => OURS.test(command) && isWhole(command))
    .flatMap(commandsIn)
    .map(commandFault)
    .find((found) => found !== undefined);
}

function pythonFault(text: string): string | undefined {
  const { status, stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
    input: text,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1);
}

test.each(PAGES.filter((path) => fencesOf(readPage(path)).length > 0))('the examples of %s work', (path) => {
  const faults = fencesOf(readPage(path)).flatMap((fence) => {
    const found = fault(fence);
    return found === undefined ? [] : [`${placeOf(fence)}: ${found}`];
  });
  expect(faults).toEqual([]);
});

test.each(PAGES.filter((path) => path !== 'CHANGELOG.md'))(
  'the commands within the sentences of %s are there',
  (path) => {
    const faults = codeSpansOf(readPage(path))
      .filter(({ value }) => OURS.test(value) && isWhole(value) && !isName(value))
      .flatMap((span) =>
        commandsIn(span.value).flatMap((words) => {
          const found = commandFault(words);
          return found === undefined ? [] : [`${placeOf(span)}: ${span.value}: ${found}`];
        }),
      );
    expect(faults).toEqual([]);
  },
);

test.each([
  ['yaml', 'version: 1\n', undefined],
  ['yaml', 'metrics: { cpu_time_s: { limit: 3% } }', undefined],
  ['yaml', 'metrics: { cpu_time_s: { limit: 3 } }', expect.stringContaining('limit')],
  ['yaml', 'metrics: { cpu_time_s: { limt: 3% } }', expect.stringContaining('limt')],
  ['yaml', 'workload: { command: [a], nonsense: 1 }', expect.stringContaining('nonsense')],
  ['yaml', '- uses: pacegate/pacegate@v1\n  with: { mode: report }', undefined],
  ['yaml', '- uses: pacegate/pacegate@v1\n  with: { mood: report }', 'the action has no input mood'],
  ['yaml', 'nonsense: 1', expect.stringContaining('nonsense')],
  ['yaml', 'a: [', expect.any(String)],
  ['json', '{ "a": 1 }', undefined],
  ['json', '{ "a": … }', expect.any(String)],
  ['json', '{ "tasks": { "value": 512, "unit": "tasks", "better": "higher" } }', undefined],
  ['json', '{ "tasks": { "value": 512, "better": "larger" } }', expect.stringContaining('better')],
  ['sh', 'pacegate gate --baseline HEAD~1 && npm test # both', undefined],
  ['sh', 'PACEGATE_X=1 pacegate doctor \\\n  --blocks 12', undefined],
  ['sh', 'pacegate gate --base-line HEAD~1', expect.stringContaining('--base-line')],
  ['sh', 'pacegate gates', expect.stringContaining('gates')],
  ['sh', 'pacegate gate --shard 5', expect.stringContaining('shard')],
  ['sh', 'pacegate report', expect.stringContaining('session')],
  ['sh', 'npx pacegate gate --baseline HEAD~1', undefined],
  ['sh', 'npx pacegate gate --base-line HEAD~1', expect.stringContaining('--base-line')],
  ['sh', 'npm run nothing', 'package.json has no script "nothing"'],
  ['sh', 'node benchmarks/nothing.ts', 'there is no benchmarks/nothing.ts'],
  ['sh', 'if true', expect.any(String)],
  ['python', 'import json\n', undefined],
  ['python', 'import\n', expect.stringContaining('SyntaxError')],
  ['text', 'npm test     all\nnpm cat     nothing', 'package.json has no script "cat"'],
  ['text', 'pacegate gate [--what]     a form', undefined],
  ['', 'x', expect.stringContaining('names its language')],
])('an example in %j, %j: %j', (language, value, expected) => {
  const page = { path: 'x.md', text: '', tree: { type: 'root' as const, children: [] } };
  expect(fault({ page, line: 1, language, value })).toEqual(expected);
});

test('an example in YAML is known by its keys', () => {
  expect(readYamlExample('on: push\njobs: {}').kind).toBe('workflow');
  expect(readYamlExample('steps: []').kind).toBe('workflow');
  expect(readYamlExample('permissions: { contents: write }').kind).toBe('workflow');
  expect(readYamlExample('rules: { blocks: 20 }').kind).toBe('configuration');
  expect(readYamlExample('name: services-orders').kind).toBe('configuration');
  expect(readYamlExample('other: 1').kind).toBe('neither');
});
