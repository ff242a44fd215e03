import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { guarded, withMeasuringOf, withRulesOf } from './base-rules.ts';
import { configurationJsonSchema } from './configuration.ts';
import type { Plan } from './plan.ts';
import { resolvePlan } from './resolve.ts';

/** docs/security.md: of every field of the configuration, whether a change or its base decides it. */

type Values = readonly [base: unknown, head: unknown];
const FIELDS: Readonly<Record<string, Values>> = {
  'metrics.*': [{ wall_time_s: { limit: '4%' } }, { wall_time_s: { limit: '50%' } }],
  'rules.alpha': [0.05, 0.01],
  'rules.profile': ['balanced', 'loose'],
  'rules.blocks': [30, 25],
  'rules.budget': ['20m', '10m'],
  'rules.evidence': ['auto', 'paired'],
  'rules.fail-on': [['regressed'], ['failed']],
  'build.cache-from': [['type=gha'], ['type=registry,ref=x']],
  'build.cache-to': [['type=gha'], ['type=registry,ref=x']],
  'build.secrets': [['id=a,env=A'], ['id=b,env=B']],
  'build.ca': ['a.pem', 'b.pem'],
  'build.registry': ['a.example/x', 'b.example/x'],
  'build.cold': ['quick', 'all'],
  'rules.changed-measurement': ['report', 'fail'],
  'workload.instructions': ['none', 'counters'],
  'workload.command': [
    ['python', 'a.py'],
    ['python', '-c', 'pass'],
  ],
  'workload.repetitions': [1, 2],
  'workload.server': [
    { ready: 8000, load: ['python', 'load.py'] },
    { ready: 8000, load: ['python', '-c', 'pass'] },
  ],
};

/** What the change itself decides. */
const OWN: Readonly<Record<string, Values>> = {
  'workload.context': ['.', 'app'],
  'workload.dockerfile': ['Dockerfile', 'Dockerfile.perf'],
  'workload.files': [['a.py'], ['b.py']],
  'workload.timeout': ['1m', '2m'],
  'workload.env': [{ A: '1' }, { A: '2' }],
  'workload.network': ['none', 'bridge'],
  'workload.memory': ['1g', '2g'],
  'workload.pids': [10, 20],
  'workload.profiler': ['cprofile', 'none'],
};

function plan(field: string, value: unknown): Plan {
  const [section = '', key = ''] = field.split('.');
  const given: Record<string, unknown> = {
    version: 1,
    workload: { command: ['python', 'bench.py'] },
    variants: { a: { interpreter: 'debian' } },
  };
  given[section] =
    key === '*' ? value : { ...(given[section] as Record<string, unknown> | undefined), [key]: value };
  return resolvePlan({ text: JSON.stringify(given), file: 'pacegate.yml', root: '/project' });
}

/** The plan that judges a change, as the gate makes it. */
const judging = (change: Plan, base: Plan) =>
  guarded(withMeasuringOf(withRulesOf(change, base), base, []), base);

const table = readFileSync('docs/security.md', 'utf8');

test.each(Object.entries(FIELDS))('%s is decided by the base', (field, [base, head]) => {
  const [own, change] = [plan(field, base), plan(field, head)];
  expect(change).not.toEqual(own);
  expect(judging(change, own)).toEqual({ ...own, confined: true });
  expect(table).toMatch(new RegExp(`\\| \`${field.replace('*', '\\*')}\` +\\| base`));
});

test.each(Object.entries(OWN))('%s is decided by the change', (field, [base, head]) => {
  const [own, change] = [plan(field, base), plan(field, head)];
  expect(change.workload).not.toEqual(own.workload);
  expect(judging(change, own).workload).toEqual(change.workload);
  expect(table).toMatch(new RegExp(`\\| \`${field}\` +\\| head`));
});

test('every field of the configuration has a line in the table', () => {
  const { properties } = configurationJsonSchema() as {
    properties: Record<string, { properties?: Record<string, unknown> }>;
  };
  const expected = Object.entries(properties).flatMap(([section, { properties: inner }]) =>
    inner === undefined ? [section] : Object.keys(inner).map((key) => `${section}.${key}`),
  );
  const missing = expected.filter((field) => !table.includes(`| \`${field}`));
  expect(missing).toEqual([]);
});

test('every test that docs/security.md names is there', () => {
  const named = [...table.matchAll(/`(src\/[\w./-]+\.test\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
