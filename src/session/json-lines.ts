import type { z } from 'zod';
import { clipped, firstProblems } from '../errors/problem-list.ts';

/** The text after the last line break is empty, or a line that a crash cut. */
export const completeLines = (text: string): readonly string[] => text.split('\n').slice(0, -1);

/** The value of a line, or why it cannot be read. */
export type ParsedLine<Value> =
  { readonly value: Value } | { readonly value: undefined; readonly reason: string; readonly cause: unknown };

/** Reads a line of JSON. @returns the value, or the first problems of a line that does not match the schema */
export function parsedLine<Value>(line: string, schema: z.ZodType<Value>): ParsedLine<Value> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    return {
      value: undefined,
      reason: clipped(cause instanceof Error ? cause.message : String(cause)),
      cause,
    };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  );
  return { value: undefined, reason: firstProblems(problems).join('; '), cause: parsed.error };
}
