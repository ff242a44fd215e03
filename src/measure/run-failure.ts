import type { Outcome } from '../session/run.ts';
import { hintFor } from '../errors/hints.ts';
import type { RunResult } from './engine.ts';

/** The results of failed runs, and their messages. */

/** A run without an answer of the probe. */
export const runWithoutFigures = (outcome: Outcome, message: string, output = ''): RunResult => ({
  outcome,
  metrics: {},
  declared: {},
  noise: {},
  exitStatus: null,
  message: withTail(message, output),
});

/** A message with the last lines of the output below it, bounded, and what to do where that is known. */
export function withTail(message: string, output: string): string {
  const lines = output.trimEnd().split('\n').slice(-12).join('\n').slice(-2000).trim();
  if (lines === '') return message;
  const hint = hintFor(lines);
  return `${message}\n${lines}${hint === undefined ? '' : `\n${hint}`}`;
}
