import { expect, test } from '@jest/globals';
import { reportTaker, type DeclaredMetrics } from './declared.ts';
import type { Side } from './run.ts';

const report = (
  side: Side,
  metrics: Readonly<Record<string, number>>,
  declared: DeclaredMetrics = {},
  variant = 'a',
) => ({ side, variant, metrics, declared });

const inUnit = (unit: string) => ({ parse: { unit } });

test.each([
  ['us', 900, 'ms', 1.2, 1200],
  ['ms', 1.2, 'us', 900, 0.9],
  ['s', 1, 'min', 2, 120],
  ['MiB', 1, 'kB', 2097.152, 2],
  ['MB/s', 3, 'kB/s', 1500, 1.5],
  ['tasks/min', 60, 'tasks/s', 2, 120],
  ['%', 50, '1', 0.25, 25],
  ['tasks', 7, 'tasks', 8, 8],
])(
  'a baseline in %s (%d) and a head in %s (%d) are one unit: %d',
  (unit, baseline, other, head, expected) => {
    const taker = reportTaker([]);
    expect(taker.take(report('baseline', { parse: baseline }, inUnit(unit)))).toEqual({ parse: baseline });
    expect(taker.take(report('head', { parse: head }, inUnit(other)))).toEqual({ parse: expected });
    expect(taker.declared()).toEqual({ parse: { unit } });
  },
);

test('values are converted into the configuration’s unit, if they can be', () => {
  const taker = reportTaker([{ name: 'parse', unit: 'ms' }]);
  expect(taker.take(report('baseline', { parse: 900 }, inUnit('us')))).toEqual({ parse: 0.9 });
  // Without a word it is what the configuration says.
  expect(taker.take(report('head', { parse: 1.2 }))).toEqual({ parse: 1.2 });
  expect(taker.declared()).toEqual({ parse: { unit: 'ms' } });
});

test.each<[string, DeclaredMetrics, DeclaredMetrics, string]>([
  [
    'two kinds',
    inUnit('ms'),
    inUnit('MB'),
    'the baseline of a reports it in ms and the head of a in MB, and one cannot be converted into the other',
  ],
  [
    'a word of one’s own',
    inUnit('tasks'),
    inUnit('requests'),
    'the baseline of a reports it in tasks and the head of a in requests, and one cannot be converted into the other',
  ],
  [
    'KB, which has two meanings',
    inUnit('kB'),
    inUnit('KB'),
    'the baseline of a reports it in kB and the head of a in KB, and one cannot be converted into the other',
  ],
  [
    'no unit on one side',
    inUnit('us'),
    {},
    'the baseline of a reports it in us and the head of a without a unit, and one cannot be converted into the other',
  ],
  [
    'no unit on the other side',
    {},
    inUnit('us'),
    'the baseline of a reports it without a unit and the head of a in us, and one cannot be converted into the other',
  ],
  [
    'two directions',
    { parse: { better: 'lower' } },
    { parse: { better: 'higher' } },
    'the baseline of a says that lower is better, and the head of a that higher is',
  ],
  [
    'a direction on one side alone',
    {},
    { parse: { better: 'higher' } },
    'the baseline of a says that lower is better, and the head of a that higher is',
  ],
])('%s: a conflict, and no direction is the last one’s', (_, baseline, head, conflict) => {
  const taker = reportTaker([]);
  taker.take(report('baseline', { parse: 1 }, baseline));
  taker.take(report('head', { parse: 2 }, head));
  expect(taker.declared()['parse']).toEqual({ ...baseline['parse'], conflict });
  // What a later run says takes nothing back.
  taker.take(report('head', { parse: 2 }, baseline));
  expect(taker.declared()['parse']?.conflict).toBe(conflict);
});

test.each<[DeclaredMetrics, DeclaredMetrics]>([
  [inUnit('tasks'), {}],
  [{}, inUnit('tasks')],
  [{}, { parse: { better: 'lower' } }],
])('%j and %j are not a conflict', (baseline, head) => {
  const taker = reportTaker([]);
  taker.take(report('baseline', { parse: 1 }, baseline));
  taker.take(report('head', { parse: 2 }, head));
  expect(taker.declared()['parse']?.conflict).toBeUndefined();
});

/** Two tests of one name in two classes, as `readResults` hands them over. */
const A = { short: 'test_same', full: 't.py_A_test_same#aaaaaaaa' };
const B = { short: 'test_same', full: 't.py_B_test_same#bbbbbbbb' };
const bothClasses = {
  metrics: { 't.py_A_test_same': 2, 't.py_B_test_same': 3 },
  declared: { 't.py_A_test_same': A, 't.py_B_test_same': B },
};
const aAlone = { metrics: { test_same: 1 }, declared: { test_same: { full: A.full } } };

test('a benchmark keeps its name when the head adds another of the same short name', () => {
  const taker = reportTaker([]);
  taker.take({ ...report('baseline', {}), ...aAlone });
  expect(taker.take({ ...report('head', {}), ...bothClasses })).toEqual({
    test_same: 2,
    't.py_B_test_same': 3,
  });
  expect(taker.declared()).toEqual({ test_same: { full: A.full }, 't.py_B_test_same': B });
});

test('… and when the head removes the other', () => {
  const taker = reportTaker([]);
  taker.take({ ...report('baseline', {}), ...bothClasses });
  expect(taker.take({ ...report('head', {}), ...aAlone })).toEqual({ 't.py_A_test_same': 1 });
});

test('a benchmark that moved to another file keeps its short name', () => {
  const taker = reportTaker([]);
  taker.take({ ...report('baseline', {}), ...aAlone });
  const moved = report('head', { test_same: 4 }, { test_same: { full: 'u.py_A_test_same#cccccccc' } });
  expect(taker.take(moved)).toEqual({ test_same: 4 });
});

test('a benchmark never gets a name that another benchmark of the same run has', () => {
  const taker = reportTaker([]);
  // `a b` alone is a_b; beside a benchmark that is called so it has a hash.
  taker.take(report('baseline', { a_b: 1 }, { a_b: { full: 'a_b#11111111' } }));
  const head = report(
    'head',
    { 'a_b-11111111': 2, a_b: 9 },
    { 'a_b-11111111': { short: 'a_b', full: 'a_b#11111111' } },
  );
  expect(taker.take(head)).toEqual({ a_b: 2, a_b_2: 9 });
});

test('names that objects inherit are names as any other', () => {
  const taker = reportTaker([]);
  const hostile = { constructor: 1, toString: 2, valueOf: 3, hasOwnProperty: 4 };
  expect(taker.take(report('baseline', hostile))).toEqual(hostile);
  expect(taker.take(report('head', hostile))).toEqual(hostile);
  expect(taker.declared()).toEqual({});
});
