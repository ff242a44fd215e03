import { MeasurementError } from '../errors/errors.ts';
import type { CommandResult } from '../process/command.ts';
import { interpreterFactsSchema, type InterpreterFacts } from '../session/facts.ts';
import type { Runnable } from './engine.ts';
import { withTail } from './probe-answer.ts';

/** facts.py gives up on modules that do not import after 40 s; thousands of packages fit in the answer. */
export const FACTS_LIMITS = { timeoutSeconds: 90, maxStdoutBytes: 1024 * 1024 } as const;

/** The interpreter's arguments to say what it is, at the level of optimisation that the workload runs at. */
export const factsArguments = ({ flags }: Pick<Runnable, 'flags'>, script: string): readonly string[] => [
  ...flags.filter((flag) => /^-OO?$/.test(flag)),
  ...['-I', '-S', script],
];

export interface FactsWords {
  /** Whose facts they are, for the messages. */
  readonly who: string;
  /** What to say where nothing answered. */
  readonly notStarted: string;
}

/**
 * Reads what facts.py wrote: the last line, checked like anything from outside.
 * @throws MeasurementError where the interpreter did not start, did not end, or answered something else
 */
export function readFacts(result: CommandResult, { who, notStarted }: FactsWords): InterpreterFacts {
  const { status, signal, stdout, stderr, timedOut } = result;
  const fail = (message: string, cause?: unknown) =>
    new MeasurementError(withTail(`${who}: ${message}`, stderr), { cause });
  if (timedOut) throw fail(`the interpreter did not say what it is within ${FACTS_LIMITS.timeoutSeconds} s`);
  if (status === null)
    throw fail(
      `the interpreter was ended by ${signal ?? 'a signal'}; its answer may not be longer than ${FACTS_LIMITS.maxStdoutBytes} bytes`,
    );
  if (status !== 0 || stdout.trim() === '') throw fail(notStarted);
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return interpreterFactsSchema.parse(JSON.parse(line));
  } catch (error) {
    throw fail(
      `what the interpreter says of itself cannot be read. It must run Pacegate's script and print nothing more; found ${JSON.stringify(line.slice(0, 120))}`,
      error,
    );
  }
}
