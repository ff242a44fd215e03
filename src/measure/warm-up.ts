import type { Run, Side } from '../session/run.ts';
import type { RunResult } from './engine.ts';
import type { LoopVariant } from './loop-request.ts';
import type { Loop } from './loop-state.ts';
import { drop, MAX_ATTEMPT, runOnce, waitToRepeat, type OneRun } from './one-run.ts';
import { repetitionsOf } from './repetitions.ts';

/**
 * One run of each side that is not judged. It also measures how long a pair takes and how often to repeat a short
 * command.
 */
export async function warmUp({ variant, sides }: LoopVariant, loop: Loop): Promise<void> {
  const { request, state } = loop;
  const { repetitions } = request.plan.workload;
  state.repetitions.set(variant, repetitions === 'auto' ? 1 : repetitions);
  let seconds = 0;
  let longest = 0;
  const order: Side[] = (['baseline', 'head'] as const).filter((side) => sides[side] !== undefined);
  for (const [position, side] of order.entries()) {
    const runnable = sides[side];
    if (runnable === undefined || loop.cancelled()) return;
    request.onProgress({ kind: 'warm-up', variant, side });
    const warm = await warmSide(
      {
        variant,
        side,
        runnable,
        load: sides.baseline ?? runnable,
        block: 0,
        position: position === 0 ? 0 : 1,
        hashSeed: 1,
      },
      loop,
    );
    if (warm === undefined) return;
    seconds += warm.seconds;
    longest = Math.max(longest, warm.run.metrics['wall_time_s'] ?? 0);
    state.noCounters ??= warm.result.noCounters;
    if (warm.result.openProbe === true) state.openProbes.add(variant);
  }
  const count = repetitions === 'auto' ? repetitionsOf(longest) : 1;
  if (count > 1) {
    state.repetitions.set(variant, count);
    seconds += (count - 1) * longest * order.length;
  }
  state.pairSeconds.set(variant, seconds);
}

interface WarmSide {
  readonly run: Run;
  readonly result: RunResult;
  /** What the run took as a whole, container and all. */
  readonly seconds: number;
}

/** One side's run, repeated after faults of the engine; undefined if it failed or was cancelled. */
async function warmSide(one: Omit<OneRun, 'attempt'>, loop: Loop): Promise<WarmSide | undefined> {
  const { request, state } = loop;
  for (let attempt = 0; ; attempt++) {
    const begun = request.clock().getTime();
    const { run, result } = await runOnce({ ...one, attempt }, loop);
    if (loop.cancelled()) return undefined;
    state.warmup.push(run);
    await request.journal.append(run, true);
    if (run.outcome === 'ok') return { run, result, seconds: (request.clock().getTime() - begun) / 1000 };
    if (run.outcome !== 'engine' || attempt === MAX_ATTEMPT) {
      drop(run, loop);
      return undefined;
    }
    await waitToRepeat(run, attempt, loop);
    if (loop.cancelled()) return undefined;
  }
}
