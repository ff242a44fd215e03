import { reportTaker, type ReportTaker } from '../session/declared.ts';
import type { WarmedUp } from '../session/planner.ts';
import type { Run } from '../session/run.ts';
import type { Failure } from '../session/session.ts';
import type { LoopRequest } from './loop-request.ts';

/** The runs and results of a loop so far, to which each step adds. */
export interface LoopState {
  readonly warmup: Run[];
  readonly runs: Run[];
  readonly failures: Failure[];
  readonly repetitions: Map<string, number>;
  readonly reports: ReportTaker;
  noCounters: string | undefined;
  readonly openProbes: Set<string>;
  /** Seconds that a pair of each variant takes, from its last one. */
  readonly pairSeconds: Map<string, number>;
}

/** The context of every step of the loop. */
export interface Loop {
  readonly request: LoopRequest;
  readonly state: LoopState;
  readonly signal: AbortSignal;
  readonly cancelled: () => boolean;
  /** Seconds that are left of the budget; below 0 once it is spent. */
  readonly left: () => number;
}

export function startLoop(request: LoopRequest, signal: AbortSignal): Loop {
  const started = request.clock().getTime();
  return {
    request,
    signal,
    state: {
      warmup: [],
      runs: [],
      failures: [],
      repetitions: new Map(),
      reports: reportTaker(request.plan.rules.metrics),
      noCounters: undefined,
      openProbes: new Set(),
      pairSeconds: new Map(),
    },
    cancelled: () => signal.aborted,
    left: () => request.secondsLeft - (request.clock().getTime() - started) / 1000,
  };
}

/** What the planner is told after the warm-up. */
export const warmedUp = ({ warmup, failures, reports }: LoopState): WarmedUp => ({
  warmup,
  failures,
  declaredMetrics: reports.declared(),
});
