import { z } from 'zod';
import { KNOWLEDGE, PROPERTIES } from './facts.ts';
import { betterSchema } from './metric.ts';

/** Variants of one configuration against one of them: which Python, and what moving to another costs or saves. */

/** What a session was asked to rank by. It is part of the file, for the looks at it depend on it. */
export const rankingRequestSchema = z.object({
  reference: z.string(),
  /** The metric that counts the tasks of a run; where nobody named one it is found in the session. */
  work: z.string().optional(),
});
export type RankingRequest = z.infer<typeof rankingRequestSchema>;

/**
 * What is known of a figure against the reference's.
 *
 * `same`: no difference that matters, 5/3 of the limit is ruled out both ways. `shown`: measured and not tested, or the
 * reference's own.
 */
export const rankVerdictSchema = z.enum(['better', 'worse', 'same', 'undecided', 'shown', 'no_data']);
export type RankVerdict = z.infer<typeof rankVerdictSchema>;

/** One metric of one variant against the reference. */
export const rankRowSchema = z.object({
  metric: z.string(),
  /** Of all runs that ended well, in the metric's unit; null without any. */
  median: z.number().nullable(),
  n: z.int().nonnegative(),
  /** (variant / reference) - 1 with its 95 % interval, from the blocks that both have. */
  change: z.object({
    estimate: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
  }),
  /** Blocks that the change is from. */
  blocks: z.int().nonnegative(),
  /** Two-sided, Holm's over the family; null for what is not tested. */
  p: z.number().min(0).max(1).nullable(),
  verdict: rankVerdictSchema,
  /** Why there is no figure. */
  reason: z.string().optional(),
});
export type RankRow = z.infer<typeof rankRowSchema>;

export const rankedVariantSchema = z.object({
  variant: z.string(),
  /** What kept it from being measured to the end; its rows are empty then. */
  failure: z.string().nullable(),
  /** `3.13.5`, and the distribution underneath; null where the image was not asked. */
  python: z.string().nullable(),
  system: z.string().nullable(),
  /** What was seen of the interpreter, not what it says of itself. */
  observed: z.partialRecord(z.enum(PROPERTIES), z.enum(KNOWLEDGE)),
  /** One build with nothing from a cache, in seconds: measured once, so without an interval. */
  build: z
    .object({ seconds: z.number().nonnegative(), cpuSeconds: z.number().nonnegative().nullable() })
    .nullable(),
  rows: z.array(rankRowSchema),
});
export type RankedVariant = z.infer<typeof rankedVariantSchema>;

export const rankedMetricSchema = z.object({
  name: z.string(),
  unit: z.string(),
  better: betterSchema,
  /** The smallest difference that counts, a fraction. */
  limit: z.number().positive(),
  /** `tested`: in the family. `exact`: does not vary. `shown`: neither better nor worse is said of it. */
  kind: z.enum(['tested', 'exact', 'shown']),
});
export type RankedMetric = z.infer<typeof rankedMetricSchema>;

export const rankingSchema = z.object({
  reference: z.string(),
  /** The metric that counts tasks; null where a run is one task. */
  work: z.string().nullable(),
  /** Tests under Holm, and the two-sided chance of any false word among them. */
  family: z.object({ tests: z.int().nonnegative(), alpha: z.number() }),
  /** The sessions that it is from, the oldest first. */
  sessions: z.array(z.string()).min(1),
  metrics: z.array(rankedMetricSchema),
  /** Least CPU a task first; those that could not be measured last. */
  variants: z.array(rankedVariantSchema),
  warnings: z.array(z.string()),
});
export type Ranking = z.infer<typeof rankingSchema>;

export const RANKING_FORMAT = 'pacegate-ranking';

/**
 * `<configuration>/ranking.json` on the baseline branch, and what `rank --format json` prints. It can be made again from
 * the sessions.
 */
export const rankingFileSchema = rankingSchema.extend({
  format: z.literal(RANKING_FORMAT),
  version: z.literal(1),
  configuration: z.string(),
  /** When the newest of the sessions was, what it measured and where. */
  newest: z.object({
    started: z.iso.datetime(),
    commit: z.string(),
    cpuModel: z.string(),
    cores: z.int(),
  }),
});
export type RankingFile = z.infer<typeof rankingFileSchema>;
