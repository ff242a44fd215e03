import { runCommand } from '../process/command.ts';
import { watchdogSeconds, workloadCommand, workloadEnvironment } from './command-line.ts';
import { readFacts } from './container.ts';
import type { Engine, RunRequest } from './engine.ts';
import { readProbeAnswer, withTail } from './probe-answer.ts';

export interface HostEngineOptions {
  /** probe.py on this machine, absolute. */
  readonly probe: string;
  /** A folder of this session's, for the file of business metrics. */
  readonly workFolder: string;
}

/** Runs each workload in a fresh process of this machine: the reference before containers. */
export function hostEngine({ probe, workFolder }: HostEngineOptions): Engine {
  let count = 0;
  return {
    run: async (request, signal) => {
      count += 1;
      const metricsFile = `${workFolder}/metrics-${count}.json`;
      const { runnable, workload, repetitions } = request;
      const result = await runCommand(
        'env',
        [
          // Nothing of this process's environment: a token in it must not reach the workload, nor its noise.
          '-i',
          ...Object.entries({ ...hostEnvironment(), ...workloadEnvironment(request) }).map(
            ([key, value]) => `${key}=${value}`,
          ),
          runnable.python,
          ...['-I', '-S', probe, 'run'],
          `--timeout=${workload.timeoutSeconds}`,
          `--repetitions=${repetitions}`,
          `--metrics=${metricsFile}`,
          '--',
          ...workloadCommand(request),
        ],
        { cwd: runnable.workingDirectory, timeoutSeconds: watchdogSeconds(request), signal },
      );
      return readProbeAnswer(result.stdout, result.stderr) ?? noAnswer(request, result);
    },
    facts: async (runnable) => {
      const { stdout, stderr } = await runCommand(runnable.python, ['-I', '-S', probe, 'facts'], {
        timeoutSeconds: 60,
        maxStdoutBytes: 65_536,
      });
      return readFacts(stdout, () =>
        withTail(`${runnable.image.variant}: the interpreter ${runnable.python} does not start`, stderr),
      );
    },
    cleanUp: async () => await Promise.resolve(),
  };
}

function noAnswer({ workload }: RunRequest, result: Awaited<ReturnType<typeof runCommand>>) {
  return {
    outcome: result.timedOut ? ('timeout' as const) : ('engine' as const),
    metrics: {},
    declared: {},
    noise: {},
    exitStatus: null,
    message: withTail(
      result.timedOut
        ? `the run did not end within ${workload.timeoutSeconds} s`
        : `the probe gave no answer (status ${result.status ?? 'none'})`,
      result.stderr,
    ),
  };
}

const hostEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  HOME: process.env['HOME'] ?? '/',
  LANG: 'C.UTF-8',
});
