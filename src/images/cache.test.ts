import { expect, test } from '@jest/globals';
import type { BuildOptions, Plan, Variant } from '../plan/plan.ts';
import { planOf } from '../plan/plan.test-support.ts';
import { cacheWarnings, compileWarnings } from '../plan/warnings.ts';
import { cacheEntry } from './cache.ts';

test.each([
  ['type=gha', 'type=gha,scope=pacegate-debian'],
  ['type=gha,mode=max,scope=ci', 'type=gha,mode=max,scope=ci-debian'],
  ['type=gha,scope={variant}-x', 'type=gha,scope=debian-x'],
  ['type=registry,ref=r/cache:{variant}', 'type=registry,ref=r/cache:debian'],
  ['type=registry,ref=r/cache', 'type=registry,ref=r/cache'],
  ['type=local,src=cache', 'type=local,src=cache'],
  ['r/cache:one', 'r/cache:one'],
])('%s is %s for the variant debian', (entry, expected) =>
  expect(cacheEntry(entry, 'debian')).toBe(expected),
);

const interpreter = (name: string, kind: 'pyenv' | 'debian'): Variant => ({
  name,
  kind: 'interpreter',
  interpreter: kind,
  args: {},
  contexts: {},
  flags: [],
  env: {},
});

const planWith = (variants: Variant[], build: Partial<BuildOptions>): Plan => ({
  ...planOf(),
  variants,
  build: { ...planOf().build, ...build },
});

test('compiling is announced with its minutes where nothing would keep the result', () => {
  const variants = [interpreter('a', 'debian'), interpreter('b', 'pyenv')];
  expect(compileWarnings(planWith(variants, {}))).toEqual([
    expect.stringMatching(/^Compiling takes, on two cores, b 3 to 4 minutes: .*build\.cache-from/),
  ]);
  expect(compileWarnings(planWith(variants, { registry: 'r' }))).toEqual([]);
  expect(compileWarnings(planWith(variants, { cacheFrom: ['type=gha'] }))).toEqual([]);
  expect(compileWarnings(planWith(variants.slice(0, 1), {}))).toEqual([]);
});

test.each([
  ['type=registry,ref=r/cache', 1],
  ['type=registry,ref=r/cache:{variant}', 0],
  ['type=local,dest=cache', 1],
  ['type=gha', 0],
  ['type=inline', 0],
])('two variants that write to %s: %d warnings', (entry, count) =>
  expect(
    cacheWarnings(planWith([interpreter('a', 'debian'), interpreter('b', 'pyenv')], { cacheTo: [entry] })),
  ).toHaveLength(count),
);
