import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultRule, type MetricPattern } from './metric.ts';
import { matchesPattern } from './name-pattern.ts';
import { isJudgedIn, MOST_OF_A_PATTERN, reportedBy, withPatterns } from './patterns.ts';
import { familySize } from './shard.ts';
import type { Rules } from './rules.ts';
import type { Side } from './run.ts';

const pattern = (text: string, change: Partial<MetricPattern> = {}): MetricPattern => ({
  ...{ pattern: text, gate: true, limit: 0.03 },
  ...change,
});
const rules = (patterns: readonly MetricPattern[], named: readonly string[] = []): Rules => ({
  ...{ alpha: 0.05, profile: 'balanced', blocks: 30, evidence: 'auto', failOn: ['regressed'] },
  metrics: [defaultRule('wall_time_s', true), ...named.map((name) => defaultRule(name, true))],
  patterns: [...patterns],
});
/** Variant -> side -> names; a side that is not there was not to run. */
type Names = Readonly<Record<string, Partial<Record<Side, readonly string[]>>>>;
const reported = (names: Names) =>
  reportedBy(
    Object.keys(names),
    (variant, side) => names[variant]?.[side] !== undefined,
    Object.entries(names).flatMap(([variant, sides]) =>
      Object.entries(sides).map(([side, own]) => ({
        variant,
        side: side as Side,
        metrics: Object.fromEntries(own.map((name) => [name, 1])),
      })),
    ),
  );
const both = (...names: string[]) => ({ baseline: names, head: names });
/** What the patterns became: name, pattern, limit and the variants in which it is judged. */
const standing = (given: Rules, names: Names, declared = {}) =>
  withPatterns(given, reported(names), declared)
    .metrics.filter((rule) => rule.pattern !== undefined)
    .map(({ name, limit, pattern: of }) => [name, of?.text, limit, of?.variants.join('+')]);

describe('a name matches a pattern', () => {
  test.each([
    ['*', 'anything', true],
    ['test_*', 'test_sort', true],
    ['test_*', 'test_', true],
    ['test_*', 'a_test_sort', false],
    ['*_sort', 'test_sort', true],
    ['*_sort', 'test_sorted', false],
    ['test_*_10', 'test_sort_10', true],
    ['test_*_10', 'test_10', false],
    ['a*a', 'a', false],
    ['a*b*c', 'axbxc', true],
    ['a*b*c', 'axcxb', false],
    ['a.c*', 'abcd', false],
  ])('%s, %s: %s', (text, name, expected) => expect(matchesPattern(text, name)).toBe(expected));

  test('as a regular expression has it, and in no time where that would take years', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 12 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(patterns, letters, (text, name) => {
        const expression = new RegExp(`^${text.replaceAll('*', '.*')}$`);
        expect(matchesPattern(text, name)).toBe(expression.test(name));
      }),
      { numRuns: 2000 },
    );
    expect(matchesPattern('*a'.repeat(31), 'a'.repeat(60) + 'b')).toBe(false);
  });
});

test('a pattern matches metrics that both sides reported, never a measured metric', () => {
  expect(
    standing(rules([pattern('*', { limit: 0.1 })]), { a: both('test_x', 'cpu_time_s', 'tasks') }),
  ).toEqual([
    ['test_x', '*', 0.1, 'a'],
    ['tasks', '*', 0.1, 'a'],
  ]);
  expect(
    standing(rules([pattern('*')]), { a: { baseline: ['kept', 'gone'], head: ['kept', 'new'] } }),
  ).toEqual([['kept', '*', 0.03, 'a']]);
});

