import { join } from 'node:path';
import type { Runnable, RunResult } from '../measure/engine.ts';
import { startSame } from '../plan/measuring-changes.ts';
import type { Plan, Workload } from '../plan/plan.ts';
import { withHybrids } from '../session/formula.ts';
import type { Measuring, MeasuringChange, MeasuringTrial } from '../session/measuring.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Ports, SingleRun, VariantSides } from './ports.ts';

/** A change's edits to the measuring code, and the data for trying both versions. */
export interface MeasuringRequest {
  readonly changes: readonly MeasuringChange[];
  /** The workload of the head's own configuration. The plan's workload begins as the base's. */
  readonly head: Workload;
  readonly base: {
    readonly workload: Workload;
    /**
     * Side -> absolute folder with that side's files and the base's own measuring code; a missing side is not tried.
     */
    readonly trees: Readonly<Partial<Record<Side, string>>>;
  };
}

export interface TriedMeasuringCode {
  /** The workload that the blocks measure. */
  readonly workload: Workload;
  readonly measuring: Measuring;
}

/**
 * The maximum number of pairs on one image. Without a change, four values lie all above or all below four others once
 * in 35 times.
 */
const PAIRS = 4;
/** The largest share of the remaining budget for trials. The first pair of one variant always runs. */
const SHARE = 0.2;
/** A short command is repeated inside a run until the run takes this many seconds. */
const REPEATED_RUN_SECONDS = 0.3;
const MAX_REPETITIONS = 100;

/**
 * Decides whose command is measured, and runs the base's and the head's measuring code in turns on the same images.
 *
 * The base's command judges. If it fails on the head, the head's command replaces it only if the change edits the
 * measuring code too, or if the baseline cannot run the head's command either. Otherwise a broken head could choose a
 * command that hides the fault.
 */
export async function tryMeasuringCode(
  request: MeasuringRequest,
  { plan, variants, secondsLeft }: { plan: Plan; variants: readonly VariantSides[]; secondsLeft: number },
  ports: Ports,
  signal: AbortSignal,
): Promise<TriedMeasuringCode> {
  const { changes, head } = request;
  const untried = { workload: plan.workload, measuring: { changes: [...changes], trials: [] } };
  if (!changes.some(({ kind }) => kind === 'command' || kind === 'setting' || kind === 'files'))
    return untried;
  ports.log.step('Measuring code');
  const bench = {
    request,
    plan,
    share: SHARE * secondsLeft,
    started: ports.clock().getTime(),
    ports,
    signal,
  };
  const command = await judgingCommand(variants, bench);
  const trials: MeasuringTrial[] = [];
  for (const variant of variants)
    if (!signal.aborted) trials.push(...(await triedOn(variant, trials.length === 0, bench)));
  return {
    workload: command?.of === 'head' ? head : plan.workload,
    measuring: { changes: [...changes], command, trials },
  };
}

/** The parts that the steps share: both codes, the ports, and the time limit of all trials together. */
interface Bench {
  readonly request: MeasuringRequest;
  readonly plan: Plan;
  /** Seconds from `started`. */
  readonly share: number;
  /** Milliseconds of the clock. */
  readonly started: number;
  readonly ports: Ports;
  readonly signal: AbortSignal;
}

type Code = 'base' | 'head';

/** An image on which both measuring codes run. */
interface OpenTrial {
  readonly sides: VariantSides['sides'];
  readonly side: Side;
  /** Each pair adds to it. */
  readonly trial: MeasuringTrial;
  readonly repeat: Readonly<Record<Code, number>>;
}

