import type { Workload } from '../../plan/plan.ts';
import type { Image } from '../../session/session.ts';
import type { Runnable, RunRequest } from '../engine.ts';

export interface RequestChange {
  readonly runnable?: Partial<Runnable>;
  readonly workload?: Partial<Workload>;
  readonly repetitions?: number;
  readonly counting?: RunRequest['counting'];
}

/** A request as the loop makes it, with what a test changes in it. */
export const runRequest = (
  command: readonly string[],
  { runnable, workload, repetitions = 1, counting }: RequestChange = {},
): RunRequest => ({
  runnable: {
    image: { variant: 'official', side: 'head', id: 'sha256:c0ffee' } as Image,
    python: 'python',
    flags: [],
    env: {},
    workingDirectory: '/',
    filesFrom: '/',
    ...runnable,
  },
  workload: {
    context: '.',
    dockerfile: undefined,
    files: [],
    command,
    timeoutSeconds: 120,
    env: {},
    network: 'none',
    memoryBytes: undefined,
    pids: 512,
    repetitions: 1,
    instructions: 'none',
    profiler: 'none',
    ...workload,
  },
  repetitions,
  hashSeed: 42,
  ...(counting === undefined ? {} : { counting }),
});

export const never = new AbortController().signal;

/** An answer as the probe writes it, of a run that took next to nothing: what a workload would like to be believed. */
export const FAKE_ANSWER = JSON.stringify({
  outcome: 'ok',
  exitStatus: 0,
  message: '',
  metrics: { wall_time_s: 1e-6, cpu_time_s: 1e-6, max_rss_bytes: 1 },
  cgroupCpu: null,
  noise: {},
  business: null,
});
