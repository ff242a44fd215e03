import type { Plan } from '../plan/plan.ts';
import { reportTaker, type ReportTaker } from '../session/declared.ts';
import { withHybrids } from '../session/formula.ts';
import type { Planner } from '../session/planner.ts';
import type { Run, Side } from '../session/run.ts';
import type { Failure, Session } from '../session/session.ts';
import { chooseVariants } from './allocation.ts';
import type { Engine, Runnable, RunResult } from './engine.ts';
import type { Journal } from './journal.ts';
import { WAIT_SECONDS, type Pause } from '../process/patience.ts';
import { isRemoval } from './removed-files.ts';
import { repetitionsOf } from './repetitions.ts';
import { scheduleBlocks, type ScheduledPair } from './schedule.ts';

/** What is measured, and what the loop may ask of the world. It knows no process, file or clock by itself. */
export interface LoopRequest {
  readonly plan: Plan;
  readonly seed: number;
  readonly variants: readonly LoopVariant[];
  /** Those of them that the change adds: they are measured after the others, in what these left of the budget. */
  readonly added?: ReadonlySet<string>;
  /** What is left of the budget, in seconds. */
  readonly secondsLeft: number;
  readonly engines: { readonly container: Engine; readonly host: Engine };
  readonly journal: Journal;
  readonly clock: () => Date;
  readonly pause: Pause;
  readonly onProgress: (event: ProgressEvent) => void;
  /** How many blocks, and which variants need no more: asked before the first block and after each. */
  readonly planner: Planner;
}

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
    }
  | {
      readonly kind: 'run';
      readonly run: Run;
      readonly runsDone: number;
      readonly secondsLeft: number;
    }
  | {
      readonly kind: 'settled';
      readonly variants: readonly string[];
      readonly block: number;
      /** Variants that go on. */
      readonly open: number;
    }
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
  readonly noCounters?: string;
  /** Variants whose workload could write to the memory of its probe. */
  readonly openProbes: readonly string[];
  /** The cap of blocks that was set before the first one. */
  readonly blocksPlanned: number;
  /** The same of variants that the change adds, where there are others. */
  readonly addedBlocksPlanned?: number;
  readonly blocksLeftOut: number;
  readonly secondsLeftOut: number;
  readonly interrupted: boolean;
}

/** An engine's fault repeats a pair once after each wait. */
const MAX_ATTEMPT = WAIT_SECONDS.length;