/** Whose command the blocks measure; undefined if both commands are equal, or if the head was not built. */
async function judgingCommand(
  variants: readonly VariantSides[],
  bench: Bench,
): Promise<Measuring['command']> {
  const { plan, request, ports } = bench;
  if (startSame(plan.workload, request.head)) return undefined;
  const [first] = variants.filter(({ sides }) => sides.head !== undefined);
  if (first === undefined) return undefined;
  const run = await withHead(first.sides, 'head', plan.workload, bench);
  if (run === undefined || run.outcome === 'ok') return { of: 'base' };
  const reason = reasonOf(run);
  const moved = request.changes.some(({ kind }) => kind === 'files');
  const onBaseline = moved ? undefined : await withHead(first.sides, 'baseline', request.head, bench);
  if (!moved && (onBaseline === undefined || onBaseline.outcome === 'ok')) return { of: 'base' };
  ports.log.warn(`The base's command does not run on the head (${reason}), so the head's is measured.`);
  return { of: 'head', reason };
}

/** Alternates between both images too. The main question is whether an edit changes both sides alike. */
async function triedOn(variant: VariantSides, always: boolean, bench: Bench): Promise<MeasuringTrial[]> {
  const { trees } = bench.request.base;
  const sides = SIDES.filter((side) => variant.sides[side] !== undefined && trees[side] !== undefined);
  if (sides.length === 0 || (!always && left(bench) <= 0)) return [];
  const found = [];
  for (const side of sides) found.push(await opened(variant, side, bench));
  const open = found.filter((one) => one !== undefined && 'trial' in one);
  await runPairs(open, always, bench);
  const told = found
    .flatMap((one) => (one === undefined ? [] : 'trial' in one ? one.trial : one))
    .filter(({ pairs, failures }) => pairs > 0 || Object.keys(failures).length > 0);
  for (const { image, pairs } of told)
    bench.ports.log.info(
      `${variant.variant} ${image}: the base's measuring code and the head's, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`,
    );
  return told;
}

/** Runs each code once to see whether it works. A trial that is not open has the reason. */
async function opened(
  { variant, sides }: VariantSides,
  side: Side,
  bench: Bench,
): Promise<OpenTrial | MeasuringTrial | undefined> {
  const { head, base } = bench.request;
  const warm = {
    base: await withBase(sides, side, bench),
    head: await withHead(sides, side, head, bench),
  };
  const failures = {
    base: warm.base === undefined || warm.base.outcome === 'ok' ? undefined : reasonOf(warm.base),
    head: warm.head === undefined || warm.head.outcome === 'ok' ? undefined : reasonOf(warm.head),
  };
  const trial: MeasuringTrial = { variant, image: side, pairs: 0, base: {}, head: {}, failures };
  if (warm.base?.outcome !== 'ok' || warm.head?.outcome !== 'ok')
    return failures.base === undefined && failures.head === undefined ? undefined : trial;
  const repeat = { base: repetitionsOf(base.workload, warm.base), head: repetitionsOf(head, warm.head) };
  return { sides, side, trial, repeat };
}

/** Runs rounds of pairs on every image whose runs succeed, as long as another round fits into the time. */
async function runPairs(trials: readonly OpenTrial[], always: boolean, bench: Bench): Promise<void> {
  let open = trials;
  let longest = 0;
  for (let round = 0; round < PAIRS && open.length > 0 && !bench.signal.aborted; round++) {
    if (!(always && round === 0) && left(bench) < longest) break;
    const begun = bench.ports.clock().getTime();
    const ended: OpenTrial[] = [];
    for (const one of open) if (await runPair(one, round, bench)) ended.push(one);
    open = ended;
    longest = (bench.ports.clock().getTime() - begun) / 1000;
  }
}

/** Runs one pair on one image; false if one of its runs failed. */
async function runPair(
  { sides, side, trial, repeat }: OpenTrial,
  round: number,
  bench: Bench,
): Promise<boolean> {
  const { plan, request } = bench;
  const runs: Partial<Record<Code, RunResult>> = {};
  // The order alternates, so that a machine that slows down affects both.
  for (const code of round % 2 === 0 ? (['base', 'head'] as const) : (['head', 'base'] as const)) {
    const run = await (code === 'base'
      ? withBase(sides, side, bench, repeat.base)
      : withHead(sides, side, request.head, bench, repeat.head));
    if (run?.outcome !== 'ok') return false;
    runs[code] = run;
  }
  for (const code of ['base', 'head'] as const) keep(trial[code], runs[code], plan);
  trial.pairs += 1;
  return true;
}

