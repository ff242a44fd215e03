import type { Run } from '../session/run.ts';
import type { LoopVariant } from './loop-request.ts';
import type { Loop } from './loop-state.ts';
import { drop, MAX_ATTEMPT, runOnce, waitToRepeat } from './one-run.ts';
import type { ScheduledPair } from './schedule.ts';

/**
 * One run of each side, back to back. A fault of the engine repeats the pair; a failure of the workload drops its
 * variant.
 */
export async function measurePair(
  variant: LoopVariant,
  pair: ScheduledPair,
  block: number,
  loop: Loop,
): Promise<void> {
  const { request, state } = loop;
  for (let attempt = 0; ; attempt++) {
    const begun = request.clock().getTime();
    const failed = await runSides(variant, pair, { block, attempt }, loop);
    if (failed === 'cancelled') return;
    if (failed === undefined) {
      state.pairSeconds.set(variant.variant, (request.clock().getTime() - begun) / 1000);
      return;
    }
    if (failed.outcome !== 'engine' || attempt === MAX_ATTEMPT) {
      drop(failed, loop);
      return;
    }
    await waitToRepeat(failed, attempt, loop);
    if (loop.cancelled()) return;
  }
}

/** Runs the sides in the pair's order up to the first that fails. @returns the run that failed, if one did */
async function runSides(
  { variant, sides }: LoopVariant,
  { order, hashSeed }: ScheduledPair,
  { block, attempt }: Pick<Run, 'block' | 'attempt'>,
  loop: Loop,
): Promise<Run | 'cancelled' | undefined> {
  const { request, state } = loop;
  for (const [position, side] of order.filter((known) => sides[known] !== undefined).entries()) {
    const runnable = sides[side];
    if (runnable === undefined) continue;
    const { run } = await runOnce(
      {
        variant,
        side,
        runnable,
        load: sides.baseline ?? runnable,
        block,
        position: position === 0 ? 0 : 1,
        attempt,
        hashSeed,
      },
      loop,
    );
    // A cancelled run says nothing about the workload.
    if (loop.cancelled()) return 'cancelled';
    state.runs.push(run);
    await request.journal.append(run, false);
    request.onProgress({ kind: 'run', run, runsDone: state.runs.length, secondsLeft: loop.left() });
    if (run.outcome !== 'ok') return run;
  }
  return undefined;
}
