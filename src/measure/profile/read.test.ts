import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { profileOf, type CallGraph } from '../../session/profile.ts';
import { readDumps, type ReadProfile } from './dumps.ts';
import { readStacks } from './stacks.ts';

const graphOf = (result: ReadProfile): CallGraph => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};
const figuresOf = (graph: Pick<CallGraph, 'functions'>) =>
  Object.fromEntries(graph.functions.map(({ name, calls, own, total }) => [name, [calls, own, total]]));

describe('the files of processes', () => {
  const dump = (change: object = {}) =>
    JSON.stringify({
      threads: 1,
      shared: false,
      own: 3.5,
      functions: [
        ['app.py', 'work', 3, 10, 1, 3],
        ['', '<built-in method builtins.sum>', 0, 20, 2, 2],
      ],
      calls: [[0, 1, 20, 2, 2]],
      ...change,
    });

  test('is added up by file and name, and the sum includes omitted functions', () => {
    const graph = graphOf(readDumps([dump(), dump()], 0, 'time'));
    expect(figuresOf(graph)).toEqual({ work: [20, 2, 6], '<built-in method builtins.sum>': [40, 4, 4] });
    expect(graph.own).toBeCloseTo(7);
    expect(graph).toMatchObject({ processes: 2, calls: [{ calls: 40, own: 4, total: 4 }], notes: [] });
  });

  test('a session adds the CPU time of built-ins to their callers, and keeps their waiting time', () => {
    const waiting = {
      functions: [
        ['app.py', 'work', 3, 10, 1, 3],
        ['', '<built-in method time.sleep>', 0, 20, 2, 2],
      ],
    };
    expect(figuresOf(profileOf(graphOf(readDumps([dump()], 0, 'time'))))['work']).toEqual([10, 3, 3]);
    expect(figuresOf(profileOf(graphOf(readDumps([dump(waiting)], 0, 'time'))))['work']).toEqual([10, 1, 3]);
  });

  test.each([
    ['no files at all', [], /no process left a profile/],
    ['no JSON', ['{'], /cannot be read/],
    ['a negative time', [dump({ own: -1 })], /cannot be read/],
    ['a time that no sum bears', [dump({ own: 1e308 })], /cannot be read/],
    [
      'more functions than the profiler leaves',
      [dump({ functions: Array.from({ length: 1001 }, (_, at) => ['a', `f${at}`, 1, 1, 1, 1]) })],
      /cannot be read/,
    ],
    ['a time that is no number', [dump({ functions: [['a', 'b', 1, 1, '1', 1]] })], /cannot be read/],
    ['a name of a page', [dump({ functions: [['a', 'x'.repeat(1000), 1, 1, 1, 1]] })], /cannot be read/],
    ['an interpreter that cannot be profiled', ['{"problem":"no GIL"}'], /^no GIL$/],
  ])('%s is not a profile, and the message gives the reason', (_, texts, message) => {
    expect(readDumps(texts, 0, 'time')).toMatch(message);
  });

  test('unreadable files are counted if others can be read', () => {
    expect(graphOf(readDumps([dump(), '{', 'x'], 3, 'time')).notes).toEqual([
      '5 more of its processes left a profile that is too large or incomplete',
    ]);
  });

  test('calls between functions that are not there are passed over', () => {
    expect(graphOf(readDumps([dump({ calls: [[0, 7, 1, 1, 1]] })], 0, 'time')).calls).toEqual([]);
  });

  test('threads that the profiler sees as one are reported', () => {
    const seen = (change: object) => graphOf(readDumps([dump(change)], 0, 'time')).notes.join();
    expect(seen({ shared: true, threads: 3 })).toMatch(/sees all threads as one/);
    expect(seen({ shared: true })).toBe('');
    expect(seen({ threads: 3 })).toBe('');
  });

  test('nothing that anybody could write throws', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json())), (texts) => {
        const read = readDumps(texts, 0, 'time');
        return typeof read === 'string' || read.processes > 0;
      }),
    );
  });
});

describe("py-spy's stacks", () => {
  const RAW = `process 8:"python bench.py";<module> (bench.py:7);work (bench.py:4) 150
process 8:"python bench.py";<module> (bench.py:7) 50
process 8:"python bench.py";process 14:"";<module> (bench.py:9);fib (my (old) file.py:2);fib (my (old) file.py:2) 100
`;

  test('own time is of the innermost function, total of each once; processes are counted', () => {
    const graph = graphOf(readStacks(RAW, 'cpu'));
    expect(figuresOf(graph)).toEqual({
      work: [150, 1.5, 1.5],
      fib: [100, 1, 1],
      '<module>': [50, 0.5, 3],
    });
    expect(graph).toMatchObject({ processes: 2, own: 3 });
    expect(graph.functions.find(({ name }) => name === 'fib')).toMatchObject({ line: 2 });
    expect(graph.stacks.reduce((sum, { own }) => sum + own, 0)).toBeCloseTo(3);
    expect(graph.notes.join()).toMatch(/in 300 of them/);
  });

  test.each([[''], ['\n\n'], ['no stack'], ['process 8:"x" 5']])('%j is not a profile', (text) => {
    expect(readStacks(text, 'cpu')).toMatch(/found no running code/);
  });

  test('nothing that anybody could write throws or takes long', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, n) => {
        const read = readStacks(`${text} ${n}`, 'cpu');
        return typeof read === 'string' || read.own >= 0;
      }),
    );
    const deep = `${Array.from({ length: 5000 }, (_, i) => `f${i} (a.py:1)`).join(';')} 5`;
    expect(readStacks(deep, 'cpu')).toMatch(/found no running code/);
    expect(typeof readStacks(`${' ('.repeat(500_000)} 5`, 'cpu')).toBe('object');
  });

  test('frames of nothing but brackets and colons are each read in one pass', () => {
    const line = `${Array.from({ length: 900 }, () => `${' (:1'.repeat(240)}x`).join(';')} 1\n`;
    const begun = process.cpuUsage();
    expect(typeof readStacks(line.repeat(30), 'cpu')).toBe('object');
    // To search from each bracket anew takes many times as long.
    expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(3);
  });

  test('a name with a bracket in it ends at the first one, and the file keeps the others', () => {
    const graph = graphOf(
      readStacks('work (a (b).py:12) 3\nbare 2\nopen (a.py:1 1\nno line (a.py) 1\n', 'cpu'),
    );
    expect(graph.functions.map(({ name, file, line }) => ({ name, file, line }))).toEqual([
      { name: 'work', file: 'a (b).py', line: 12 },
      { name: 'bare', file: '', line: 0 },
      { name: 'open (a.py:1', file: '', line: 0 },
      { name: 'no line', file: 'a.py', line: 0 },
    ]);
  });
});
