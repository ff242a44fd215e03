import type { MetricRule } from '../session/metric.ts';
import { VERDICTS, type Verdict } from '../session/rules.ts';
import type { Change, StoredNights } from '../evidence/pairs.ts';

/**
 * Which evidence carried a verdict. `deterministic`: a figure that does not vary, compared exactly. `once`: a figure that
 * varies and was measured once on each side. `counted`: instructions that valgrind counted, once on each side or, where
 * the sides differ, twice.
 */
export type Evidence = 'paired' | 'stored' | 'deterministic' | 'once' | 'counted' | 'identical' | 'none';

/** Whether a row is compared as it is, outside the family of tests. */
export const isOutsideTests = ({ evidence }: { readonly evidence: Evidence }): boolean =>
  evidence === 'deterministic' || evidence === 'once' || evidence === 'counted';

/** Median of a side's samples in the metric's unit; null where there are none. */
export interface SideSummary {
  median: number | null;
  n: number;
}

/** One-sided p and Holm's over the family; null for what is not tested. */
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
  gated: boolean;
  verdict: Verdict | 'info';
  evidence: Evidence;
  baseline: SideSummary;
  head: SideSummary;
  change: Change;
  worse: OneSided;
  better: OneSided;
  /** Pairs that the verdict used: those until the look that settled the row. */
  blocks: number;
  /**
   * The smallest change for the worse, a fraction, that this gate would find in 80 of 100 cases, from the noise of
   * recent nights; null where no night of this machine measured the baseline against itself.
   */
  detectable: number | null;
  /** What a second session on another machine said of a regression; null where there was none. */
  confirmation: Confirmation | null;
  stored: StoredNights | null;
  warnings: string[];
}

/** The second look at a regression, from a session of its own. */
export interface Confirmation {
  session: string;
  /** Whether the second session alone shows at least the smallest change that counts, in enough blocks. */
  confirmed: boolean;
  /** Whether it ran on the same kind of machine as the first: a quirk of that kind would show twice. */
  sameMachine: boolean;
  /** (head / baseline) - 1 in the second session. */
  estimate: number | null;
  blocks: number;
}

/** What the change removes or edits of what measures it, in words: it stands before everything else. */
export interface MeasuringNews {
  /** A sentence for each thing; `takesAway`: it counts for the rule `changed-measurement`. */
  readonly news: readonly { readonly sentence: string; readonly takesAway: boolean }[];
  /** The verdict by the figures alone, where the rule makes it `failed`; absent where it does not. */
  readonly refusedOver?: Verdict | undefined;
}

export interface Comparison {
  verdict: Verdict;
  /** True where a session of it was cancelled: whatever its rows say, it is no pass. */
  interrupted?: true | undefined;
  /** True where the change touches ignored paths only: nothing was measured, and that is a pass. */
  skipped?: true | undefined;
  /** Absent where the change leaves alone what measures it. */
  measuring?: MeasuringNews;
  /** tests: gated rows under Holm. */
  family: { tests: number; alpha: number };
  rows: Row[];
  /** Sentences on the comparison as a whole: files that changed, another machine, no history. */
  warnings: string[];
}

/** The verdict of the whole: the worst that counts. */
export const worst = (rows: readonly Row[]): Verdict => worstWith(rows);

/** The same where something besides the rows counts, too. */
export function worstWith(rows: readonly Row[], ...others: readonly Verdict[]): Verdict {
  const found = new Set([...rows.map(({ verdict }) => verdict), ...others]);
  return VERDICTS.find((verdict) => found.has(verdict)) ?? 'no_data';
}
