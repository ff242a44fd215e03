import { z } from 'zod';
import { betterSchema, METRIC_NAME } from '../../session/metric.ts';
import { firstProblem, type Benchmarks } from './benchmark.ts';

/** Reads Pacegate's own JSON of business metrics. */

const ownSchema = z.record(
  z.string().regex(METRIC_NAME),
  z.union([
    z.number(),
    z.object({ value: z.number(), unit: z.string().max(30).optional(), better: betterSchema.optional() }),
  ]),
);

/** Pacegate's own JSON: names and numbers, or numbers with their unit and direction. Names are taken as they are. */
export function readOwn(document: unknown, text: string): Benchmarks {
  const parsed = ownSchema.safeParse(document);
  if (!parsed.success)
    return `${firstProblem(parsed.error).place}: must be a JSON object of names and finite numbers, or {"value": 1, "unit": "tasks", "better": "higher"}; found ${JSON.stringify(text.slice(0, 120))}`;
  return Object.entries(parsed.data).map(([name, given]) =>
    typeof given === 'number'
      ? { name, value: given }
      : {
          name,
          value: given.value,
          unit: given.unit,
          better: given.better,
        },
  );
}
