import { z } from 'zod';
import type { Better } from '../../session/metric.ts';

/** One benchmark of a results file, before its name is made a metric's. */
export interface Benchmark {
  /** As the tool's own table shows it. */
  readonly name: string;
  /** What tells it from others of the same name: with its file, or its parameters. */
  readonly fullName?: string;
  /** In `unit`. */
  readonly value: number;
  readonly unit?: string | undefined;
  readonly better?: Better | undefined;
}

/** The benchmarks of a file, or a sentence with the place and reason why it cannot be read. */
export type Benchmarks = readonly Benchmark[] | string;

/** The first problem of a file: its place, as `benchmarks.0.stats.median`, and what is wrong there. */
export function firstProblem({ issues: [issue] }: z.ZodError): { place: string; complaint: string } {
  return {
    place: issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.'),
    complaint: issue?.message ?? 'it cannot be read',
  };
}

/** The message for a file of a known format. */
export function unreadable(format: string, error: z.ZodError): string {
  const { place, complaint } = firstProblem(error);
  return `${format}, ${place}: ${complaint}`;
}

/** What a run that failed may say of itself, in the words of the tools: read loosely, for any of them is enough. */
const failureSchema = z
  .looseObject({
    exit_code: z.unknown(),
    exit_codes: z.unknown(),
    returncode: z.unknown(),
    errcode: z.unknown(),
    has_error: z.unknown(),
    error: z.unknown(),
    errors: z.unknown(),
    failed: z.unknown(),
  })
  .partial();

/**
 * Whether a benchmark of a results file says that it failed.
 * @returns how, as `it ended with 1 in 3 of 3 runs`, or undefined where it does not
 */
export function failureIn(benchmark: unknown): string | undefined {
  const parsed = failureSchema.safeParse(benchmark);
  if (!parsed.success) return undefined;
  const { exit_codes: codes, exit_code, returncode, errcode, has_error, error, errors, failed } = parsed.data;
  if (Array.isArray(codes)) {
    // hyperfine writes null for a command that a signal ended.
    const bad = (codes as readonly unknown[]).filter((code) => code !== 0);
    if (bad.length > 0)
      return `it ended with ${typeof bad[0] === 'number' ? bad[0] : 'a signal'} in ${bad.length} of ${codes.length} runs`;
  }
  for (const code of [exit_code, returncode, errcode])
    if (typeof code === 'number' && code !== 0) return `it ended with ${code}`;
  const said = [has_error, error, errors, failed].find(
    (word) =>
      word === true || (typeof word === 'string' && word !== '') || (Array.isArray(word) && word.length > 0),
  );
  return said === undefined
    ? undefined
    : `it reports that it failed${typeof said === 'string' ? ` (${said.slice(0, 200)})` : ''}`;
}

/** The message for a failed benchmark: its value means nothing, and leaving it out would silently drop a metric. */
export const failedBenchmark = (format: string, place: string, name: string, how: string, advice: string) =>
  `${format}, ${place}: ${JSON.stringify(name.slice(0, 120))} failed: ${how}. ${advice}`;
