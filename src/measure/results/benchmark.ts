import type { z } from 'zod';
import type { Better } from '../../session/metric.ts';

/** One benchmark of a results file, before its name is made a metric's. */
export interface Benchmark {
  /** As the tool's own table shows it. */
  readonly name: string;
  /** What tells it from others of the same name: with its file, or its parameters. */
  readonly fullName?: string;
  /** In `unit`. */
  readonly value: number;
  readonly unit?: string;
  readonly better?: Better;
}

/** The benchmarks of a file, or the sentence that says where and why it cannot be read. */
export type Benchmarks = readonly Benchmark[] | string;

/** The first problem of a file: its place, as `benchmarks.0.stats.median`, and what is wrong there. */
export function firstProblem({ issues: [issue] }: z.ZodError): { place: string; complaint: string } {
  return {
    place: issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.'),
    complaint: issue?.message ?? 'it cannot be read',
  };
}

/** The complaint about a file of a known format. */
export function unreadable(format: string, error: z.ZodError): string {
  const { place, complaint } = firstProblem(error);
  return `${format}, ${place}: ${complaint}`;
}
