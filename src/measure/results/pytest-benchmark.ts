import { z } from 'zod';
import { unreadable, type Benchmarks } from './benchmark.ts';

const fileSchema = z.object({
  benchmarks: z
    .array(
      z.object({
        name: z.string().min(1),
        fullname: z.string().min(1).optional(),
        stats: z.object({ median: z.number().nonnegative() }),
      }),
    )
    .min(1, 'it holds no benchmark'),
});

/** A file of pytest's `--benchmark-json`: the median over the rounds, in seconds, of one call. */
export function readPytestBenchmark(document: unknown): Benchmarks {
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) return unreadable('a pytest-benchmark file', parsed.error);
  return parsed.data.benchmarks.map(({ name, fullname = name, stats }) => ({
    name,
    fullName: fullname,
    value: stats.median,
    unit: 's',
    better: 'lower',
  }));
}
