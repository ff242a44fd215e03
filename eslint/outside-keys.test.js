import { RuleTester } from 'eslint';
import { describe, it } from '@jest/globals';
import tseslint from 'typescript-eslint';
import { outsideKeys } from './outside-keys.js';

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

const tester = new RuleTester({
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      projectService: { allowDefaultProject: ['*.ts*'] },
      tsconfigRootDir: import.meta.dirname,
    },
  },
});

const given = `
declare const key: string;
declare const side: 'head' | 'baseline';
declare const index: number;
declare const record: Record<string, number>;
declare const sides: Record<'head' | 'baseline', number>;
declare const list: number[];
declare const map: Map<string, number>;
`;
const right = (text) => ({ name: text, code: `${given}${text}` });
const wrong = (text, ...messageIds) => ({
  name: text,
  code: `${given}${text}`,
  errors: messageIds.map((messageId) => ({ messageId })),
});

tester.run('outside-keys', outsideKeys, {
  valid: [
    'record["known"];',
    'sides[side];',
    'list[index];',
    'map.get(key); map.set(key, 1);',
    'Object.hasOwn(record, key) ? record[key] : 0;',
    'Object.hasOwn(record, key) && record[key];',
    'const made = { ...record, [key]: 1 };',
    'Object.fromEntries([[key, 1]]);',
    'delete record[key];',
    '"known" in record;',
    'record[`context ${key}`];',
    'for (const name of ["head", "baseline"] as const) sides[name] = 1;',
    'Object.assign(sides, { head: 1 });',
    'const { known } = record;',
  ].map(right),
  invalid: [
    wrong('record[key];', 'read'),
    wrong('record[key] = 1;', 'write'),
    wrong('record[key] ??= 1;', 'write'),
    wrong('record[key] += 1;', 'write'),
    wrong('record[key]++;', 'write'),
    wrong(
      'declare const two: Record<string, Record<string, number>>; (two[key] ??= {})[key] = 1;',
      'write',
      'write',
    ),
    wrong('declare const maybe: Record<string, number> | undefined; maybe?.[key];', 'read'),
    wrong('function at<Key extends string>(name: Key) { return record[name]; }', 'read'),
    wrong('record[`${key}`];', 'read'),
    // `to…` may be toString.
    wrong('record[`to${key}`] = 1;', 'write'),
    wrong('process.env[key];', 'read'),
    wrong('const { [key]: value } = record;', 'read'),
    wrong('key in record;', 'in'),
    wrong('key in sides;', 'in'),
    wrong('sides[key as "head"];', 'cast'),
    wrong('Object.assign({}, record);', 'assign'),
    wrong('Object.hasOwn(record, key) ? record[key + "x"] : 0;', 'read'),
    wrong('Object.hasOwn(record, key) || record[key];', 'read'),
    wrong('Object.hasOwn(sides, key) && record[key];', 'read'),
  ],
});
