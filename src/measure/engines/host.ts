import { cp, mkdir, rm } from 'node:fs/promises';
import type { Server } from '../../plan/plan.ts';
import { runCommand, type CommandOptions, type CommandResult } from '../../process/command.ts';
import { converse } from '../../process/conversation.ts';
import {
  loadRequest,
  type ProbePlace,
  runWords,
  serverProbe,
  serveWords,
  workloadEnvironment,
} from './command-line.ts';
import { maxAnswerBytes } from '../counting/counted-run.ts';
import { serverOf, watchdogSeconds, type Engine, type RunRequest, type RunResult } from '../engine.ts';
import { factsArguments, factsLimits, readFacts } from '../probe/facts-answer.ts';
import { killProcessesWith } from '../../process/host-processes.ts';
import { MAX_ANSWER_BYTES, readProbeAnswer } from '../probe/probe-answer.ts';
import { profileEnvironment, type ProfilePlaces } from '../profile/profiled-command.ts';
import { unlessRemoved } from '../removed-files.ts';
import { loadWatchdogSeconds, measureServer, serverWatchdogSeconds, type Program } from '../server/server.ts';
import { runWithoutFigures } from '../run-failure.ts';

/** The engine that runs workloads as processes of this machine. */

export interface HostEngineOptions {
  /** probe.py on this machine, absolute. */
  readonly probe: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
  /** A folder of this session's own, for the files of business metrics. Its name marks the session's processes. */
  readonly workFolder: string;
}

/** Runs each workload in a fresh process of this machine, without a container. */
export function hostEngine(options: HostEngineOptions): Engine {
  const { probe, facts, workFolder } = options;
  let count = 0;
  return {
    run: async (request, signal) => {
      count += 1;
      return await unlessRemoved(await hostRun(request, count, options, signal), request, [
        workFolder,
        request.runnable.workingDirectory,
        probe,
      ]);
    },
    facts: async (runnable, limits) => {
      const result = await runCommand(runnable.python, factsArguments(runnable, facts), factsLimits(limits));
      return readFacts(result, {
        who: runnable.image.variant,
        notStarted: `the interpreter ${runnable.python} does not start`,
        limits,
      });
    },
    cleanUp: async () => await killProcessesWith(markOf(workFolder)),
  };
}

/** Every process of a workload inherits this variable from the probe. */
const markOf = (workFolder: string) => `PACEGATE_METRICS=${workFolder}/`;

/** Creates a run's files, starts the run, and removes the files. */
async function hostRun(
  request: RunRequest,
  count: number,
  { probe, workFolder }: HostEngineOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const metricsFile = `${workFolder}/metrics-${count}.json`;
  const place = placeOf(request, workFolder, count);
  try {
    await makePlaces(request, place);
    const server = serverOf(request);
    return server === undefined
      ? await workloadRun(request, metricsFile, { probe, place, workFolder, signal })
      : await serverRun(request, server, { probe, place, name: `${workFolder}/server-${count}`, signal });
  } catch (error) {
    return runWithoutFigures(
      'engine',
      `the run could not be started in ${request.runnable.workingDirectory} (${String(error)})`,
    );
  } finally {
    // With every round in it (pytest-benchmark) it is large, and a session has a hundred.
    await rm(metricsFile, { recursive: true, force: true });
    await removePlaces(request, place);
  }
}

const placeOf = ({ profile, counting }: RunRequest, workFolder: string, count: number): ProbePlace => ({
  contained: false,
  profiling: {
    profiler: `${workFolder}/profiler-${count}`,
    pySpy: profile?.pySpy ?? '',
    folder: `${workFolder}/profiles-${count}`,
  },
  counting: { tools: counting?.folder ?? '', counts: `${workFolder}/counts-${count}` },
});

async function makePlaces(
  { profile, counting }: RunRequest,
  { profiling, counting: counted }: ProbePlace,
): Promise<void> {
  if (counting !== undefined) await mkdir(counted.counts, { mode: 0o700 });
  if (profile === undefined) return;
  await mkdir(profiling.folder);
  // A copy, because interpreters write bytecode next to it, and the workload may write there too.
  await cp(profile.scripts, profiling.profiler, { recursive: true });
}

