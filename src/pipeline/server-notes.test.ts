import { expect, test } from '@jest/globals';
import { planOf } from '../plan/plan.test-support.ts';
import type { Run } from '../session/run.ts';
import { serverNotes } from './server-notes.ts';
import { workloadHash } from './session.ts';

const plan = (more: string) =>
  planOf({
    workload: `{ command: [python, -m, service]${more} }`,
    variants: '{ a: { interpreter: host, python: python3 } }',
  });
const SERVED = ', server: { ready: 8000, load: [python, load.py], stop-timeout: 2s }';
const { workload } = plan(SERVED);

const runs = (...metrics: readonly Run['metrics'][]) => metrics.map((own) => ({ metrics: own }) as Run);

test.each([
  ['half of a processor', runs({ wall_time_s: 2, load_cpu_time_s: 1 }), []],
  ['several processors, of which nothing is known', runs({ wall_time_s: 2, load_cpu_time_s: 3 }), []],
  [
    'a whole one once in two runs',
    runs({ wall_time_s: 2, load_cpu_time_s: 1.9 }, { wall_time_s: 2, load_cpu_time_s: 1 }),
    [],
  ],
  ['nothing that is known', runs({}, { wall_time_s: 0, load_cpu_time_s: 0 }), []],
  [
    'a whole one in most runs',
    runs(...Array<Run['metrics']>(2).fill({ wall_time_s: 2, load_cpu_time_s: 1.9 }), {
      wall_time_s: 2,
      load_cpu_time_s: 1,
    }),
    [
      expect.stringMatching(
        /^The load kept a whole processor busy in 2 of 3 runs\. .* CPU time still measures the server\.$/,
      ),
    ],
  ],
])('a load that takes %s', (_, measured, notes) => {
  expect(serverNotes(workload, measured)).toEqual(notes);
});

test('a server that was killed is reported with what to do; one that ends in time is not', () => {
  expect(serverNotes(workload, runs({ stop_time_s: 1.99 }))).toEqual([]);
  expect(serverNotes(workload, runs({ stop_time_s: 2.01 }, { stop_time_s: 0.1 }))).toEqual([
    'The server did not end by SIGTERM within 2 s and was killed in 1 of 2 runs, each of which waited for that time. Set another signal in workload.server.stop, or a shorter stop-timeout.',
  ]);
});

test('a workload without a server has no such notes', () => {
  expect(
    serverNotes(plan('').workload, runs({ wall_time_s: 1, load_cpu_time_s: 1, stop_time_s: 99 })),
  ).toEqual([]);
});

test('another load is another workload; another time limit is not', () => {
  const hash = (more: string) => workloadHash(plan(more), { 'load.py': 'a' });
  const server = (settings: string) => `, server: { load: [python, load.py], ${settings} }`;
  const changes = ['ready: 8000', 'ready: 8001', 'ready: 8000, warm-up: 2', 'ready: 8000, stop: SIGINT'];
  const hashes = ['', ...changes.map(server), ', server: { load: [wrk], ready: 8000 }'].map(hash);
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hash(server('ready: 8000, start-timeout: 1m, stop-timeout: 1m'))).toBe(hash(server('ready: 8000')));
  // The hash from before server workloads existed.
  expect(hash('')).toBe('3575ad06a85a785b48328658217782ba89d7ce8a1ffaf66b92341d3f14941e89');
});
