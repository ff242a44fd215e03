import { expect, test } from '@jest/globals';
import type { Engine, RunRequest, RunResult } from '../engine.ts';
import { instructionCounter, type CountRequest } from './instruction-count.ts';
import { never, runRequest } from '../engines/run-request.test-support.ts';
import type { Valgrind } from './valgrind.ts';
import { runWithoutFigures } from '../run-failure.ts';

const VALGRIND: Valgrind = {
  tool: 'callgrind',
  folder: '/vg',
  file: 'callgrind-amd64-linux',
  version: 'valgrind-3.19.0',
};

/** A counter whose engines give one answer, with what was asked of them and kept. */
function counter(result: RunResult, found: Valgrind | string = VALGRIND) {
  const asked: { engine: string; request: RunRequest }[] = [];
  const kept: string[] = [];
  let searches = 0;
  const engine = (name: string): Engine => ({
    run: (request) => (asked.push({ engine: name, request }), Promise.resolve(result)),
    facts: () => Promise.reject(new Error('nobody asks')),
    cleanUp: () => Promise.resolve(),
  });
  const count = instructionCounter({
    engines: { container: engine('container'), host: engine('host') },
    find: () => ((searches += 1), Promise.resolve(found)),
    keep: (name, text) => (kept.push(`${name}: ${text}`), Promise.resolve()),
  });
  const { runnable, workload } = runRequest(['python', 'bench.py']);
  const request = (change: Partial<CountRequest> = {}): CountRequest => ({
    runnable: { ...runnable, image: { ...runnable.image, engine: 'container' } },
    workload,
    tool: 'callgrind',
    secondsAtMost: 90,
    keepProfiles: true,
    ...change,
  });
  return { count, request, asked, kept, searches: () => searches };
}

const COUNTED: RunResult = {
  ...runWithoutFigures('ok', ''),
  counted: { instructions: 1200, processes: 2, profiles: [{ name: '7.1', text: 'callgrind' }] },
};

test('one repetition is counted in the variant’s own engine, and its profile kept in a name of variant, side and process', async () => {
  const { count, request, asked, kept, searches } = counter(COUNTED);
  expect(await count(request(), never)).toEqual({
    kind: 'counted',
    version: 'valgrind-3.19.0',
    seconds: expect.any(Number),
    instructions: 1200,
    processes: 2,
  });
  expect(asked).toMatchObject([
    {
      engine: 'container',
      request: { repetitions: 1, hashSeed: 1, counting: VALGRIND, workload: { timeoutSeconds: 90 } },
    },
  ]);
  expect(kept).toEqual(['callgrind.out.official-head-7.1: callgrind']);
  const { runnable } = request();
  const host = { ...runnable, image: { ...runnable.image, engine: 'host' as const } };
  await count(request({ runnable: host, keepProfiles: false }), never);
  expect(asked[1]?.engine).toBe('host');
  expect(kept).toHaveLength(1);
  // A machine does not get another valgrind meanwhile.
  expect(searches()).toBe(1);
});

test('without valgrind nothing is run, and the reason is the search’s own', async () => {
  const { count, request, asked } = counter(COUNTED, 'there is none');
  expect(await count(request(), never)).toEqual({ kind: 'failed', message: 'there is none' });
  expect(asked).toEqual([]);
});

test.each<[RunResult['outcome'], string, string]>([
  ['nonzero', 'the command ended with exit status 1', 'exit status 1\nlast words'],
  ['timeout', 'the command was still running', 'running. Valgrind makes a workload 30 to 60 times slower'],
  [
    'oom',
    'the kernel killed a process',
    'process. Valgrind takes memory of its own: raise workload.memory\nlast',
  ],
  ['signal', 'it was ended by SIGILL', 'SIGILL. The cause may also be an instruction that valgrind'],
])(
  'a workload that ends as %s has no count; what to do stands before its own words',
  async (outcome, what, words) => {
    const { count, request } = counter(runWithoutFigures(outcome, what, 'last words'));
    expect(await count(request(), never)).toEqual({
      kind: 'failed',
      message: expect.stringContaining(words),
    });
  },
);
