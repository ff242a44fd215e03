import type { Outcome, Side } from '../session/run.ts';

/** One run, from a session or a CSV. */
export interface ObservedRun {
  readonly session: string;
  readonly side: Side;
  readonly variant: string;
  readonly block: number;
  /** 0 if it was the first run of its pair, 1 if it was the second; undefined if unknown. */
  readonly position?: 0 | 1 | undefined;
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
}
