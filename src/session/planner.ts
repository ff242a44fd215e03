import type { Run } from './run.ts';
import type { Failure, Session } from './session.ts';

/** What a measurement has, whenever it asks what to do next. */
export interface SoFar {
  /** One run of each side of each variant, before the first block. */
  readonly warmup: readonly Run[];
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
  /** The cap that was set before the first block; undefined until then. */
  readonly blocksPlanned: number | undefined;
  /** That of the variants that a change adds, once the others are measured. */
  readonly addedBlocksPlanned?: number | undefined;
  /** What the workload has said of its own metrics. */
  readonly declaredMetrics: Session['declaredMetrics'];
}

/** What there is before the first block. */
export type WarmedUp = Pick<SoFar, 'warmup' | 'failures' | 'declaredMetrics'>;

export interface Progress {
  /** Variants that need no more blocks: every row of theirs is decided. */
  readonly settled: ReadonlySet<string>;
  /**
   * Blocks after which another variant is likely to be decided; infinite where that is not in sight. It takes some
   * milliseconds to work out, so it is asked only where time is short.
   */
  expected(variant: string): number;
}

/** How many blocks, and which variants need no more: asked by the measurement, which knows no statistics. */
export interface Planner {
  /**
   * The cap of blocks, asked once, after the warm-up and before the first block.
   * @param pairSeconds what a pair of each variant takes
   */
  cap(pairSeconds: ReadonlyMap<string, number>, secondsLeft: number, warmedUp: WarmedUp): number;
  progress(soFar: SoFar): Progress;
  /** Variants of which the warm-up showed that no block can judge them, asked once after it; none where nobody says. */
  hopeless?(warmedUp: WarmedUp): readonly Failure[];
}
