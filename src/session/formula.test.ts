import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { namesIn, parseFormula, withHybrids } from './formula.ts';
import { defaultRule, type MetricRule } from './metric.ts';
import { metricRule } from './metric.test-support.ts';

const hybrid = (name: string, formula: string): MetricRule => ({ ...defaultRule(name, true), formula });
const valueOf = (formula: string, metrics: Record<string, number> = {}) =>
  withHybrids(metrics, [hybrid('x', formula)])['x'];

const RUN = { cpu_time_s: 12, tasks: 4, max_rss_bytes: 100, zero: 0, 'per-task': 7 };

test.each([
  ['cpu_time_s / tasks', 3],
  ['(cpu_time_s + max_rss_bytes) * 2', 224],
  ['cpu_time_s + max_rss_bytes * 2', 212],
  ['cpu_time_s - tasks - tasks', 4],
  ['cpu_time_s / tasks / 3', 1],
  ['-cpu_time_s + 20', 8],
  ['cpu_time_s*1e3', 12_000],
  ['0.5 * tasks', 2],
  ['60', 60],
  ['zero / tasks', 0],
])('%s is %d', (formula, value) => expect(valueOf(formula, RUN)).toBeCloseTo(value, 12));

test.each([
  ['a division by zero', 'cpu_time_s / zero'],
  ['zero by zero, which is no number', 'zero / zero'],
  ['what is divided by what has no value', 'tasks / (tasks / zero)'],
  ['a metric that the run has not', 'cpu_time_s / jobs'],
  ['a sum with a metric that the run has not', 'cpu_time_s + jobs'],
  ['a value beyond all numbers', 'cpu_time_s * 1e308 * 1e308'],
  ['a property of every object', 'toString / tasks'],
])('%s has no value', (_, formula) => expect(withHybrids(RUN, [hybrid('x', formula)])).toEqual(RUN));

test.each([
  '',
  '   ',
  'cpu_time_s /',
  'cpu_time_s tasks',
  'cpu_time_s; tasks',
  'cpu_time_s, tasks',
  '(cpu_time_s',
  'cpu_time_s % tasks',
  'cpu_time_s ** 2',
  'cpu_time_s ^ 2',
  'tasks > 1',
  'tasks ? 1 : 2',
  'tasks || 1',
  '!tasks',
  '~tasks',
  '"text"',
  'true',
  'null',
  'this',
  'tasks.length',
  'tasks[0]',
  'process.exit()',
  'exit()',
  '[tasks]',
  'täsks',
  '$tasks',
  '_tasks',
  '1e999',
])('%j is not a formula', (text) => expect(parseFormula(text)).toBeUndefined());

test('a very long text is not a formula', () => {
  expect(parseFormula('1 + '.repeat(100) + '1')).toBeDefined();
  expect(parseFormula('1 + '.repeat(200) + '1')).toBeUndefined();
});

test('a name with a hyphen is a difference: such a metric cannot be in a formula', () => {
  const formula = parseFormula('per-task');
  expect(formula && namesIn(formula)).toEqual(['per', 'task']);
  expect(valueOf('per-task', RUN)).toBeUndefined();
});

describe('formulas over formulas', () => {
  test('are had in any order', () => {
    const rules = [hybrid('a', 'b * 2'), hybrid('b', 'cpu_time_s / tasks'), hybrid('c', 'a + b')];
    expect(withHybrids(RUN, rules)).toEqual({ ...RUN, a: 6, b: 3, c: 9 });
  });

  test('that need each other have no value, and the computation ends', () => {
    const rules = [hybrid('a', 'b + 1'), hybrid('b', 'a + 1'), hybrid('own', 'own * 2')];
    expect(withHybrids({ ...RUN, own: 5 }, rules)).toEqual(RUN);
  });
});

test('every text gives a finite value or none', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '0',
    '1',
    '2.5',
    '+',
    '-',
    '*',
    '/',
    '(',
    ')',
    ' ',
    '1e300',
    '.',
    '%',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const value = valueOf(pieces.join(''), { a: 0, b: 3 });
      expect(value === undefined || Number.isFinite(value)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('brackets and precedence are those of the language', () => {
  const number = fc.integer({ min: 1, max: 99 }).map(String);
  const operator = fc.constantFrom('+', '-', '*');
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      number,
      fc.tuple(tie('node'), operator, tie('node')).map(([left, sign, right]) => `(${left} ${sign} ${right})`),
      fc.tuple(number, operator, tie('node')).map((words) => words.join(' ')),
      fc.tuple(tie('node'), fc.constant('/'), number).map((words) => words.join(' ')),
    ),
  }));
  fc.assert(
    fc.property(node, (text) => {
      expect(valueOf(text)).toBe(runInNewContext(text));
    }),
  );
});

const chained = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    metricRule(`m${index + 1}`, { formula: `m${index} + m${index}` }),
  );

test('each formula of a chain is worked out once', () => {
  expect(withHybrids({ m0: 1 }, chained(60))['m60']).toBe(2 ** 60);
});

test('a chain that is too long has no value, and no end either', () => {
  expect(withHybrids({ m0: 1 }, chained(5000).reverse())['m5000']).toBeUndefined();
});

test('a property that every object inherits is not a metric', () => {
  const rule = metricRule('x');
  expect(withHybrids({ a: 1 }, [{ ...rule, formula: '-constructor' }])).toEqual({ a: 1 });
  expect(withHybrids({ a: 1 }, [{ ...rule, formula: 'a + toString' }])).toEqual({ a: 1 });
  expect(withHybrids({ constructor: 2 }, [{ ...rule, formula: '-constructor' }])).toEqual({
    constructor: 2,
    x: -2,
  });
});