test('an exact name takes precedence over a pattern, and the first matching pattern over the next', () => {
  const given = rules(
    [pattern('test_slow*', { gate: false }), pattern('test_*', { limit: 0.05 }), pattern('*')],
    ['test_named'],
  );
  const names = { a: both('test_named', 'test_slow_one', 'test_x', 'other') };
  expect(standing(given, names)).toEqual([
    ['test_slow_one', 'test_slow*', 0.03, 'a'],
    ['test_x', 'test_*', 0.05, 'a'],
    ['other', '*', 0.03, 'a'],
  ]);
  const all = withPatterns(given, reported(names), {}).metrics;
  expect(all.filter((rule) => isJudgedIn(rule, 'a')).map(({ name }) => name)).toEqual([
    ...['wall_time_s', 'test_named', 'test_x', 'other'],
  ]);
});

test('a benchmark of some variants is judged only there', () => {
  const given = withPatterns(rules([pattern('*')]), reported({ a: both('x'), b: both('x', 'y') }), {});
  const y = given.metrics.find(({ name }) => name === 'y')!;
  expect([isJudgedIn(y, 'a'), isJudgedIn(y, 'b')]).toEqual([false, true]);
  expect(isJudgedIn(given.metrics[0]!, 'a')).toBe(true);
});

describe('a pattern without a match has its own row, and never passes silently', () => {
  test.each<[string, readonly MetricPattern[], Names]>([
    ['a typo', [pattern('tset_*')], { a: both('test_x') }],
    ['a head that died', [pattern('*')], { a: { baseline: ['test_x'], head: [] } }],
    ['nothing was run', [pattern('*')], { a: {} }],
    ['only measured ones match', [pattern('wall_*')], { a: both('test_x') }],
    [
      'more than it may stand for',
      [pattern('*')],
      { a: both(...Array.from({ length: MOST_OF_A_PATTERN + 1 }, (_, index) => `test_${index}`)) },
    ],
  ])('%s', (_, patterns, names) => {
    expect(standing(rules(patterns), names)).toEqual([
      [patterns[0]!.pattern, patterns[0]!.pattern, 0.03, 'a'],
    ]);
  });

  test.each<[string, readonly MetricPattern[], readonly string[], Names]>([
    ['what it matches is named by itself', [pattern('test_*')], ['test_x'], { a: both('test_x') }],
    ['one before it has all', [pattern('test_*'), pattern('*')], [], { a: both('test_x') }],
    ['it is not judged', [pattern('none_*', { gate: false })], [], { a: both('test_x') }],
  ])('but not where %s', (_, patterns, named, names) => {
    expect(standing(rules(patterns, named), names).map(([name]) => name)).not.toContain(
      patterns.at(-1)!.pattern,
    );
  });

  test('of only one variant', () => {
    expect(standing(rules([pattern('*')]), { a: both('x'), b: { baseline: ['x'], head: [] } })).toEqual([
      ['x', '*', 0.03, 'a'],
      ['*', '*', 0.03, 'b'],
    ]);
  });
});

test('unit and direction are the pattern’s, otherwise those that the workload reports', () => {
  const declared = { x: { unit: 'jobs', better: 'higher' as const } };
  const rule = (given: MetricPattern) =>
    withPatterns(rules([given]), reported({ a: both('x', 'y_s') }), declared).metrics.filter(
      ({ pattern: of }) => of !== undefined,
    );
  expect(rule(pattern('*'))).toMatchObject([
    { name: 'x', unit: 'jobs', better: 'higher' },
    { name: 'y_s', unit: 's', better: 'lower' },
  ]);
  expect(rule(pattern('*', { unit: 'ms', better: 'lower' }))[0]).toMatchObject({
    unit: 'ms',
    better: 'lower',
  });
});

test('names in a file that are not metrics match nothing', () => {
  expect(standing(rules([pattern('*')]), { a: both('__proto__', 'a b', 'constructor') })).toEqual([
    ['constructor', '*', 0.03, 'a'],
  ]);
});

test('resolving again gives the same, by the rules alone, and a size of the family that counts each name', () => {
  const names = reported({ a: both('x'), b: both('x', 'y') });
  const once = withPatterns(rules([pattern('*')]), names, {});
  expect(withPatterns(once, names, {})).toEqual(once);
  // wall_time_s, x and y, in each of four variants.
  expect(familySize(4, once.metrics)).toBe(12);
});