interface State {
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

/**
 * Warm-up, then blocks of pairs until every variant is settled, or the plan, the budget or the signal ends them.
 *
 * A run is never dropped by its own result: an engine's fault repeats the pair, a workload's own death ends
 * the measurement of its variant and is a failure; the other variants go on. Never throws for either.
 */
export async function measureSession(request: LoopRequest, signal: AbortSignal): Promise<LoopResult> {
  const state: State = {
    warmup: [],
    runs: [],
    failures: [],
    repetitions: new Map(),
    reports: reportTaker(request.plan.rules.metrics),
    noCounters: undefined,
    openProbes: new Set(),
    pairSeconds: new Map(),
  };
  const started = request.clock().getTime();
  const left = () => request.secondsLeft - (request.clock().getTime() - started) / 1000;

  const isAdded = ({ variant }: LoopVariant) => request.added?.has(variant) === true;
  const others = request.variants.filter((variant) => !isAdded(variant));
  const added = request.variants.filter(isAdded);
  const first = await measureFamily(
    { variants: others.length === 0 ? added : others, seed: request.seed, earlierCap: undefined },
    request,
    state,
    signal,
    left,
  );
  const second =
    others.length === 0 || added.length === 0 || signal.aborted
      ? undefined
      : await measureFamily(
          { variants: added, seed: request.seed + 1, earlierCap: first.cap },
          request,
          state,
          signal,
          left,
        );
  const blocksLeftOut = Math.max(first.blocksLeftOut, second?.blocksLeftOut ?? 0);
  const secondsLeftOut = first.secondsLeftOut + (second?.secondsLeftOut ?? 0);
  if (blocksLeftOut > 0) request.onProgress({ kind: 'budget', blocksLeftOut, secondsLeftOut });
  return {
    warmup: state.warmup,
    runs: state.runs,
    failures: state.failures,
    repetitions: Object.fromEntries(state.repetitions),
    declaredMetrics: state.reports.declared(),
    ...(state.noCounters === undefined ? {} : { noCounters: state.noCounters }),
    openProbes: [...state.openProbes],
    blocksPlanned: first.cap,
    ...(second === undefined ? {} : { addedBlocksPlanned: second.cap }),
    blocksLeftOut,
    secondsLeftOut,
    interrupted: signal.aborted,
  };
}

/** Variants that share a plan of blocks. */
interface Family {
  readonly variants: readonly LoopVariant[];
  readonly seed: number;
  /** The cap of those that were measured before, where these are the ones that the change adds. */
  readonly earlierCap: number | undefined;
}

interface FamilyResult extends Pick<LoopResult, 'blocksLeftOut' | 'secondsLeftOut'> {
  readonly cap: number;
}

/** The same for some of the variants, whose blocks are counted from 1. */
async function measureFamily(
  { variants, seed, earlierCap }: Family,
  request: LoopRequest,
  state: State,
  signal: AbortSignal,
  left: () => number,
): Promise<FamilyResult> {
  const cancelled = () => signal.aborted;
  const names = new Set(variants.map(({ variant }) => variant));
  const warmed = new Set<string>();
  for (const variant of variants) {
    if (signal.aborted || left() <= 0) break;
    await warmUp(variant, request, state, signal, left);
    warmed.add(variant.variant);
    await request.journal.describe({
      repetitions: Object.fromEntries(state.repetitions),
      declaredMetrics: state.reports.declared(),
    });
  }
  if (!cancelled())
    for (const failure of request.planner.hopeless?.({
      warmup: state.warmup,
      failures: state.failures,
      declaredMetrics: state.reports.declared(),
    }) ?? []) {
      if (!names.has(failure.variant)) continue;
      state.failures.push(failure);
      request.onProgress({ kind: 'dropped', failure });
    }
  const alive = () => {
    const dead = new Set(state.failures.map(({ variant }) => variant));
    return variants.filter(({ variant }) => warmed.has(variant) && !dead.has(variant));
  };
  // A variant that the budget left no warm-up is taken to be like the slowest of the others.
  const pairSeconds = (variant: string) =>
    state.pairSeconds.get(variant) ?? Math.max(1, ...state.pairSeconds.values());
  const planned = request.plan.rules.blocks;
  const first = alive();
  const cap =
    first.length === 0
      ? planned
      : Math.min(
          planned,
          request.planner.cap(
            new Map(first.map(({ variant }) => [variant, pairSeconds(variant)])),
            Math.max(0, left()),
            { warmup: state.warmup, failures: state.failures, declaredMetrics: state.reports.declared() },
          ),
        );
  const progressNow = () =>
    request.planner.progress({
      warmup: state.warmup,
      runs: state.runs,
      failures: state.failures,
      ...(earlierCap === undefined
        ? { blocksPlanned: cap }
        : { blocksPlanned: earlierCap, addedBlocksPlanned: cap }),
      declaredMetrics: state.reports.declared(),
    });
  let progress = progressNow();
  const expected = (variant: string) => Math.min(cap, progress.expected(variant));
  const secondsTo = (blocks: (variant: string) => number, of: readonly LoopVariant[]) =>
    of.reduce((sum, { variant }) => sum + pairSeconds(variant) * blocks(variant), 0);
  if (first.length > 0 && !cancelled())
    request.onProgress({
      kind: 'plan',
      variants: first.length,
      blocks: cap,
      blocksPlanned: planned,
      seconds: secondsTo(expected, first),
      secondsAtMost: secondsTo(() => cap, first),
    });

  const schedule = scheduleBlocks(
    variants.map(({ variant }) => variant),
    variants.some(({ sides }) => sides.baseline !== undefined) ? ['baseline', 'head'] : ['head'],
    planned,
    seed,
  );
  /** Pairs that each variant has, whichever blocks they were measured in. */
  const done = new Map<string, number>();
  const blocksOf = (variant: string) => done.get(variant) ?? 0;
  const unsettled = () =>
    alive().filter(({ variant }) => !progress.settled.has(variant) && blocksOf(variant) < cap);
  const soonest = (open: readonly LoopVariant[]) =>
    chooseVariants(
      open.map(({ variant }) => ({
        variant,
        pairSeconds: pairSeconds(variant),
        blocks: blocksOf(variant),
        expected: progress.expected(variant),
      })),
      left(),
    );
  for (let block = 1; !cancelled(); block++) {
    const open = unsettled();
    const enough = left() >= secondsTo((variant) => cap - blocksOf(variant), open);
    const chosen = enough ? new Set(open.map(({ variant }) => variant)) : soonest(open);
    const measured = open.filter(({ variant }) => chosen.has(variant));
    // The budget is kept at the border of a block: half a block would unbalance the variants.
    if (measured.length === 0 || left() < secondsTo(() => 1, measured)) break;
    for (const scheduled of schedule[(block - 1) % planned] ?? []) {
      const variant = measured.find((candidate) => candidate.variant === scheduled.variant);
      // A variant that waited goes on where its own balanced order stopped.
      const pair = schedule[blocksOf(scheduled.variant)]?.find((own) => own.variant === scheduled.variant);
      if (variant === undefined || pair === undefined || cancelled()) continue;
      await measurePair(variant, pair, block, request, state, signal, left);
      done.set(variant.variant, blocksOf(variant.variant) + 1);
    }
    if (cancelled()) break;
    const before = progress.settled;
    progress = progressNow();
    const newly = measured
      .map(({ variant }) => variant)
      .filter((variant) => progress.settled.has(variant) && !before.has(variant));
    if (newly.length > 0)
      request.onProgress({ kind: 'settled', variants: newly, block, open: unsettled().length });
  }
  const failed = new Set(state.failures.map(({ variant }) => variant));
  const undecided = cancelled()
    ? []
    : variants.filter(
        ({ variant }) =>
          !failed.has(variant) && !progress.settled.has(variant) && blocksOf(variant) < planned,
      );
  // What deciding is likely to take, not what the cap would.
  const blocksLeft = (variant: string) =>
    Math.max(1, Math.min(planned, progress.expected(variant)) - blocksOf(variant));
  const blocksLeftOut = Math.max(0, ...undecided.map(({ variant }) => blocksLeft(variant)));
  const secondsLeftOut = secondsTo(blocksLeft, undecided);
  return { cap, blocksLeftOut, secondsLeftOut };
}

/** One discarded run of each side; it also says how long a pair takes and how often a short command is repeated. */
async function warmUp(
  { variant, sides }: LoopVariant,
  request: LoopRequest,
  state: State,
  signal: AbortSignal,
  left: () => number,
): Promise<void> {
  const { repetitions } = request.plan.workload;
  const cancelled = () => signal.aborted;
  state.repetitions.set(variant, repetitions === 'auto' ? 1 : repetitions);
  let seconds = 0;
  let longest = 0;
  const order: Side[] = (['baseline', 'head'] as const).filter((side) => sides[side] !== undefined);
  for (const [position, side] of order.entries()) {
    const runnable = sides[side];
    if (runnable === undefined || cancelled()) return;
    request.onProgress({ kind: 'warm-up', variant, side });
    for (let attempt = 0; ; attempt++) {
      const begun = request.clock().getTime();
      const { run, result } = await runOnce(
        {
          variant,
          side,
          runnable,
          load: sides.baseline ?? runnable,
          block: 0,
          position: position === 0 ? 0 : 1,
          attempt,
          hashSeed: 1,
        },
        request,
        state,
        signal,
      );
      if (cancelled()) return;
      state.warmup.push(run);
      await request.journal.append(run, true);
      if (run.outcome === 'ok') {
        seconds += (request.clock().getTime() - begun) / 1000;
        longest = Math.max(longest, run.metrics['wall_time_s'] ?? 0);
        state.noCounters ??= result.noCounters;
        if (result.openProbe === true) state.openProbes.add(variant);
        break;
      }
      if (run.outcome !== 'engine' || attempt === MAX_ATTEMPT) {
        drop(run, request, state);
        return;
      }
      request.onProgress({ kind: 'repeat', variant, attempt: attempt + 1, message: run.message ?? '' });
      await waitFor(attempt, request, left, signal);
      if (cancelled()) return;
    }
  }
  const count = repetitions === 'auto' ? repetitionsOf(longest) : 1;
  if (count > 1) {
    state.repetitions.set(variant, count);
    seconds += (count - 1) * longest * order.length;
  }
  state.pairSeconds.set(variant, seconds);
}

async function measurePair(
  { variant, sides }: LoopVariant,
  pair: ScheduledPair,
  block: number,
  request: LoopRequest,
  state: State,
  signal: AbortSignal,
  left: () => number,
): Promise<void> {
  const order = pair.order.filter((side) => sides[side] !== undefined);
  for (let attempt = 0; attempt <= MAX_ATTEMPT; attempt++) {
    const begun = request.clock().getTime();
    let fault: Run | undefined;
    for (const [position, side] of order.entries()) {
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
          hashSeed: pair.hashSeed,
        },
        request,
        state,
        signal,
      );
      // A run that was cut short by the cancellation says nothing about the workload.
      if (signal.aborted) return;
      state.runs.push(run);
      await request.journal.append(run, false);
      request.onProgress({ kind: 'run', run, runsDone: state.runs.length, secondsLeft: left() });
      if (run.outcome === 'engine') {
        fault = run;
        break;
      }
      if (run.outcome !== 'ok') {
        drop(run, request, state);
        return;
      }
    }
    if (fault === undefined) {
      state.pairSeconds.set(variant, (request.clock().getTime() - begun) / 1000);
      return;
    }
    if (attempt === MAX_ATTEMPT) {
      drop(fault, request, state);
      return;
    }
    request.onProgress({ kind: 'repeat', variant, attempt: attempt + 1, message: fault.message ?? '' });
    await waitFor(attempt, request, left, signal);
    if (signal.aborted) return;
  }
}

