import { median } from 'simple-statistics';
import { z } from 'zod';
import { failedBenchmark, failureIn, unreadable, type Benchmarks } from './benchmark.ts';

/** pyperf's units (`Benchmark.get_unit`), as a metric has them. */
const UNITS = { second: 's', byte: 'bytes', integer: '' } as const;

/** What each benchmark or the file as a whole says; pyperf writes once at the top what all have in common. */
const metadataSchema = z.looseObject({
  name: z.string().min(1).optional(),
  unit: z.enum(['second', 'byte', 'integer']).optional(),
});

const suiteSchema = z.object({
  metadata: metadataSchema.optional(),
  benchmarks: z
    .array(
      z.looseObject({
        metadata: metadataSchema.optional(),
        // A run that only calibrates has warm-ups and no values.
        runs: z
          .array(
            z.looseObject({
              values: z.array(z.number()).optional(),
              metadata: z.record(z.string(), z.unknown()).optional(),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

/**
 * A file of `pyperf … -o FILE` (its JSON format, version 1.0).
 *
 * The value is the median of all values of all worker processes, without warm-ups and calibration. pyperf's own table
 * shows their mean, which one disturbed worker moves; the median is what the other formats give too.
 */
export function readPyperf(document: unknown): Benchmarks {
  const parsed = suiteSchema.safeParse(document);
  if (!parsed.success) return unreadable('a pyperf file', parsed.error);
  const { benchmarks, metadata: common } = parsed.data;
  for (const [index, benchmark] of benchmarks.entries()) {
    const { metadata = {}, runs } = benchmark;
    const failed = [benchmark, metadata, ...runs.flatMap((run) => [run, run.metadata ?? {}])];
    const how = failed.map(failureIn).find((found) => found !== undefined);
    if (how !== undefined)
      return failedBenchmark(
        'a pyperf file',
        `benchmarks.${index}`,
        metadata.name ?? common?.name ?? `benchmark ${index + 1}`,
        how,
        'Correct it, or leave it out with --benchmarks',
      );
  }
  const read = benchmarks.map(({ runs, metadata }, index) => ({
    name: metadata?.name ?? common?.name ?? `benchmark ${index + 1}`,
    values: runs.flatMap(({ values = [] }) => values),
    unit: UNITS[metadata?.unit ?? common?.unit ?? 'second'],
  }));
  const empty = read.findIndex(({ values }) => values.length === 0);
  if (empty !== -1)
    return `a pyperf file, benchmarks.${empty}.runs: no run of ${JSON.stringify(read[empty]?.name)} has values, so it was only calibrated`;
  return read.map(({ name, values, unit }) => ({ name, unit, value: median(values), better: 'lower' }));
}
