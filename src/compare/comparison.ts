import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';

/** Which evidence carried a verdict. */
export type Evidence = 'paired' | 'stored' | 'identical' | 'none';

/** Median of a side's samples in the metric's unit; null where there are none. */
export interface SideSummary {
  median: number | null;
  n: number;
}

/** (head / baseline) - 1, positive where the value grew. Null where the data does not give the figure. */
export interface Change {
  estimate: number | null;
  /** 95 % interval; null where too few blocks bound it. */
  low: number | null;
  high: number | null;
}

/** One-sided p and Holm's over the family; null for what is not tested. */
export interface OneSided {
  p: number | null;
  pAdjusted: number | null;
}

/** The stored nights beside a row: their median and the prediction interval for one new session's median. */
export interface StoredNights {
  sessions: number;
  median: number;
  low: number | null;
  high: number | null;
  /** Where this session's baseline side lies against the interval; `unknown` without one. */
  position: 'inside' | 'below' | 'above' | 'unknown';
  /** False: the nights ran on another machine, so the figures are for orientation only. */
  sameMachine: boolean;
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
  blocks: number;
  /** The change found with 80 % power; the next issue's. */
  detectable: number | null;
  stored: StoredNights | null;
  warnings: string[];
}

export interface Comparison {
  verdict: Verdict;
  /** tests: gated rows under Holm; blocksNeeded: the fewest blocks that could reach significance. */
  family: { tests: number; alpha: number; blocksNeeded: number };
  rows: Row[];
  /** Sentences on the comparison as a whole: files that changed, another machine, no history. */
  warnings: string[];
}
