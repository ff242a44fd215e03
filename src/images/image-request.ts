import type { Variant, Workload } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';

/** A request for one side of one variant. */
export interface ImageRequest {
  readonly variant: Variant;
  readonly side: Side;
  /** Absolute folder with that side's files. */
  readonly tree: string;
  /** Absolute folder whose `workload.files` are mounted over both sides. */
  readonly filesFrom: string;
  /**
   * The application's Dockerfile, and what the default one installs, as that side's own configuration has them. Absent where the side has no configuration of
   * its own: the plan's.
   */
  readonly own?: Pick<Workload, 'dockerfile' | 'interpreterFrom' | 'install'> | undefined;
  /** Digest reference to try to pull before building. */
  readonly known?: string | undefined;
  /** What is left of the budget, in seconds: building and pulling end with it. Without it there is no limit. */
  readonly secondsLeft?: number;
}