async function removePlaces(
  { profile, counting }: RunRequest,
  { profiling, counting: counted }: ProbePlace,
): Promise<void> {
  if (counting !== undefined) await rm(counted.counts, { recursive: true, force: true });
  if (profile !== undefined)
    for (const folder of [profiling.folder, profiling.profiler])
      await rm(folder, { recursive: true, force: true });
}

async function workloadRun(
  request: RunRequest,
  metricsFile: string,
  { probe, place, workFolder, signal }: Omit<ServerRun, 'name'> & Pick<HostEngineOptions, 'workFolder'>,
): Promise<RunResult> {
  const words = runWords(request, metricsFile, place);
  const result = await runCommand('env', probeArguments(request, probe, place.profiling, words), {
    cwd: request.runnable.workingDirectory,
    timeoutSeconds: watchdogSeconds(request),
    maxStdoutBytes: maxAnswerBytes(request),
    signal,
    onStart: request.traces?.onProcess,
  });
  // The probe takes its workload along, unless it was killed itself.
  if (result.status !== 0) await killProcessesWith(markOf(workFolder));
  return readProbeAnswer(result) ?? withoutAnswer(result, request);
}

/** The words of `env`, which starts the probe. */
function probeArguments(
  request: RunRequest,
  probe: string,
  profiling: ProfilePlaces,
  words: readonly string[],
): readonly string[] {
  const own = { ...hostEnvironment(), ...workloadEnvironment(request) };
  const environment = { ...own, ...profileEnvironment(request, profiling) };
  return [
    // Without this process's environment: a token in it must not reach the workload, and its size would add noise.
    '-i',
    ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    request.runnable.python,
    ...['-I', '-S', probe, ...words],
  ];
}

interface ServerRun {
  readonly probe: string;
  readonly place: ProbePlace;
  /** What the run's files are called before their endings: also what its processes are known by. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** A server and its load, both processes of this machine. */
async function serverRun(
  request: RunRequest,
  server: Server,
  { probe, place, name, signal }: ServerRun,
): Promise<RunResult> {
  const load = loadRequest(request, server);
  const mark = `${name}.json`;
  return await measureServer(request, server, {
    server: () =>
      hostProgram(
        request,
        mark,
        probeArguments(
          request,
          serverProbe(probe),
          place.profiling,
          serveWords(request, server, place, mark),
        ),
        {
          timeoutSeconds: serverWatchdogSeconds(request, server),
          signal,
          onStart: request.traces?.onProcess,
        },
      ),
    load: (round) => {
      const metricsFile = `${name}-load-${round}.json`;
      return hostProgram(
        load,
        metricsFile,
        probeArguments(load, probe, place.profiling, runWords(load, metricsFile, { ...place, isLoad: true })),
        { timeoutSeconds: loadWatchdogSeconds(request), signal },
      );
    },
  });
}

/** @param file the program's PACEGATE_METRICS, by which its processes are known; removed at its end */
function hostProgram(
  request: RunRequest,
  file: string,
  words: readonly string[],
  options: CommandOptions,
): Program {
  const conversation = converse('env', words, {
    ...options,
    cwd: request.runnable.workingDirectory,
    maxStdoutBytes: MAX_ANSWER_BYTES,
  });
  return {
    conversation,
    end: async (seconds) => {
      try {
        const result = await conversation.finish(seconds);
        // The probe takes its workload along, unless it was killed itself.
        if (result.status !== 0) await killProcessesWith(`PACEGATE_METRICS=${file}`);
        return result;
      } finally {
        await rm(file, { recursive: true, force: true });
      }
    },
    withoutAnswer: (result) => withoutAnswer(result, request),
  };
}

function withoutAnswer(result: CommandResult, { runnable, workload }: RunRequest): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string) =>
    runWithoutFigures(outcome, message, result.stderr);
  if (result.timedOut) return failed('timeout', `the run did not end within ${workload.timeoutSeconds} s`);
  if (result.status === 126 || result.status === 127)
    return failed('nonzero', `the interpreter ${runnable.python} cannot be started`);
  return failed(
    'engine',
    `the probe gave no answer (${result.signal ?? `status ${result.status ?? 'none'}`})`,
  );
}

const hostEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  HOME: process.env['HOME'] ?? '/',
  LANG: 'C.UTF-8',
});
