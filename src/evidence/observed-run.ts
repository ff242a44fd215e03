import type { Outcome, Side } from '../session/run.ts';

/** One run, from a session or a CSV. */
export interface ObservedRun {
  readonly session: string;
  readonly side: Side;
  readonly variant: string;
  readonly block: number;
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
}
