import { MeasurementError } from '../../errors/errors.ts';
import type { CommandOptions, CommandResult } from '../../process/command.ts';
import { interpreterFactsSchema, type InterpreterFacts } from '../../session/facts.ts';
import type { FactsLimits, Runnable } from '../engine.ts';
import { withTail } from '../run-failure.ts';

/** facts.py gives up on modules that do not import after 40 s. */
const FACTS_SECONDS = 90;
/** A container starts in one second, on a busy machine in a few; the question itself takes one more. */
const FACTS_SECONDS_AT_LEAST = 15;
/** Thousands of packages fit in the answer. */
const MAX_FACTS_BYTES = 1024 * 1024;

/** What bounds the question: the budget ends it, but a budget that is over leaves it the time of one that is quick. */
export const factsLimits = ({ secondsLeft = FACTS_SECONDS, signal }: FactsLimits = {}): Pick<
  CommandOptions,
  'timeoutSeconds' | 'maxStdoutBytes' | 'signal'
> => ({
  timeoutSeconds: Math.min(FACTS_SECONDS, Math.max(FACTS_SECONDS_AT_LEAST, secondsLeft)),
  maxStdoutBytes: MAX_FACTS_BYTES,
  signal,
});

/** The interpreter's arguments to say what it is, at the level of optimisation that the workload runs at. */
export const factsArguments = ({ flags }: Pick<Runnable, 'flags'>, script: string): readonly string[] => [
  ...flags.filter((flag) => /^-OO?$/.test(flag)),
  ...['-I', '-S', script],
];

export interface FactsWords {
  /** The image or interpreter, for messages. */
  readonly who: string;
  /** What to say where nothing answered. */
  readonly notStarted: string;
  readonly limits?: FactsLimits | undefined;
}

/**
 * Reads what facts.py wrote: the last line, checked like anything from outside.
 * @throws MeasurementError where the interpreter did not start, did not end, or answered something else
 */
export function readFacts(result: CommandResult, { who, notStarted, limits }: FactsWords): InterpreterFacts {
  const { status, signal, stdout, stderr, timedOut } = result;
  const fail = (message: string, cause?: unknown) =>
    new MeasurementError(withTail(`${who}: ${message}`, stderr), { cause });
  const seconds = factsLimits(limits).timeoutSeconds ?? FACTS_SECONDS;
  if (timedOut && seconds < FACTS_SECONDS)
    throw fail(
      `the interpreter did not report its facts within the ${seconds.toFixed(0)} s that the budget left. Raise rules.budget, or make the interpreter's start quicker`,
    );
  if (timedOut) throw fail(`the interpreter did not report its facts within ${FACTS_SECONDS} s`);
  if (limits?.signal?.aborted === true) throw fail('reading the facts of the interpreter was cancelled');
  if (status === null)
    throw fail(
      `the interpreter was ended by ${signal ?? 'a signal'}; its answer may not be longer than ${MAX_FACTS_BYTES} bytes`,
    );
  if (status !== 0 || stdout.trim() === '') throw fail(notStarted);
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return interpreterFactsSchema.parse(JSON.parse(line));
  } catch (error) {
    throw fail(
      `the interpreter's facts cannot be read. It must run Pacegate's script and print nothing more; found ${JSON.stringify(line.slice(0, 120))}`,
      error,
    );
  }
}
