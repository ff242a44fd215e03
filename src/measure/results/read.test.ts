import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { DeclaredMetrics } from '../../session/declared.ts';
import { readResults } from './read.ts';

/** Files that the tools themselves wrote: see fixtures/results/README.md. */
const FIXTURES = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'results');
const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');

const SECONDS = { unit: 's', better: 'lower' };

/** The expected figures were worked out from the files by hand. */
test.each([
  [
    'pyperf-suite.json',
    { json_dumps: 1.1593203119275586e-5, sorted_100: 1.002933349703028e-6 },
    { json_dumps: SECONDS, sorted_100: SECONDS },
  ],
  ['pyperf-timeit.json', { timeit: 2.420421219007096e-8 }, { timeit: SECONDS }],
  ['pyperf-memory.json', { command: 12767232 }, { command: { unit: 'bytes', better: 'lower' } }],
  [
    'hyperfine.json',
    {
      true_n_1: 0.000626371,
      'sleep_0.01_n_1': 0.012211057,
      true_n_2: 0.000609656,
      'sleep_0.01_n_2': 0.011544917,
    },
    { true_n_1: SECONDS, 'sleep_0.01_n_1': SECONDS, true_n_2: SECONDS, 'sleep_0.01_n_2': SECONDS },
  ],
  [
    'asv.json',
    {
      'benchmarks.Sorting.peakmem_sorted_10_list': 24719360,
      'benchmarks.Sorting.peakmem_sorted_1000_list': 24731648,
      'benchmarks.Sorting.peakmem_sorted_1000_tuple': 24731648,
      'benchmarks.Sorting.time_sorted_10_list': 2.7940004656556994e-6,
      'benchmarks.Sorting.time_sorted_1000_list': 1.073600105883088e-5,
      'benchmarks.Sorting.time_sorted_1000_tuple': 7.29100065655075e-6,
      'benchmarks.mem_list': 856,
      'benchmarks.time_dumps': 2.0770999981323257e-5,
      'benchmarks.track_length': 390,
    },
    expect.objectContaining({
      'benchmarks.Sorting.peakmem_sorted_10_list': { unit: 'bytes' },
      'benchmarks.mem_list': { unit: 'bytes' },
      'benchmarks.time_dumps': { unit: 's' },
    }),
  ],
  [
    'list.txt',
    { parse: 12.5, 'compile_3.13': 0.25, objects: 1200 },
    { parse: { unit: 'ms' }, 'compile_3.13': { unit: 's' } },
  ],
])('%s becomes metrics', (file, values, declared) => {
  const read = readResults(fixture(file));
  if (typeof read === 'string') throw new Error(read);
  expect(Object.keys(read.values)).toEqual(Object.keys(values));
  for (const [name, value] of Object.entries(values)) expect(read.values[name]).toBeCloseTo(value, 15);
  expect(unitsOf(read.declared)).toEqual(declared);
});

/** What is declared but for the benchmark's other names, which have a test of their own. */
const unitsOf = (declared: DeclaredMetrics) =>
  Object.fromEntries(
    Object.entries(declared)
      .map(
        ([name, { unit, better }]) =>
          [
            name,
            { ...(unit === undefined ? {} : { unit }), ...(better === undefined ? {} : { better }) },
          ] as const,
      )
      .filter(([, said]) => Object.keys(said).length > 0),
  );

