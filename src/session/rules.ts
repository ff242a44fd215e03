import { z } from 'zod';
import { CHANGED_MEASUREMENT } from './measuring.ts';
import { METHODS, PROFILES } from '../statistics/looks.ts';
import { metricPatternSchema, metricRuleSchema } from './metric.ts';

/** Verdicts, the worst first; the gate's verdict is the first that occurs. `info` is none of them. */
export const VERDICTS = [
  'failed',
  'regressed',
  'over_limit',
  'no_data',
  'inconclusive',
  'incomparable',
  'no_baseline',
  'accepted',
  'warning',
  'improved',
  'unchanged',
] as const;
export const verdictSchema = z.enum(VERDICTS);
export type Verdict = z.infer<typeof verdictSchema>;

/** Separates verdicts from other words; `none` means an empty list. */
export function parseVerdicts(words: readonly string[]): { named: Verdict[]; unknown: string[] } {
  const said = words.filter((word) => word !== 'none');
  const isVerdict = (word: string): word is Verdict => VERDICTS.some((verdict) => verdict === word);
  return { named: said.filter(isVerdict), unknown: said.filter((word) => !isVerdict(word)) };
}

export const evidenceRequestSchema = z.enum(['auto', 'paired', 'stored']);
export type EvidenceRequest = z.infer<typeof evidenceRequestSchema>;

/** No realistic number of pairs reaches a smaller alpha, and a far smaller one is lost in rounding. */
export const LEAST_ALPHA = 1e-6;

/** Everything that a verdict depends on except the data. Stored with the session, so that a file can be judged again. */
export const rulesSchema = z.object({
  /** One-sided, for the whole family, each direction by itself. */
  alpha: z.number().gte(LEAST_ALPHA).lt(0.5),
  profile: z.enum(PROFILES),
  /** Version of the rule that decides; absent in files of earlier versions, which signed ranks decide. */
  method: z.literal(METHODS).optional(),
  /** The maximum number of blocks of a session. */
  blocks: z.int().min(1).max(100_000),
  evidence: evidenceRequestSchema,
  failOn: z.array(verdictSchema),
  /** The effect of a change to what measures it (`rules.changed-measurement`); `report` in files of earlier versions. */
  changedMeasurement: z.enum(CHANGED_MEASUREMENT).optional(),
  /**
   * Every metric with a rule of its own, and after the warm-up those that a pattern matches. Other metrics in the data
   * are `info`.
   */
  metrics: z.array(metricRuleSchema),
  /** In the order of the file: the first one that matches a name applies. Absent without any. */
  patterns: z.array(metricPatternSchema).optional(),
});
export type Rules = z.infer<typeof rulesSchema>;
