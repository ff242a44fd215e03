import { dirname, join } from 'node:path';
import { METRICS_WORD, type Server } from '../../plan/plan.ts';
import {
  countedCommand,
  countingOptions,
  hasCounters,
  type CountingPlaces,
} from '../counting/counted-run.ts';
import type { RunRequest } from '../engine.ts';
import {
  isBySampling,
  profiledCommand,
  profileOptions,
  type ProfilePlaces,
} from '../profile/profiled-command.ts';

/**
 * The workload's words with a first `python` or `python3` replaced by the variant's interpreter and flags, and each
 * `{metrics}`, in whatever word it stands, by the file that PACEGATE_METRICS names.
 */
export function workloadCommand({ runnable, workload }: RunRequest, metricsFile: string): readonly string[] {
  // A function, because `$` has a meaning in a replacement string.
  const [first = '', ...rest] = workload.command.map((word) =>
    word.replaceAll(METRICS_WORD, () => metricsFile),
  );
  return first === 'python' || first === 'python3'
    ? [runnable.python, ...runnable.flags, ...rest]
    : [first, ...rest];
}

/**
 * The number of first words of the workload's command that are the variant's interpreter and its flags; 0 without an
 * interpreter, or if the run is not measured.
 */
export function interpreterWords({ runnable, workload: { command }, counting, profile }: RunRequest): number {
  if (counting !== undefined || profile !== undefined) return 0;
  return command[0] === 'python' || command[0] === 'python3' ? 1 + runnable.flags.length : 0;
}

/** The workload's environment: the same on both sides, except for variables of the variant. */
export function workloadEnvironment({ runnable, workload, hashSeed }: RunRequest): Record<string, string> {
  return { ...workload.env, ...runnable.env, PYTHONHASHSEED: String(hashSeed) };
}

/** How a probe runs, and what starts the command. */
export interface ProbePlace {
  /** In a container of its own, of which it is the first process. */
  readonly contained: boolean;
  /** The command is one round of load: it is started at a word, and how its interpreter starts is not asked. */
  readonly isLoad?: boolean;
  /** Where a profiled run finds its profiler, and a counted one valgrind's tools. */
  readonly profiling: ProfilePlaces;
  readonly counting: CountingPlaces;
}

/** The probe's arguments for a run of a command that ends by itself: mode, options, command. */
export function runWords(
  request: RunRequest,
  metricsFile: string,
  { contained, isLoad = false, profiling, counting }: ProbePlace,
): readonly string[] {
  return [
    'run',
    ...(contained ? ['--contained'] : []),
    ...(isLoad ? ['--wait'] : []),
    `--timeout=${request.workload.timeoutSeconds}`,
    `--repetitions=${request.repetitions}`,
    `--interpreter=${isLoad ? 0 : interpreterWords(request)}`,
    `--metrics=${metricsFile}`,
    ...(contained && hasCounters(request) ? ['--counters'] : []),
    ...countingOptions(request, counting),
    ...profileOptions(request, profiling),
    '--',
    ...countedCommand(
      request,
      profiledCommand(request, workloadCommand(request, metricsFile), profiling),
      counting,
    ),
  ];
}

/** The file next to the probes that counted and profiled runs need. */
export const diagnosticsModule = (probe: string): string => join(dirname(probe), 'diagnostics.py');

/** The file of a server's probe, next to probe.py. */
export const serverProbe = (probe: string): string => join(dirname(probe), 'serve.py');

/**
 * The words of a server's probe.
 * @param mark what stands in the server's PACEGATE_METRICS, though nobody reads it; nothing where it is empty
 */
export function serveWords(
  request: RunRequest,
  server: Server,
  { contained, profiling }: ProbePlace,
  mark = '',
): readonly string[] {
  return [
    ...(contained ? ['--contained'] : []),
    `--ready=${server.ready}`,
    `--start-timeout=${server.startTimeoutSeconds}`,
    // py-spy starts the server then, and writes its profile only at this signal.
    `--stop=${isBySampling(request) ? 'SIGINT' : server.stop}`,
    `--stop-timeout=${server.stopTimeoutSeconds}`,
    `--interpreter=${interpreterWords(request)}`,
    `--metrics=${mark}`,
    ...profileOptions(request, profiling),
    '--',
    ...profiledCommand(request, workloadCommand(request, mark), profiling),
  ];
}

/** One round of load on a server, as a run of its own: with the files and the interpreter that both sides share. */
export function loadRequest(
  { runnable, load = runnable, workload, hashSeed }: RunRequest,
  server: Server,
): RunRequest {
  return { runnable: load, workload: { ...workload, command: server.load }, repetitions: 1, hashSeed };
}
