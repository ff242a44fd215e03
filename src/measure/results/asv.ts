import { z } from 'zod';
import { failedBenchmark, failureIn, unreadable, type Benchmark, type Benchmarks } from './benchmark.ts';
import { tooMany } from './limits.ts';

/** The one version of the layout that asv writes since 0.5 (asv/results.py, `Results.api_version`). */
const VERSION = 2;
/** As `parseResults` spells the NaN of a benchmark that its set-up skipped. */
const SKIPPED = 'NaN';

/** A failed benchmark is null. */
const resultSchema = z.union([z.number(), z.literal(SKIPPED), z.null()], {
  error: 'expected a number, NaN or null',
});

const fileSchema = z.object({
  version: z.literal(VERSION, {
    error: ({ input }) =>
      `found ${versionWords(input)}; must be ${VERSION}, as asv 0.5 and newer write it. Run the suite with a newer asv; \`asv update\` converts files`,
  }),
  result_columns: z.array(z.string()),
  results: z.record(z.string(), z.array(z.unknown())),
});

const versionWords = (version: unknown) =>
  typeof version === 'number' || typeof version === 'string'
    ? `version ${JSON.stringify(version).slice(0, 40)}`
    : 'no version';

const ADVICE = "Correct it, or leave it out with asv's --bench";

const rowSchema = z.looseObject({
  result: z.array(resultSchema, { error: 'expected a list of results, or null' }).nullable(),
  params: z.array(z.array(z.string())).nullish(),
});

/**
 * A results file of asv (`results/<machine>/<commit>-<environment>.json`): each benchmark, and each combination of its
 * parameters, by itself. One that its set-up skipped is left out; one that failed makes the file unreadable, for its
 * metric would silently be missing.
 *
 * The file has no units: those of timings and of memory follow from the prefix by which asv knows a benchmark's kind;
 * what a `track_` benchmark returns is a number, lower is better, unless the configuration says otherwise.
 */
export function readAsv(document: unknown): Benchmarks {
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) return unreadable('an asv file', parsed.error);
  const { result_columns: columns, results } = parsed.data;
  const found: Benchmark[] = [];
  for (const [name, cells] of Object.entries(results)) {
    const row = rowSchema.safeParse(
      Object.fromEntries(columns.map((column, index) => [column, cells[index]])),
    );
    if (!row.success) return unreadable(`an asv file, results.${name}`, row.error);
    const { result, params } = row.data;
    const how = failureIn(row.data);
    if (how !== undefined) return failedBenchmark('an asv file', `results.${name}`, name, how, ADVICE);
    // Counted, not made: 26 parameters of two values would be 67 million.
    const count = (params ?? []).reduce((product, values) => product * values.length, 1);
    if (result !== null && result.length !== count)
      return `an asv file, results.${name}: ${result.length} results for ${count} combinations of its parameters`;
    if (result === null) return `an asv file, results.${name}: ${name} failed. ${ADVICE}`;
    const more = tooMany(found.length + count);
    if (more !== undefined) return `an asv file, results: ${more}`;
    const combinations = combinationsOf(params ?? []);
    const unit = unitOf(name);
    for (const [index, combination] of combinations.entries()) {
      const value = result[index] ?? null;
      const full = combination.length === 0 ? name : `${name}(${combination.join(', ')})`;
      if (value === null) return `an asv file, results.${name}: ${full} failed. ${ADVICE}`;
      if (value !== SKIPPED) found.push({ name: full, value, unit });
    }
  }
  return found.length === 0 ? 'an asv file, results: it holds no benchmark' : found;
}

/** The product of the parameters, the last varies fastest (asv takes Python's itertools.product). */
const combinationsOf = (params: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  params.reduce<readonly (readonly string[])[]>(
    (begun, values) => begun.flatMap((combination) => values.map((value) => [...combination, value])),
    [[]],
  );

/** asv knows a kind by the prefix of the function's name (asv's "Benchmark types and attributes"). */
function unitOf(name: string): string | undefined {
  const own = name.split('.').at(-1) ?? name;
  if (/^(time|timeraw)_/i.test(own)) return 's';
  return /^(mem|peakmem)_/i.test(own) ? 'bytes' : undefined;
}
