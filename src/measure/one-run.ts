import { WAIT_SECONDS } from '../process/patience.ts';
import { withHybrids } from '../session/formula.ts';
import type { Run } from '../session/run.ts';
import type { Failure } from '../session/session.ts';
import type { Runnable, RunResult } from './engine.ts';
import type { LoopRequest } from './loop-request.ts';
import type { Loop } from './loop-state.ts';
import { isRemoval } from './removed-files.ts';

/** One run of the loop, and the effect of a failed run on its variant. */

/** An engine's fault repeats a pair once after each wait. */
export const MAX_ATTEMPT = WAIT_SECONDS.length;

export interface OneRun extends Pick<Run, 'variant' | 'side' | 'block' | 'position' | 'attempt'> {
  readonly runnable: Runnable;
  /**
   * The image that runs a server's load: the baseline's, so that a change of the server's Python does not change the
   * load.
   */
  readonly load: Runnable;
  readonly hashSeed: number;
}

/** Starts one run and reads its answer; it does not judge how the run ended. */
export async function runOnce(
  { runnable, load, hashSeed, ...place }: OneRun,
  { request, state, signal }: Loop,
): Promise<{ readonly run: Run; readonly result: RunResult }> {
  const started = request.clock().toISOString();
  const { workload } = request.plan;
  const result = await request.engines[runnable.image.engine].run(
    {
      runnable,
      workload,
      repetitions: state.repetitions.get(place.variant) ?? 1,
      hashSeed,
      load: workload.server === undefined ? undefined : load,
    },
    signal,
  );
  const { outcome, noise, exitStatus, message } = result;
  const { variant, side } = place;
  const run: Run = {
    ...place,
    started,
    outcome,
    metrics:
      outcome === 'ok'
        ? withHybrids(state.reports.take({ ...result, variant, side }), request.plan.rules.metrics)
        : {},
    noise,
    exitStatus,
    message,
  };
  return { run, result };
}

/** Reports the repetition, and gives an engine that failed the time to come back, as far as the budget has it. */
export async function waitToRepeat(
  { variant, message = '' }: Run,
  attempt: number,
  { request, left, signal }: Loop,
): Promise<void> {
  request.onProgress({ kind: 'repeat', variant, attempt: attempt + 1, message });
  await request.pause(Math.min(WAIT_SECONDS[attempt] ?? 0, Math.max(0, left())), signal);
}

/** Ends the measurement of the variant. Its runs so far stay in the session. */
export function drop(run: Run, { request, state }: Loop): void {
  const failure: Failure = {
    variant: run.variant,
    side: run.side,
    stage: run.outcome === 'engine' ? 'engine' : 'workload',
    message: `${run.variant} (${run.side}, ${run.block === 0 ? 'warm-up' : `block ${run.block}`}): ${run.message ?? run.outcome}${adviceOn(run, request)}`,
  };
  state.failures.push(failure);
  request.onProgress({ kind: 'dropped', failure });
}

/** Advice for the user, if the workload's output has none. */
function adviceOn({ outcome, variant, side, message = '' }: Run, { plan, variants }: LoopRequest): string {
  const isServer = plan.workload.server !== undefined;
  const engine = variants.find((own) => own.variant === variant)?.sides[side]?.image.engine;
  switch (outcome) {
    case 'timeout':
      return `\nIf it is meant to take that long, raise workload.timeout${isServer ? ' for a round of load, workload.server.start-timeout for the start' : ''}; if not, the workload hangs.`;
    case 'oom':
      return '\nIf it is meant to take that much, raise workload.memory.';
    case 'engine':
      if (isRemoval(message)) return '';
      return engine === 'host'
        ? `\nThis was tried ${MAX_ATTEMPT + 1} times, with waits between.`
        : `\nThe engine failed ${MAX_ATTEMPT + 1} times, with waits between; \`docker info\` and its log say more.`;
    default:
      return '';
  }
}
