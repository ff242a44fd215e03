import { expect, test } from '@jest/globals';
import { METRIC_NAME } from '../../session/metric.ts';
import type { Benchmark } from './benchmark.ts';
import { metricName, metricNames } from './names.ts';

test.each([
  ['test_dumps', 'test_dumps'],
  ['bench.Sorting/time-1.5', 'bench.Sorting/time-1.5'],
  ['json dumps', 'json_dumps'],
  ['test_sort[10]', 'test_sort_10'],
  ['test_split[a/b c-x|y]', 'test_split_a/b_c-x_y'],
  ["benchmarks.Sorting.time_sorted(10, 'list')", 'benchmarks.Sorting.time_sorted_10_list'],
  ['python -c "pass"', 'python_-c_pass'],
  ['2to3', 'bench_2to3'],
  ['__proto__', 'bench_proto'],
  ['größe', 'gr_e'],
  ['é', 'bench_'],
])('%j becomes %j', (name, expected) => {
  expect(metricName(name)).toBe(expected);
});

test('a name that is too long keeps its beginning and its end, and has a hash of the whole', () => {
  const long = `tests/benchmarks/test_serialisation.py::test_round_trip[${'x'.repeat(40)}-utf-8]`;
  const made = metricName(long);
  expect(made).toMatch(/^tests\/benchmarks\/test_seri\.\.x+-utf-8-[0-9a-f]{8}$/);
  expect(made).toHaveLength(63);
  expect(metricName(long)).toBe(made);
  expect(metricName(long.replace('round', 'found'))).not.toBe(made);
});

test.each([
  ['of 64 characters', 'a'.repeat(64)],
  ['of a million', `${'_'.repeat(1e6)}x`],
  ['of brackets alone', '[]'.repeat(100)],
  ['without any character', ''],
])('a name %s becomes a legal one', (_, name) => {
  expect(metricName(name)).toMatch(METRIC_NAME);
});

const named = (...names: readonly string[]): readonly Benchmark[] =>
  names.map((name) => ({ name, value: 1 }));

test('names that become the same are kept apart by a hash, in any order; a legal one stays', () => {
  const names = metricNames(named('a b', 'a_b', 'a[b]'));
  expect(names).toEqual([
    expect.stringMatching(/^a_b-[0-9a-f]{8}$/),
    'a_b',
    expect.stringMatching(/^a_b-[0-9a-f]{8}$/),
  ]);
  expect(metricNames(named('a[b]', 'a b', 'a_b'))).toEqual([names[2], names[0], names[1]]);
});

test('the full name distinguishes benchmarks with the same name in two files', () => {
  expect(
    metricNames([
      { name: 'test_x', fullName: 'one.py::test_x', value: 1 },
      { name: 'test_x', fullName: 'two.py::test_x', value: 1 },
      { name: 'test_y', fullName: 'two.py::test_y', value: 1 },
    ]),
  ).toEqual(['one.py_test_x', 'two.py_test_x', 'test_y']);
});

test('twins are numbered, past names that are taken', () => {
  expect(metricNames(named('sleep 1', 'sleep 1', 'sleep_1_2', 'sleep 1'))).toEqual([
    'sleep_1',
    'sleep_1_3',
    'sleep_1_2',
    'sleep_1_4',
  ]);
});

test('whatever the names are, the metrics are legal and as many', () => {
  const names = [
    ' ',
    '',
    'a',
    'A',
    'a ',
    ' a',
    'a'.repeat(80),
    'a'.repeat(81),
    'a'.repeat(80),
    '1',
    '2',
    '%',
    '%%',
  ];
  const made = metricNames(named(...names, ...names));
  expect(new Set(made).size).toBe(names.length * 2);
  for (const name of made) expect(name).toMatch(METRIC_NAME);
});
