import { METRICS_WORD } from '../plan/plan.ts';
import type { RunRequest } from './engine.ts';

/**
 * The workload's words with a first `python` or `python3` replaced by the variant's interpreter and flags, and each
 * `{metrics}`, in whatever word it stands, by the file that PACEGATE_METRICS names.
 */
export function workloadCommand({ runnable, workload }: RunRequest, metricsFile: string): readonly string[] {
  // As a function: in a replacement string, $ of the path would mean something.
  const [first = '', ...rest] = workload.command.map((word) =>
    word.replaceAll(METRICS_WORD, () => metricsFile),
  );
  return first === 'python' || first === 'python3'
    ? [runnable.python, ...runnable.flags, ...rest]
    : [first, ...rest];
}

/** How many first words of the workload's command are the variant's interpreter and its flags; 0 where it is none. */
export function interpreterWords({ runnable, workload: { command }, profile }: RunRequest): number {
  // Starting the interpreter is timed behind the workload: not where nothing is timed.
  if (profile !== undefined) return 0;
  return command[0] === 'python' || command[0] === 'python3' ? 1 + runnable.flags.length : 0;
}

/** The workload's environment: the same on both sides but for what the variant itself sets. */
export function workloadEnvironment({ runnable, workload, hashSeed }: RunRequest): Record<string, string> {
  return { ...workload.env, ...runnable.env, PYTHONHASHSEED: String(hashSeed) };
}

/** Seconds after which the engine gives up on a probe that should have ended the run itself. */
export const watchdogSeconds = ({ workload, repetitions }: RunRequest): number =>
  workload.timeoutSeconds * repetitions + 30;
