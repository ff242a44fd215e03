import { z } from 'zod';
import { KNOWLEDGE, PROPERTIES } from './facts.ts';
import { betterSchema } from './metric.ts';

/** The ranking: the variants of one configuration compared with one of them, and what a move costs or saves. */

/** The options of a ranking. They are stored in the session, because its looks depend on them. */
export const rankingRequestSchema = z.object({
  reference: z.string(),
  /** The metric that counts the tasks of a run. Without it, the session's metrics decide. */
  work: z.string().optional(),
});
export type RankingRequest = z.infer<typeof rankingRequestSchema>;

/**
 * The result of a value against the reference's. `same`: a difference of 5/3 of the limit is ruled out in both
 * directions. `shown`: measured and not tested, or the reference's own.
 */
export const rankVerdictSchema = z.enum(['better', 'worse', 'same', 'undecided', 'shown', 'no_data']);
export type RankVerdict = z.infer<typeof rankVerdictSchema>;

/** One metric of one variant against the reference. */
export const rankRowSchema = z.object({
  metric: z.string(),
  /** The median of all successful runs, in the metric's unit; null without any. */
  median: z.number().nullable(),
  n: z.int().nonnegative(),
  /** (variant / reference) - 1 with its 95 % interval, from the blocks that both have. */
  change: z.object({
    estimate: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
  }),
  /** The number of blocks behind the change. */
  blocks: z.int().nonnegative(),
  /** Two-sided, with Holm's correction over the family; null if it is not tested. */
  p: z.number().min(0).max(1).nullable(),
  verdict: rankVerdictSchema,
  /** Why there is no value. */
  reason: z.string().optional(),
});
export type RankRow = z.infer<typeof rankRowSchema>;

export const rankedVariantSchema = z.object({
  variant: z.string(),
  /** Why it was not measured to the end; its rows are empty then. */
  failure: z.string().nullable(),
  /** `3.13.5`, and the distribution underneath; null if the image was not examined. */
  python: z.string().nullable(),
  system: z.string().nullable(),
  /** What was observed of the interpreter, not what it declares. */
  observed: z.partialRecord(z.enum(PROPERTIES), z.enum(KNOWLEDGE)),
  /** One build without a cache, in seconds: measured once, so without an interval. */
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
  /** `tested`: in the family. `exact`: does not vary. `shown`: not judged. */
  kind: z.enum(['tested', 'exact', 'shown']),
});
export type RankedMetric = z.infer<typeof rankedMetricSchema>;

export const rankingSchema = z.object({
  reference: z.string(),
  /** The metric that counts tasks; null where a run is one task. */
  work: z.string().nullable(),
  /** The number of tests under Holm's correction, and the two-sided probability of any false result among them. */
  family: z.object({ tests: z.int().nonnegative(), alpha: z.number() }),
  /** The sessions behind it, the oldest first. */
  sessions: z.array(z.string()).min(1),
  metrics: z.array(rankedMetricSchema),
  /** Least CPU a task first; those that could not be measured last. */
  variants: z.array(rankedVariantSchema),
  warnings: z.array(z.string()),
});
export type Ranking = z.infer<typeof rankingSchema>;

export const RANKING_FORMAT = 'pacegate-ranking';

/**
 * `<configuration>/ranking.json` on the baseline branch, and what `rank --format json` prints. It can be recomputed
 * from the sessions.
 */
export const rankingFileSchema = rankingSchema.extend({
  format: z.literal(RANKING_FORMAT),
  version: z.literal(1),
  configuration: z.string(),
  /** Time, commit and machine of the newest session. */
  newest: z.object({
    started: z.iso.datetime(),
    commit: z.string(),
    cpuModel: z.string(),
    cores: z.int(),
  }),
});
export type RankingFile = z.infer<typeof rankingFileSchema>;
