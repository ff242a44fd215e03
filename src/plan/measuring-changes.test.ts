import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import { withMeasuringOf, withRulesOf } from './base-rules.ts';
import { measuringChanges } from './measuring-changes.ts';
import type { Plan } from './plan.ts';
import { refuseImpossible, resolvePlan } from './resolve.ts';

/** What a pull request changes of what measures it, and what of that holds. */

const BASE = `version: 1
workload:
  files: [bench.py, data/]
  command: [python, bench.py]
  timeout: 10m
variants:
  official: { interpreter: official, python: "3.13" }
  debian: { interpreter: debian, flags: [-O] }
rules: { blocks: 12 }
`;
const FILES = { 'bench.py': '100644 a', 'data/x.json': '100644 x' };
const resolve = (text: string) => resolvePlan({ text, file: 'pacegate.yml', root: '/project' });
const base = resolve(BASE);
const changes = (text: string, files: Readonly<Record<string, string>> = FILES) =>
  measuringChanges({ plan: resolve(text), files }, { plan: base, files: FILES });

test('identical measuring code is not a change', () => expect(changes(BASE)).toEqual([]));

test('a change to only the rules and metrics is not one of them', () =>
  expect(changes(`${BASE.replace('12', '20')}metrics: { wall_time_s: { limit: 50% } }\n`)).toEqual([]));

test.each<[string, string, readonly unknown[]]>([
  [
    'a variant that is removed',
    BASE.replace('  debian: { interpreter: debian, flags: [-O] }\n', ''),
    [{ kind: 'variant_removed', variant: 'debian' }],
  ],
  [
    'a variant that is added',
    BASE.replace('rules:', '  uv: { interpreter: uv, python: "3.13" }\nrules:'),
    [{ kind: 'variant_added', variant: 'uv' }],
  ],
  [
    'another Python version, which is part of the change',
    BASE.replace('3.13', '3.14'),
    [{ kind: 'variant_edited', variant: 'official', keys: ['PYTHON_VERSION'], starts: false }],
  ],
  [
    'flags, which are another command',
    BASE.replace('[-O]', '[-cpass]'),
    [{ kind: 'variant_edited', variant: 'debian', keys: ['flags'], starts: true }],
  ],
  [
    'the command',
    BASE.replace('[python, bench.py]', '[python, -c, pass]'),
    [{ kind: 'command', base: ['python', 'bench.py'], head: ['python', '-c', 'pass'] }],
  ],
  [
    'settings of the workload, each by itself',
    BASE.replace('timeout: 10m', 'timeout: 1m\n  env: { FAST: "1" }\n  network: bridge\n  repetitions: 1'),
    [
      { kind: 'setting', name: 'timeout', base: '600 s', head: '60 s' },
      { kind: 'setting', name: 'env', base: '', head: 'FAST=1' },
      { kind: 'setting', name: 'network', base: 'none', head: 'bridge' },
      { kind: 'setting', name: 'repetitions', base: 'auto', head: '1' },
    ],
  ],
  [
    'what is installed besides',
    BASE.replace('timeout: 10m', 'timeout: 10m\n  install: { packages: [pyperf, "a>=2"], groups: [bench] }'),
    [
      { kind: 'setting', name: 'install.groups', base: null, head: 'bench' },
      { kind: 'setting', name: 'install.packages', base: null, head: 'pyperf, a>=2' },
    ],
  ],
  [
    'files that are measured with no more',
    BASE.replace('[bench.py, data/]', '[data/]'),
    [{ kind: 'setting', name: 'files', base: 'bench.py, data/', head: 'data/' }],
  ],
])('%s', (_, head, expected) => expect(changes(head)).toEqual(expected));

test('the settings of a server that the command becomes, by the names of the configuration', () => {
  const head = BASE.replace('timeout: 10m', 'server: { ready: 8000, load: [python, load.py] }');
  const names = changes(head).flatMap((change) => (change.kind === 'setting' ? [change.name] : []));
  expect(names).toEqual([
    'repetitions',
    ...['ready', 'load', 'warm-up', 'start-timeout', 'stop', 'stop-timeout'].map((name) => `server.${name}`),
  ]);
});

test('the content of the measuring code, whatever the files are called', () =>
  expect(
    changes(BASE, { 'bench.py': '100644 b', 'data/y.json': '100644 x', constructor: '100644 c' }),
  ).toEqual([
    { kind: 'files', edited: ['bench.py'], added: ['data/y.json', 'constructor'], removed: ['data/x.json'] },
  ]));

describe('the rules that judge a pull request', () => {
  const judging = (head: string, kept: readonly string[] = ['bench.py', 'data/']): Plan =>
    withMeasuringOf(withRulesOf(resolve(head), base), base, kept);

  test('uses the base’s command and the base’s measuring code', () => {
    const { workload } = judging(
      BASE.replace('[python, bench.py]', '[python, -c, pass]')
        .replace('[bench.py, data/]', '[other.py]')
        .replace('timeout: 10m', 'timeout: 1m\n  repetitions: 3'),
      ['bench.py'],
    );
    expect(workload).toMatchObject({
      command: ['python', 'bench.py'],
      repetitions: 'auto',
      timeoutSeconds: 60,
      files: ['other.py', 'bench.py'],
    });
  });

  test('has no server where the base has none', () =>
    expect(
      judging(BASE.replace('timeout: 10m', 'server: { ready: 8000, load: [python, load.py] }')).workload
        .server,
    ).toBeUndefined());

  test('measures the variants of the base first', () =>
    expect(
      judging(
        BASE.replace('variants:\n', 'variants:\n  uv: { interpreter: uv, python: "3.13" }\n'),
      ).variants.map(({ name }) => name),
    ).toEqual(['official', 'debian', 'uv']));

  test('is refused where its variants and the rules of the base together can never call a change', () => {
    const many = Array.from(
      { length: 12 },
      (_, n) => `  v${n}: { interpreter: debian, env: { N: "${n}" } }\n`,
    );
    // The head's own rules would do for so many.
    const head = BASE.replace('rules: { blocks: 12 }', `${many.join('')}rules: { blocks: 30 }`);
    const strict = resolve(BASE.replace('blocks: 12', 'blocks: 8'));
    const refused = () => refuseImpossible(withRulesOf(resolve(head), strict), strict, 'pacegate.yml');
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(
      /the variants that this change adds \(v0, .*\): rules\.blocks: found 8, which can never reach significance: 36 tests \(12 variants x 3 metrics\) share alpha 0\.05/,
    );
    expect(() => refuseImpossible(strict, strict, 'pacegate.yml')).not.toThrow();
  });
});
