import type { MetricRule } from '../session/metric.ts';
import { VERDICTS, type Verdict } from '../session/rules.ts';
import type { Change, StoredNights } from '../evidence/pairs.ts';

/**
 * The evidence of a verdict. `deterministic`: a value that does not vary, compared exactly. `once`: a value that varies
 * and was measured once on each side. `counted`: valgrind's instruction count, once on each side, or twice if the sides
 * differ.
 */
export type Evidence = 'paired' | 'stored' | 'deterministic' | 'once' | 'counted' | 'identical' | 'none';

/** Whether a row is compared directly, outside the family of tests. */
export const isOutsideTests = ({ evidence }: { readonly evidence: Evidence }): boolean =>
  evidence === 'deterministic' || evidence === 'once' || evidence === 'counted';

/** Median of a side's samples in the metric's unit; null without samples. */
export interface SideSummary {
  median: number | null;
  n: number;
}

/** One-sided p, and adjusted by Holm over the family; null for rows that are not tested. */
export interface OneSided {
  p: number | null;
  pAdjusted: number | null;
}

/** One row: a variant's metric. The field names are the JSON's (formats). */
export interface Row {
  variant: string;
  metric: string;
  unit: string;
  direction: MetricRule['better'];
  limit: number;
  /** A smaller loss that gives a warning; absent without one. */
  warn?: number | undefined;
  /** The absolute bound; absent without one. */
  bound?: ShownBound | undefined;
  gated: boolean;
  verdict: Verdict | 'info';
  evidence: Evidence;
  baseline: SideSummary;
  head: SideSummary;
  change: Change;
  worse: OneSided;
  better: OneSided;
  /** Pairs that the verdict used: those up to the look that decided the row. */
  blocks: number;
  /**
   * The smallest loss, a fraction, that this gate would find in 80 of 100 cases, from the noise of recent nights; null
   * if no night on this machine measured the baseline against itself.
   */
  detectable: number | null;
  /** The result of a second session for this regression; null without one. */
  confirmation: Confirmation | null;
  stored: StoredNights | null;
  warnings: string[];
}

/** The absolute bound of a row, and what the runs show of it. */
export interface ShownBound {
  kind: 'max' | 'min';
  /** In the row's unit. */
  value: number;
  /** Whether the head is shown to be beyond it, and the baseline is not. */
  beyond: boolean;
  /** Whether the baseline's median is beyond it. */
  baselineBeyond: boolean;
  /** The head's runs that are beyond it, and all of them. */
  runsBeyond: number;
  runs: number;
}

/** The result of a second session for one regression. */
export interface Confirmation {
  session: string;
  /** Whether the second session alone shows at least the smallest change that counts, in enough blocks. */
  confirmed: boolean;
  /** Whether it ran on the same kind of machine as the first: then a quirk of that kind shows in both. */
  sameMachine: boolean;
  /** (head / baseline) - 1 in the second session. */
  estimate: number | null;
  blocks: number;
}

/** What the change removes or edits of what measures it, as sentences at the top of the report. */
export interface MeasuringNews {
  /** One sentence for each change; `takesAway`: it counts for the rule `changed-measurement`. */
  readonly news: readonly { readonly sentence: string; readonly takesAway: boolean }[];
  /** The verdict of the rows, if the rule replaces it by `failed`; otherwise absent. */
  readonly refusedOver?: Verdict | undefined;
}

export interface Comparison {
  verdict: Verdict;
  /** True if one of its sessions was cancelled: then the gate does not pass. */
  interrupted?: true | undefined;
  /** True where the change touches ignored paths only: nothing was measured, and that is a pass. */
  skipped?: true | undefined;
  /** Absent where the change leaves alone what measures it. */
  measuring?: MeasuringNews;
  /** tests: judged rows under Holm's correction. */
  family: { tests: number; alpha: number };
  rows: Row[];
  /** Sentences on the whole comparison: files that changed, another machine, no history. */
  warnings: string[];
}

/** The report's verdict: the worst verdict of the judged rows. */
export const worst = (rows: readonly Row[]): Verdict => worstWith(rows);

/** The same, with a verdict that does not come from the rows. */
export function worstWith(rows: readonly Row[], ...others: readonly Verdict[]): Verdict {
  const found = new Set([...rows.map(({ verdict }) => verdict), ...others]);
  return VERDICTS.find((verdict) => found.has(verdict)) ?? 'no_data';
}
