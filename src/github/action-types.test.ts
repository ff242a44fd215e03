import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { VERDICTS } from '../session/rules.ts';
import { parseInputs } from './inputs.ts';

/** action-types.yml lists the same inputs and outputs as action.yml, with the types that the program reads. */

type Type =
  | { readonly type: 'string' | 'boolean' | 'integer' }
  | { readonly type: 'enum'; readonly name: string; readonly 'allowed-values': readonly string[] }
  | { readonly type: 'list'; readonly separator: string; readonly 'list-item': Type };
interface Described {
  readonly inputs: Readonly<Record<string, Type>>;
  readonly outputs: Readonly<Record<string, Type>>;
}

const types = parse(readFileSync('action-types.yml', 'utf8')) as Described;
const action = parse(readFileSync('action.yml', 'utf8')) as Described;

test('it has the inputs and the outputs of action.yml, in their order', () => {
  expect(Object.keys(types.inputs)).toEqual(Object.keys(action.inputs));
  expect(Object.keys(types.outputs)).toEqual(Object.keys(action.outputs));
});

/** The program's message about an input's value; undefined if it accepts the value. */
function refusal(name: string, value: string): string | undefined {
  // An input of one mode is read in that mode.
  const modes = ['gate', 'plan', 'measure', 'report', 'baseline'];
  const answers = modes.map((mode) => {
    try {
      parseInputs({
        INPUT_MODE: mode,
        INPUT_SESSIONS: mode === 'report' ? 'x' : '',
        [`INPUT_${name.toUpperCase()}`]: value,
      });
      return undefined;
    } catch (error) {
      return String(error);
    }
  });
  return answers.includes(undefined)
    ? undefined
    : answers.find((answer) => answer?.includes(`  ${name}: found`));
}

const parsedList = (name: string, value: string): unknown => {
  const key = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const mode = { sessions: 'report' }[name] ?? 'gate';
  return parseInputs({ INPUT_MODE: mode, [`INPUT_${name.toUpperCase()}`]: value })[key as 'variants'];
};

test.each(Object.entries(types.inputs))(
  'the type of the input %s is what the program takes',
  (name, type) => {
    switch (type.type) {
      case 'boolean':
        for (const value of ['true', 'false']) expect(refusal(name, value)).toBeUndefined();
        expect(refusal(name, 'nonsense')).toContain('must be one of true, false');
        break;
      case 'integer':
        expect(refusal(name, '1')).toBeUndefined();
        expect(refusal(name, 'nonsense')).toContain('must be a whole number');
        break;
      case 'enum':
        for (const value of type['allowed-values']) expect(refusal(name, value)).toBeUndefined();
        expect(refusal(name, 'nonsense')).toMatch(
          new RegExp(`must be one of (\\w+, )*${[...type['allowed-values']].join(', ')}(,|$|\\n)`),
        );
        break;
      case 'list': {
        const item = type['list-item'];
        const values = item.type === 'enum' ? item['allowed-values'].slice(1, 3) : ['one', 'two'];
        expect(parsedList(name, values.join(type.separator))).toEqual(values);
        if (item.type !== 'enum') break;
        for (const value of item['allowed-values']) expect(refusal(name, value)).toBeUndefined();
        expect(refusal(name, 'nonsense')).toContain(`must be one of ${item['allowed-values'].join(', ')}`);
        break;
      }
      case 'string':
        if (name !== 'shard' && name !== 'pull-request') expect(refusal(name, 'anything')).toBeUndefined();
    }
  },
);

test('the verdict is one of the verdicts', () =>
  expect(types.outputs['verdict']).toEqual({
    type: 'enum',
    name: 'Verdict',
    'allowed-values': [...VERDICTS],
  }));
