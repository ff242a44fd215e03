import type { Outcome, Side } from '../session/run.ts';

/** One run as the comparison sees it, wherever it was written down. */
export interface ObservedRun {
  readonly session: string;
  readonly side: Side;
  readonly variant: string;
  readonly block: number;
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
}
