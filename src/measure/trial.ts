import type { Workload } from '../plan/plan.ts';
import type { MetricRule } from '../session/metric.ts';
import { withHybrids } from '../session/formula.ts';
import type { Trial } from '../session/session.ts';
import type { Engine, Runnable } from './engine.ts';
import { WAIT_SECONDS, type Pause } from '../process/patience.ts';
import { repetitionsOf } from './repetitions.ts';

/** A trial of one side with a version of the measuring code. */
export interface TrialRequest {
  readonly runnable: Runnable;
  /** For a server: the image that runs its load. */
  readonly load: Runnable;
  /** The side of the measuring code, which the runnable and the workload already contain. */
  readonly code: Trial['code'];
  readonly workload: Workload;
  /** `auto`: once, and where that is short as often as a block would repeat it. */
  readonly repetitions: number | 'auto';
  readonly metrics: readonly MetricRule[];
}

/**
 * Tries whether a side works, with a run that is no sample. Tries again after a fault of the engine. @returns the runs
 * in order; none if it was cancelled
 */
export async function tryWorkload(
  { runnable, load, code, workload, repetitions, metrics }: TrialRequest,
  engine: Engine,
  pause: Pause,
  signal: AbortSignal,
): Promise<readonly Trial[]> {
  const { variant, side } = runnable.image;
  const once = async (times: number): Promise<Trial | undefined> => {
    for (const wait of [...WAIT_SECONDS, undefined]) {
      const { outcome, exitStatus, message, ...result } = await engine.run(
        {
          runnable,
          workload,
          repetitions: times,
          hashSeed: 1,
          load: workload.server === undefined ? undefined : load,
        },
        signal,
      );
      if (signal.aborted) return undefined;
      if (outcome === 'engine' && wait !== undefined) {
        await pause(wait, signal);
        continue;
      }
      return {
        ...{ variant, side, code, repetitions: times, outcome, exitStatus },
        metrics: outcome === 'ok' ? withHybrids(result.metrics, metrics) : {},
        message,
      };
    }
    return undefined;
  };
  const first = await once(repetitions === 'auto' ? 1 : repetitions);
  if (first === undefined) return [];
  const times = repetitions === 'auto' ? repetitionsOf(first.metrics['wall_time_s'] ?? 0) : 1;
  if (first.outcome !== 'ok' || times === 1) return [first];
  const again = await once(times);
  return again === undefined ? [first] : [first, again];
}
