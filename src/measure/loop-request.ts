import type { Plan } from '../plan/plan.ts';
import type { Pause } from '../process/patience.ts';
import type { Planner } from '../session/planner.ts';
import type { Run, Side } from '../session/run.ts';
import type { Failure, Session } from '../session/session.ts';
import type { Engine, Runnable } from './engine.ts';
import type { Journal } from './journal.ts';

/** The input and the ports of the loop, which uses no process, file or clock directly. */
export interface LoopRequest {
  readonly plan: Plan;
  readonly seed: number;
  readonly variants: readonly LoopVariant[];
  /** Those of them that the change adds: they are measured after the others, in what these left of the budget. */
  readonly added?: ReadonlySet<string>;
  /** The rest of the budget, in seconds. */
  readonly secondsLeft: number;
  readonly engines: { readonly container: Engine; readonly host: Engine };
  readonly journal: Journal;
  readonly clock: () => Date;
  readonly pause: Pause;
  readonly onProgress: (event: ProgressEvent) => void;
  /** How many blocks, and which variants need no more: asked before the first block and after each. */
  readonly planner: Planner;
}

/** The sides of a variant to run. */
export interface LoopVariant {
  readonly variant: string;
  readonly sides: Readonly<Partial<Record<Side, Runnable>>>;
}

export type ProgressEvent =
  | { readonly kind: 'warm-up'; readonly variant: string; readonly side: Side }
  | {
      readonly kind: 'plan';
      readonly variants: number;
      readonly blocks: number;
      readonly blocksPlanned: number;
      /** Expected duration of the blocks to come, and that of all blocks up to the cap. */
      readonly seconds: number;
      readonly secondsAtMost: number;
      /** What the budget has left. */
      readonly secondsLeft: number;
    }
  | {
      readonly kind: 'run';
      readonly run: Run;
      readonly runsDone: number;
      readonly secondsLeft: number;
    }
  | {
      readonly kind: 'decided';
      readonly variants: readonly string[];
      readonly block: number;
      /** Variants that go on. */
      readonly open: number;
    }
  /** Variants that get no more blocks, because those that the budget has left are unlikely to decide anything. */
  | { readonly kind: 'stopped'; readonly variants: readonly string[]; readonly block: number }
  | { readonly kind: 'repeat'; readonly variant: string; readonly attempt: number; readonly message: string }
  | { readonly kind: 'dropped'; readonly failure: Failure }
  | { readonly kind: 'budget'; readonly blocksLeftOut: number; readonly secondsLeftOut: number };

export interface LoopResult {
  readonly warmup: readonly Run[];
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
  readonly repetitions: Readonly<Record<string, number>>;
  readonly declaredMetrics: Session['declaredMetrics'];
  /** Why the hardware's counters did not count, where they were asked for: the kernel's error. */
  readonly noCounters?: string | undefined;
  /** Variants whose workload could write to the memory of its probe. */
  readonly openProbes?: readonly string[];
  /** The cap of blocks that was set before the first one; undefined where nothing was to be measured. */
  readonly blocksPlanned: number | undefined;
  /** The same of variants that the change adds, where there are others: they are measured after these. */
  readonly addedBlocksPlanned?: number | undefined;
  readonly blocksLeftOut: number;
  readonly secondsLeftOut: number;
  /** Variants that were stopped because the rest of the budget was unlikely to decide anything of them. */
  readonly stopped?: readonly string[];
  /** True if the measurement was cancelled; the result has the runs so far. */
  readonly interrupted: boolean;
}