test('pytest-benchmark.json becomes metrics: the medians that it has', () => {
  const text = fixture('pytest-benchmark.json');
  const file = JSON.parse(text) as { benchmarks: { stats: { median: number } }[] };
  const names = ['test_dumps', 'test_sort_10', 'test_sort_100', 'test_split_a/b_c', 'test_split_x_y'];
  const read = readResults(text);
  if (typeof read === 'string') throw new Error(read);
  expect(read.values).toEqual(
    Object.fromEntries(names.map((name, index) => [name, file.benchmarks[index]?.stats.median])),
  );
  expect(unitsOf(read.declared)).toEqual(Object.fromEntries(names.map((name) => [name, SECONDS])));
  expect(read.declared['test_dumps']?.full).toMatch(/^test_bench\.py_test_dumps#[0-9a-f]{8}$/);
  expect(read.declared['test_dumps']?.short).toBeUndefined();
});

/** A file with another value at one place; undefined takes it away. */
function changed(name: string, place: string, value: unknown): string {
  const file = JSON.parse(fixture(name)) as Record<string, unknown>;
  const keys = place.split('.');
  const parent = keys.slice(0, -1).reduce((found, key) => found[key] as Record<string, unknown>, file);
  parent[keys.at(-1) ?? ''] = value;
  return JSON.stringify(file);
}

describe('a file that cannot be read is refused at its place', () => {
  test.each<[string, string, string]>([
    [
      'pyperf: a value in words',
      changed('pyperf-suite.json', 'benchmarks.1.runs.2.values.0', 'fast'),
      '(PACEGATE_METRICS, a pyperf file, benchmarks.1.runs.2.values.0): Invalid input: expected number',
    ],
    [
      'pyperf: only calibrated',
      changed('pyperf-suite.json', 'benchmarks.1.runs', [{ warmups: [[1, 2]] }]),
      'a pyperf file, benchmarks.1.runs): no run of "sorted(100)" has values, so it was only calibrated',
    ],
    [
      'pyperf: a unit that it does not have',
      changed('pyperf-timeit.json', 'metadata.unit', 'furlong'),
      'a pyperf file, metadata.unit): Invalid option: expected one of "second"|"byte"|"integer"',
    ],
    ['pyperf: nothing', '{"benchmarks": [], "version": "1.0"}', 'a pyperf file, benchmarks)'],
    [
      'pytest-benchmark: no median',
      changed('pytest-benchmark.json', 'benchmarks.3.stats.median', undefined),
      'a pytest-benchmark file, benchmarks.3.stats.median): Invalid input: expected number, received undefined',
    ],
    [
      'pytest-benchmark: a median that Python calls NaN',
      '{"machine_info": {}, "benchmarks": [{"name": "NaN", "stats": {"median": NaN}}]}',
      'a pytest-benchmark file, benchmarks.0.stats.median): Invalid input: expected number',
    ],
    [
      'pytest-benchmark: nothing',
      '{"machine_info": {}, "benchmarks": []}',
      'a pytest-benchmark file, benchmarks): it holds no benchmark',
    ],
    [
      'hyperfine: a negative time',
      changed('hyperfine.json', 'results.1.median', -1),
      'a hyperfine file, results.1.median): Too small',
    ],
    ['hyperfine: nothing', '{"results": []}', 'a hyperfine file, results): it holds no command'],
    [
      'asv: a benchmark that failed',
      fixture('asv-failed.json'),
      'an asv file, results.benchmarks.time_broken): benchmarks.time_broken failed. Correct it, or leave it out with asv',
    ],
    [
      'asv: results that are not those of its parameters',
      '{"version": 2, "result_columns": ["result", "params"], "results": {"time_x": [[1, 2], [["1"]]]}}',
      'an asv file, results.time_x): 2 results for 1 combinations of its parameters',
    ],
    [
      'asv: infinity',
      '{"version": 2, "result_columns": ["result", "params"], "results": {"time_x": [[-Infinity], []]}}',
      'an asv file, results.time_x, result.0): expected a number, NaN or null',
    ],
    [
      'asv: another version',
      '{"version": 1, "result_columns": [], "results": {}}',
      'an asv file, version): found version 1; must be 2, as asv 0.5 and newer write it',
    ],
    [
      'asv: version 1 as it was',
      '{"commit_hash": "0", "version": 1, "results": {"b.time_x": 0.5}}',
      'an asv file, version): found version 1; must be 2, as asv 0.5 and newer write it',
    ],
    [
      'asv: parameters whose combinations cannot be counted out',
      JSON.stringify({
        version: 2,
        result_columns: ['result', 'params'],
        results: { time_x: [null, Array.from({ length: 26 }, () => ['1', '2'])] },
      }),
      'an asv file, results.time_x): time_x failed',
    ],
    [
      'asv: results of 26 parameters',
      JSON.stringify({
        version: 2,
        result_columns: ['result', 'params'],
        results: { time_x: [[1], Array.from({ length: 26 }, () => ['1', '2'])] },
      }),
      '1 results for 67108864 combinations',
    ],
    [
      'hyperfine: a command that failed',
      '{"results": [{"command": "python cli.py", "median": 0.2, "exit_codes": [0, 1, 1]}]}',
      'a hyperfine file, results.0.exit_codes): "python cli.py" failed: it ended with 1 in 2 of 3 runs',
    ],
    [
      'hyperfine: a command that a signal ended',
      '{"results": [{"command": "x", "median": 0.2, "exit_codes": [null]}]}',
      '"x" failed: it ended with a signal in 1 of 1 runs',
    ],
    [
      'pytest-benchmark: a benchmark that failed',
      '{"machine_info": {}, "benchmarks": [{"name": "t", "has_error": true, "stats": {"median": 1}}]}',
      'a pytest-benchmark file, benchmarks.0): "t" failed: it reports that it failed',
    ],
    [
      'pytest-benchmark: no round',
      '{"machine_info": {}, "benchmarks": [{"name": "t", "stats": {"median": 0, "rounds": 0}}]}',
      '"t" failed: it has no round',
    ],
    [
      'pyperf: a worker that failed',
      '{"benchmarks": [{"metadata": {"name": "x"}, "runs": [{"values": [1]}, {"values": [2], "metadata": {"exit_code": 3}}]}]}',
      'a pyperf file, benchmarks.0): "x" failed: it ended with 3',
    ],
    [
      'a list of too many',
      Array.from({ length: 5001 }, (_, n) => `m${n} 1`).join('\n'),
      'found 5001 metrics; at most 5000',
    ],
    [
      'asv: all skipped',
      '{"version": 2, "result_columns": ["result"], "results": {"time_x": [[NaN]]}}',
      'an asv file, results): it holds no benchmark',
    ],
    ['a list: a word for a number', 'a 1\n\nb fast\n', 'line 3): must be `name value unit`'],
    ['a list: no value', '# a\nb\n', 'line 2): must be `name value unit`'],
    ['a list: a line of four words', 'b 1 s more', 'line 1): must be `name value unit`'],
    ['a list: what looks like YAML', 'b: 1', 'line 1): must be `name value unit`'],
    ['a list: infinite', 'b 1e999 s', 'line 1): must be `name value unit`'],
    ['a list: twice the same', 'b 1\nc 1\nb 2', 'line 3): b is in line 1 already'],
    ['a list: a line without end', `b ${'1'.repeat(1e6)}x`, 'line 1): must be'],
    [
      'half a file',
      fixture('pytest-benchmark.json').slice(0, 900),
      'the file): must be a JSON object of names',
    ],
  ])('%s', (_, text, sentence) => {
    expect(readResults(text)).toContain(sentence);
  });
});

test.each(['wall_time_s', 'image_size_bytes'])('a benchmark called %s is refused, in any format', (name) => {
  const refused = `the workload wrote the metric ${name} (PACEGATE_METRICS), which Pacegate measures itself`;
  expect(readResults(`${name} 1`)).toContain(refused);
  expect(readResults(JSON.stringify({ results: [{ command: name, median: 1 }] }))).toContain(refused);
});

test('a byte order mark is not part of the text', () => {
  expect(readResults('\uFEFF{"tasks": 5}')).toMatchObject({ values: { tasks: 5 } });
  expect(readResults('\uFEFFtasks 5')).toMatchObject({ values: { tasks: 5 } });
});

test('runs of hyperfine that all ended well are figures', () => {
  expect(readResults('{"results": [{"command": "x", "median": 0.2, "exit_codes": [0, 0]}]}')).toMatchObject({
    values: { x: 0.2 },
  });
});

test('a metric of one’s own may be called as the formats’ keys are', () => {
  expect(readResults('{"benchmarks": 40, "results": {"value": 2}, "data": 1}')).toMatchObject({
    values: { benchmarks: 40, results: 2, data: 1 },
  });
});

test('an illegible file of the largest size is refused at once', () => {
  for (const text of [
    `{"${'\\"'.repeat(5e5)}`,
    `{${'"a'.repeat(5e5)}`,
    `{"a": ${'['.repeat(1e6)}`,
    '\u0001'.repeat(1e6),
  ]) {
    const begun = performance.now();
    expect(typeof readResults(text)).toBe('string');
    expect(performance.now() - begun).toBeLessThan(5000);
  }
});

test('a command whose exit status is not a number has failed', () => {
  const text = JSON.stringify({ results: [{ command: 'x', median: 1, exit_codes: [0, 'deep'] }] });
  const deep = text.replace('"deep"', `${'['.repeat(9000)}${']'.repeat(9000)}`);
  for (const one of [text, deep])
    expect(readResults(one)).toMatch(/"x" failed: it ended with a signal in 1 of 2 runs/);
});
