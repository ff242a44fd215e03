import type { Run } from './run.ts';
import type { Failure, Session } from './session.ts';

/** The state of a measurement when it asks the planner what to do next. */
export interface SoFar {
  /** One run of each side of each variant, before the first block. */
  readonly warmup: readonly Run[];
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
  /** The maximum number of blocks, which is set before the first block; undefined until then. */
  readonly blocksPlanned: number | undefined;
  /** The maximum for the variants that a change adds, once the others are measured. */
  readonly addedBlocksPlanned?: number | undefined;
  /** What the workload has declared about its metrics. */
  readonly declaredMetrics: Session['declaredMetrics'];
}

/** The state before the first block. */
export type WarmedUp = Pick<SoFar, 'warmup' | 'failures' | 'declaredMetrics'>;

export interface Progress {
  /** Variants whose rows are all decided, so that they need no more blocks. */
  readonly decided: ReadonlySet<string>;
  /**
   * Blocks after which another variant is likely to be decided; infinite if none is. It takes some milliseconds, so it
   * is called only when time is short.
   */
  expected(variant: string): number;
  /**
   * The chance that another row of the variant is decided if it gets so many blocks in all; 1 where nobody knows. It
   * takes some milliseconds, as `expected` does.
   */
  chance?(variant: string, blocks: number): number;
}

/**
 * Decides how many blocks are measured, and which variants need no more. The measurement asks it and needs no
 * statistics itself.
 */
export interface Planner {
  /**
   * The maximum number of blocks. Called once, after the warm-up and before the first block. @param pairSeconds the
   * time of a pair of each variant
   */
  cap(pairSeconds: ReadonlyMap<string, number>, secondsLeft: number, warmedUp: WarmedUp): number;
  progress(soFar: SoFar): Progress;
  /** Variants that no block can judge, as the warm-up shows. Called once after the warm-up; none by default. */
  hopeless?(warmedUp: WarmedUp): readonly Failure[];
}
