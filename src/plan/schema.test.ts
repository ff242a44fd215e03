import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { configurationJsonSchema } from './configuration.ts';

const published = () =>
  JSON.parse(readFileSync('dist/configuration.schema.json', 'utf8')) as Record<string, unknown>;

test('the published JSON Schema is the one of this code', () => {
  expect(published()).toEqual(configurationJsonSchema());
});

test('an editor with the published schema accepts the documented example and refuses a typo', () => {
  const validate = new Ajv2020({ strict: false }).compile(published());
  const example = `
version: 1
workload: { context: ., files: [bench.py, data/], command: [python, bench.py], timeout: 10m }
variants:
  official: { interpreter: official, python: "3.13" }
  debian: { interpreter: debian, debian: trixie, flags: [-O] }
  here: { interpreter: host, python: python3 }
metrics: { wall_time_s: { limit: 3% }, tasks: { unit: tasks, better: higher, gate: false } }
rules: { alpha: 0.05, profile: balanced, budget: 20m, fail-on: [regressed] }
`;
  expect(validate(parse(example))).toBe(true);
  expect(validate(parse(example.replace('budget', 'bugdet')))).toBe(false);
  for (const [right, wrong] of [
    ['limit: 3%', 'limit: 3'],
    ['limit: 3%', 'limit: "3"'],
    ['timeout: 10m', 'timeout: "10"'],
    ['timeout: 10m', 'memory: "512"'],
    ['alpha: 0.05', 'alpha: 0.5'],
    ['alpha: 0.05', 'alpha: 1e-308'],
  ] as const)
    expect([wrong, validate(parse(example.replace(right, wrong)))]).toEqual([wrong, false]);
});
