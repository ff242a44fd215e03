import { z } from 'zod';
import { failedBenchmark, failureIn, unreadable, type Benchmarks } from './benchmark.ts';

/** Reads the JSON that hyperfine exports. */

const fileSchema = z.object({
  results: z
    .array(
      z.looseObject({
        /** The command, or the name that `--command-name` gave it. */
        command: z.string().min(1),
        median: z.number().nonnegative(),
        parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      }),
    )
    .min(1, 'it holds no command'),
});

/** A file of hyperfine's `--export-json`: the median wall time of each command, in seconds. */
export function readHyperfine(document: unknown): Benchmarks {
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) return unreadable('a hyperfine file', parsed.error);
  for (const [index, { command, ...rest }] of parsed.data.results.entries()) {
    const how = failureIn(rest);
    if (how !== undefined)
      return failedBenchmark(
        'a hyperfine file',
        `results.${index}.exit_codes`,
        command,
        how,
        'One of its times is not a number. Correct the command; if its status is intended, append `|| true`',
      );
  }
  return parsed.data.results.map(({ command, median, parameters = {} }) => ({
    name: command,
    fullName: [command, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(' '),
    value: median,
    unit: 's',
    better: 'lower',
  }));
}