/** Gives an engine that failed the time to come back, as far as the budget has it. */
async function waitFor(
  attempt: number,
  { pause }: LoopRequest,
  left: () => number,
  signal: AbortSignal,
): Promise<void> {
  await pause(Math.min(WAIT_SECONDS[attempt] ?? 0, Math.max(0, left())), signal);
}

/** What a person can do about it, where that is not in the workload's own words. */
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

/** The variant is measured no further. Its runs so far stay in the session. */
function drop(run: Run, request: LoopRequest, state: State): void {
  const failure: Failure = {
    variant: run.variant,
    side: run.side,
    stage: run.outcome === 'engine' ? 'engine' : 'workload',
    message: `${run.variant} (${run.side}, ${run.block === 0 ? 'warm-up' : `block ${run.block}`}): ${run.message ?? run.outcome}${adviceOn(run, request)}`,
  };
  state.failures.push(failure);
  request.onProgress({ kind: 'dropped', failure });
}

interface OneRun extends Pick<Run, 'variant' | 'side' | 'block' | 'position' | 'attempt'> {
  readonly runnable: Runnable;
  /** What a server's load is run with: the baseline's, so that a change of the server's Python is none of the load's. */
  readonly load: Runnable;
  readonly hashSeed: number;
}

async function runOnce(
  { runnable, load, hashSeed, ...place }: OneRun,
  request: LoopRequest,
  state: State,
  signal: AbortSignal,
): Promise<{ readonly run: Run; readonly result: RunResult }> {
  const started = request.clock().toISOString();
  const { workload } = request.plan;
  const result = await request.engines[runnable.image.engine].run(
    {
      runnable,
      workload,
      repetitions: state.repetitions.get(place.variant) ?? 1,
      hashSeed,
      ...(workload.server === undefined ? {} : { load }),
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
    ...(message === undefined ? {} : { message }),
  };
  return { run, result };
}