/** Runs the workload with the image's own measuring code, which is the head's. */
async function withHead(
  sides: VariantSides['sides'],
  side: Side,
  workload: Workload,
  bench: Bench,
  repetitions = 1,
): Promise<RunResult | undefined> {
  const runnable = sides[side];
  if (runnable === undefined) return undefined;
  return await runOnce({ runnable, load: sides.baseline ?? runnable, workload, repetitions }, bench);
}

/** Runs the workload with the base's measuring code mounted over the image. */
async function withBase(
  sides: VariantSides['sides'],
  side: Side,
  bench: Bench,
  repetitions = 1,
): Promise<RunResult | undefined> {
  const { trees, workload } = bench.request.base;
  const [runnable, tree] = [sides[side], trees[side]];
  if (runnable === undefined || tree === undefined) return undefined;
  const own = ownCode(runnable, tree, workload);
  const load =
    sides.baseline === undefined || trees.baseline === undefined
      ? own
      : ownCode(sides.baseline, trees.baseline, workload);
  return await runOnce({ runnable: own, load, workload, repetitions }, bench);
}

/**
 * One run; undefined if the engine, the time limit or a cancellation ended it, because this is no result of the code.
 */
async function runOnce(
  { load, ...run }: SingleRun,
  { ports, share, signal }: Bench,
): Promise<RunResult | undefined> {
  // A function, because the value may change during the run.
  const cancelled = () => signal.aborted;
  if (cancelled()) return undefined;
  const { workload } = run;
  // A run that hangs must not use the time of the blocks.
  const timeoutSeconds = Math.min(workload.timeoutSeconds, Math.max(5, share));
  const result = await ports.runOnce(
    {
      ...run,
      workload: { ...workload, timeoutSeconds },
      load: workload.server === undefined ? undefined : load,
    },
    signal,
  );
  const cut = result.outcome === 'timeout' && timeoutSeconds < workload.timeoutSeconds;
  return cancelled() || result.outcome === 'engine' || cut ? undefined : result;
}

/** The remaining seconds of the trials; negative if they took longer. */
const left = ({ share, started, ports }: Bench): number => share - (ports.clock().getTime() - started) / 1000;

/** Mounts the base's measuring code over an image. A host interpreter runs in the folder itself. */
const ownCode = (runnable: Runnable, tree: string, { context }: Workload): Runnable => ({
  ...runnable,
  filesFrom: join(tree, context),
  workingDirectory: runnable.image.engine === 'host' ? join(tree, context) : runnable.workingDirectory,
});

function repetitionsOf({ repetitions }: Workload, { metrics }: RunResult): number {
  if (repetitions !== 'auto') return repetitions;
  const seconds = metrics['wall_time_s'] ?? REPEATED_RUN_SECONDS;
  return seconds <= 0 ? 1 : Math.min(MAX_REPETITIONS, Math.max(1, Math.ceil(REPEATED_RUN_SECONDS / seconds)));
}

function keep(into: Record<string, number[]>, run: RunResult | undefined, plan: Plan): void {
  for (const [name, value] of Object.entries(withHybrids(run?.metrics ?? {}, plan.rules.metrics))) {
    const values = Object.hasOwn(into, name) ? into[name] : undefined;
    if (values === undefined)
      Object.defineProperty(into, name, {
        value: [value],
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else values.push(value);
  }
}

const reasonOf = ({ outcome, message }: RunResult): string =>
  ((message ?? outcome).split('\n')[0] ?? '').slice(0, 200);
