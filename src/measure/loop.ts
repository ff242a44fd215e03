import { measureFamily } from './family.ts';
import type { LoopRequest, LoopResult, LoopVariant } from './loop-request.ts';
import { startLoop } from './loop-state.ts';

/** The measuring loop: the families of variants, one after the other, and their common result. */

export type { LoopRequest, LoopResult, LoopVariant, ProgressEvent } from './loop-request.ts';

/**
 * Warm-up, then blocks of pairs until every variant is decided, or the plan, the budget or the signal ends them.
 *
 * No run is dropped because of its values. A fault of the engine repeats the pair. A failure of the workload ends the
 * measurement of its variant; the other variants go on. Neither throws.
 */
export async function measureSession(request: LoopRequest, signal: AbortSignal): Promise<LoopResult> {
  const loop = startLoop(request, signal);
  const isAdded = ({ variant }: LoopVariant) => request.added?.has(variant) === true;
  const others = request.variants.filter((variant) => !isAdded(variant));
  const added = request.variants.filter(isAdded);
  const first = await measureFamily(
    { variants: others.length === 0 ? added : others, seed: request.seed, earlierCap: undefined },
    loop,
  );
  const second =
    others.length === 0 || added.length === 0 || loop.cancelled()
      ? undefined
      : await measureFamily({ variants: added, seed: request.seed + 1, earlierCap: first.cap }, loop);
  const blocksLeftOut = Math.max(first.blocksLeftOut, second?.blocksLeftOut ?? 0);
  const secondsLeftOut = first.secondsLeftOut + (second?.secondsLeftOut ?? 0);
  if (blocksLeftOut > 0) request.onProgress({ kind: 'budget', blocksLeftOut, secondsLeftOut });
  const { warmup, runs, failures, repetitions, reports, noCounters, openProbes } = loop.state;
  return {
    warmup,
    runs,
    failures,
    repetitions: Object.fromEntries(repetitions),
    declaredMetrics: reports.declared(),
    noCounters,
    openProbes: [...openProbes],
    blocksPlanned: first.cap,
    addedBlocksPlanned: second?.cap,
    blocksLeftOut,
    secondsLeftOut,
    stopped: [...first.stopped, ...(second?.stopped ?? [])],
    interrupted: loop.cancelled(),
  };
}
