import { z } from 'zod';
import { rankingSchema } from './ranking.ts';

/**
 * The results of all stored nights. The baseline branch keeps them, and a session contains those that its report shows.
 */

/** The false alarms of a night: what it raised although nothing had changed. */
export const nightOutcomeSchema = z.object({ regressed: z.boolean(), improved: z.boolean() });
export type NightOutcome = z.infer<typeof nightOutcomeSchema>;

/** On how many nights something happened, and the exact 95 % interval of its probability (Clopper-Pearson). */
const rateSchema = z.object({
  nights: z.int().nonnegative(),
  low: z.number().min(0).max(1),
  high: z.number().min(0).max(1),
});

/** How often the gate was wrong when nothing had changed. */
export const alarmsSchema = z.object({
  /** Nights on which the baseline was gated against itself, by the rule that gates a pull request. */
  nights: z.int().nonnegative(),
  regressed: rateSchema,
  improved: rateSchema,
});
export type Alarms = z.infer<typeof alarmsSchema>;

/** The noise of one row, from nights of one machine with one measuring code. */
export const rowNoiseSchema = z.object({
  variant: z.string(),
  metric: z.string(),
  /** The smallest change that counts, a fraction. */
  limit: z.number().positive(),
  nights: z.int().min(1),
  /** Standard deviation of log(head / baseline) of a pair; the median over the nights. */
  noise: z.number().nonnegative(),
  /**
   * Standard deviation between the nights' centres, beyond what the noise within the nights explains, a logarithm. A
   * gate on one machine cannot average it away. Null for a single night.
   */
  tau: z.number().nonnegative().nullable(),
  /** The smallest loss that a gate finds in 80 of 100 cases, a fraction; null if the power at +50 % is lower. */
  detectable: z.number().positive().nullable(),
});
export type RowNoise = z.infer<typeof rowNoiseSchema>;

/** A night of a series: when, and the commit that was measured. */
const pointSchema = z.object({ started: z.iso.datetime(), commit: z.string() });
export type Point = z.infer<typeof pointSchema>;

/** A point at which the nights' medians of a row moved to another level. */
export const levelShiftSchema = z.object({
  variant: z.string(),
  metric: z.string(),
  /** A fraction, positive where the value grew. */
  change: z.number(),
  p: z.number(),
  /** The first night of the new level. */
  at: pointSchema,
});
export type LevelShift = z.infer<typeof levelShiftSchema>;

/** A row that has become worse than the anchor, in one step or gradually. Fractions, positive for worse. */
export const creepSchema = z.object({
  variant: z.string(),
  metric: z.string(),
  /** By how much the newest session is worse; `p` is one-sided. */
  now: z.number(),
  p: z.number(),
  /** `step`: at once, by `size`; `slope`: by `size` every week. */
  kind: z.enum(['step', 'slope']),
  size: z.number(),
  /** The session of the anchor with which it began. */
  since: pointSchema,
});
export type Creep = z.infer<typeof creepSchema>;

/** The weekly comparisons with a fixed, older commit. */
export const anchorHistorySchema = z.object({
  /** The anchor's commit. */
  commit: z.string(),
  sessions: z.int().min(1),
  first: pointSchema,
  last: pointSchema,
  creeps: z.array(creepSchema),
});
export type AnchorHistory = z.infer<typeof anchorHistorySchema>;

export const historySchema = z.object({
  alarms: alarmsSchema,
  /** Empty in a gate's session, whose rows have their own figures. */
  noise: z.array(rowNoiseSchema),
  shifts: z.array(levelShiftSchema),
  anchor: anchorHistorySchema.nullable(),
  /** The variants against each other, by recent nights; only in a night's session. */
  ranking: rankingSchema.optional(),
});
export type History = z.infer<typeof historySchema>;

export const NOISE_FORMAT = 'pacegate-noise';

/** `<configuration>/noise.json` on the baseline branch; it can be recomputed from the sessions and summaries there. */
export const noiseFileSchema = historySchema.omit({ ranking: true }).extend({
  format: z.literal(NOISE_FORMAT),
  version: z.literal(1),
  configuration: z.string(),
  /** The newest night: the noise is that of its machine and measuring code. Null if there is no night yet. */
  newest: pointSchema.extend({ session: z.string(), cpuModel: z.string(), cores: z.int() }).nullable(),
});
export type NoiseFile = z.infer<typeof noiseFileSchema>;
