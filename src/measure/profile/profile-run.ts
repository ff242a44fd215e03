import type { Server } from '../../plan/plan.ts';
import type { CallGraph, ProfileKind } from '../../session/profile.ts';
import type { Engine, ProfileRequest, RunRequest, RunResult } from '../engine.ts';
import { readDumps } from './dumps.ts';
import { isBySampling } from './profiled-command.ts';
import { readStacks } from './stacks.ts';

/** A profiler makes each call dearer, and tracemalloc each allocation: a program of nothing but calls takes 20 times as long. */
const SLOWER = 30;
/** Starting, and writing down what was seen. */
const BESIDE_SECONDS = 60;
/** The profiler's own memory, added to the workload's limit. */
const LARGER = 4;
/** A few repetitions of a short command are enough for a profile. */
const MOST_REPETITIONS = 5;
/** Both sides have it, as both runs of a pair have. */
const HASH_SEED = 1;

/** The tool behind a request, by the name that a report knows. */
export const profilerOf = ({ kind, profiler }: ProfileRequest): string =>
  ({ cpu: profiler, time: profiler, memory: 'tracemalloc', imports: 'importtime' })[kind];

export interface ProfileRun {
  readonly runnable: RunRequest['runnable'];
  readonly workload: RunRequest['workload'];
  readonly repetitions: number;
  /** The longest that one repetition took without a profiler, in seconds: a run that hangs must not cost an hour. */
  readonly longestSeconds: number;
  readonly profile: ProfileRequest;
}

/**
 * Runs a workload once under a profiler, with more time and memory than a measured run takes.
 * @returns what it saw, or the sentence that says why nothing was seen. Never throws.
 */
export async function profileRun(
  engine: Engine,
  { runnable, workload, repetitions, longestSeconds, profile }: ProfileRun,
  signal: AbortSignal,
): Promise<CallGraph | string> {
  const profiled = () =>
    engine.run(
      {
        runnable,
        workload: {
          ...workload,
          timeoutSeconds: BESIDE_SECONDS + SLOWER * Math.min(longestSeconds, workload.timeoutSeconds),
          memoryBytes: workload.memoryBytes === undefined ? undefined : workload.memoryBytes * LARGER,
          server: workload.server === undefined ? undefined : patient(workload.server),
        },
        repetitions: repetitionsFor(profile.kind, repetitions),
        hashSeed: HASH_SEED,
        profile,
      },
      signal,
    );
  const bySampling = isBySampling({ profile });
  let result = await profiled();
  if (bySampling && !isComplete(result) && lostAProcess(result)) result = await profiled();
  const { outcome, message, profiles } = result;
  if (outcome !== 'ok' && !(bySampling && isComplete(result))) return message ?? outcome;
  const { texts, leftOut } = profiles ?? { texts: [], leftOut: 0 };
  if (bySampling && texts.length === 0 && leftOut > 0)
    return 'the profile of py-spy is larger than 3 MiB: give the workload less to do, or set profiler: cprofile';
  return bySampling ? readStacks(texts.join('\n'), profile.kind) : readDumps(texts, leftOut, profile.kind);
}

/**
 * Whether py-spy gave up because a process or thread ended while py-spy attached to it: ESRCH or ECHILD. It happens by
 * chance, mostly on a busy machine, so a second attempt is worthwhile.
 */
const lostAProcess = ({ message }: RunResult): boolean => /\(os error (3|10)\)/.test(message ?? '');

/**
 * Whether py-spy wrote its profile and failed only afterwards: its sampler may reap the program before py-spy asks for
 * the exit status, and waitpid then gives ECHILD (https://github.com/benfred/py-spy/issues/759).
 */
const isComplete = ({ message, profiles }: RunResult): boolean =>
  (message ?? '').includes('(os error 10)') && (profiles?.texts.length ?? 0) > 0;

/** Its start is slower, too, and what was seen is written down at its end. */
const patient = (server: Server): Server => ({
  ...server,
  startTimeoutSeconds: BESIDE_SECONDS + server.startTimeoutSeconds,
  stopTimeoutSeconds: BESIDE_SECONDS + server.stopTimeoutSeconds,
});

const repetitionsFor = (kind: ProfileKind, repetitions: number) =>
  kind === 'imports' ? 1 : Math.min(repetitions, MOST_REPETITIONS);
