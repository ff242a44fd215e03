import { z } from 'zod';
import { failedBenchmark, failureIn, unreadable, type Benchmarks } from './benchmark.ts';

/** Reads the JSON that pytest-benchmark writes. */

const fileSchema = z.object({
  benchmarks: z
    .array(
      z.looseObject({
        name: z.string().min(1),
        fullname: z.string().min(1).optional(),
        stats: z.object({ median: z.number().nonnegative(), rounds: z.number().optional() }),
      }),
    )
    .min(1, 'it holds no benchmark'),
});

/** A file of pytest's `--benchmark-json`: the median over the rounds, in seconds, of one call. */
export function readPytestBenchmark(document: unknown): Benchmarks {
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) return unreadable('a pytest-benchmark file', parsed.error);
  for (const [index, benchmark] of parsed.data.benchmarks.entries()) {
    const how = failureIn(benchmark) ?? (benchmark.stats.rounds === 0 ? 'it has no round' : undefined);
    if (how !== undefined)
      return failedBenchmark(
        'a pytest-benchmark file',
        `benchmarks.${index}`,
        benchmark.name,
        how,
        'Correct it, or leave it out with --deselect',
      );
  }
  return parsed.data.benchmarks.map(({ name, fullname = name, stats }) => ({
    name,
    fullName: fullname,
    value: stats.median,
    unit: 's',
    better: 'lower',
  }));
}
