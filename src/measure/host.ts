import { mkdir, rm } from 'node:fs/promises';
import { runCommand, type CommandResult } from '../process/command.ts';
import { interpreterWords, watchdogSeconds, workloadCommand, workloadEnvironment } from './command-line.ts';
import type { Engine, RunRequest, RunResult } from './engine.ts';
import { factsArguments, FACTS_LIMITS, readFacts } from './facts-answer.ts';
import { killProcessesWith } from './host-processes.ts';
import { MAX_ANSWER_BYTES, readProbeAnswer, unmeasured } from './probe-answer.ts';
import { profiledCommand, profileEnvironment } from './profiled-command.ts';

export interface HostEngineOptions {
  /** probe.py on this machine, absolute. */
  readonly probe: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
  /** A folder of this session's own, for the files of business metrics. Its name marks the session's processes. */
  readonly workFolder: string;
}

/** Runs each workload in a fresh process of this machine: the reference before containers. */
export function hostEngine({ probe, facts, workFolder }: HostEngineOptions): Engine {
  let count = 0;
  // Every process of a workload inherits this variable from the probe.
  const mark = `PACEGATE_METRICS=${workFolder}/`;
  return {
    run: async (request, signal) => {
      count += 1;
      const { runnable, workload, repetitions, profile } = request;
      const metricsFile = `${workFolder}/metrics-${count}.json`;
      const places = {
        profiler: profile?.scripts ?? '',
        pySpy: profile?.pySpy ?? '',
        folder: `${workFolder}/profiles-${count}`,
      };
      const own = { ...hostEnvironment(), ...workloadEnvironment(request) };
      try {
        if (profile !== undefined) await mkdir(places.folder);
        const result = await runCommand(
          'env',
          [
            // Nothing of this process's environment: a token in it must not reach the workload, nor its noise.
            '-i',
            ...Object.entries({ ...own, ...profileEnvironment(request, own, places) }).map(
              ([key, value]) => `${key}=${value}`,
            ),
            runnable.python,
            ...['-I', '-S', probe, 'run'],
            `--timeout=${workload.timeoutSeconds}`,
            `--repetitions=${repetitions}`,
            `--interpreter=${interpreterWords(request)}`,
            `--metrics=${metricsFile}`,
            ...(profile === undefined ? [] : [`--profiles=${places.folder}`]),
            '--',
            ...profiledCommand(request, workloadCommand(request, metricsFile), places),
          ],
          {
            cwd: runnable.workingDirectory,
            timeoutSeconds: watchdogSeconds(request),
            maxStdoutBytes: MAX_ANSWER_BYTES,
            signal,
            ...(request.traces === undefined ? {} : { onStart: request.traces.onProcess }),
          },
        );
        // The probe takes its workload along, unless it was killed itself.
        if (result.status !== 0) await killProcessesWith(mark);
        return readProbeAnswer(result) ?? withoutAnswer(result, request);
      } catch (error) {
        return unmeasured(
          'engine',
          `the run could not be started in ${runnable.workingDirectory} (${String(error)})`,
        );
      } finally {
        // With every round in it (pytest-benchmark) it is large, and a session has a hundred.
        await rm(metricsFile, { recursive: true, force: true });
        if (profile !== undefined) await rm(places.folder, { recursive: true, force: true });
      }
    },
    facts: async (runnable) => {
      const result = await runCommand(runnable.python, factsArguments(runnable, facts), FACTS_LIMITS);
      return readFacts(result, {
        who: runnable.image.variant,
        notStarted: `the interpreter ${runnable.python} does not start`,
      });
    },
    cleanUp: async () => await killProcessesWith(mark),
  };
}

function withoutAnswer(result: CommandResult, { runnable, workload }: RunRequest): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string) =>
    unmeasured(outcome, message, result.stderr);
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
