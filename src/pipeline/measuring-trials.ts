import { join } from 'node:path';
import type { Runnable, RunResult } from '../measure/engine.ts';
import { startSame } from '../plan/measuring-changes.ts';
import type { Plan, Workload } from '../plan/plan.ts';
import { withHybrids } from '../session/formula.ts';
import type { Measuring, MeasuringChange, MeasuringTrial } from '../session/measuring.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Ports, VariantSides } from './ports.ts';

/** What a change does to what measures it, and what it takes to try both versions. */
export interface MeasuringRequest {
  readonly changes: readonly MeasuringChange[];
  /** The workload as the head alone has it; the plan's starts as the base's does. */
  readonly head: Workload;
  readonly base: {
    readonly workload: Workload;
    /** Side -> absolute folder with that side's files and the base's own measuring code; one that is absent is not tried. */
    readonly trees: Readonly<Partial<Record<Side, string>>>;
  };
}

export interface TriedMeasuringCode {
  /** What the blocks measure. */
  readonly workload: Workload;
  readonly measuring: Measuring;
}

/** Pairs that are tried on an image at most: four values against four are apart by chance once in 35 times. */
const PAIRS = 4;
/** Of the budget that is left, this share at most goes into trying; a first pair of one variant is tried in any case. */
const SHARE = 0.2;
/** A run of the host's or of a container is repeated inside, where it is short, until it takes this long, in seconds. */
const REPEATED_RUN_SECONDS = 0.3;
const MAX_REPETITIONS = 100;

/**
 * Decides whose command is measured, and runs the base's and the head's measuring code in turns on the same images.
 *
 * The base's command judges. Where it dies on the head, the head's judges in its place only if the change moved the
 * measuring code too, or if the baseline cannot run the head's either: else a head that breaks itself could choose a
 * command that does not show it.
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
  const trial = trier(request, { plan, secondsLeft }, ports, signal);
  const command = await trial.commandOf(variants);
  const trials: MeasuringTrial[] = [];
  for (const variant of variants)
    if (!signal.aborted) trials.push(...(await trial.compare(variant, trials.length === 0)));
  return {
    workload: command?.of === 'head' ? head : plan.workload,
    measuring: { changes: [...changes], ...(command === undefined ? {} : { command }), trials },
  };
}

/** An image on which both measuring codes run. */
interface OpenTrial {
  readonly sides: VariantSides['sides'];
  readonly side: Side;
  /** It grows with each pair. */
  readonly trial: MeasuringTrial;
  readonly repeat: Readonly<Record<'base' | 'head', number>>;
}

function trier(
  { changes, head, base }: MeasuringRequest,
  { plan, secondsLeft }: { readonly plan: Plan; readonly secondsLeft: number },
  ports: Ports,
  signal: AbortSignal,
) {
  const started = ports.clock().getTime();
  const share = SHARE * secondsLeft;
  // A function, for it may change during any run.
  const cancelled = () => signal.aborted;
  const left = () => share - (ports.clock().getTime() - started) / 1000;

  /** One run; undefined where the engine, the time or a cancellation ended it: that says nothing of the code. */
  const once = async (
    runnable: Runnable,
    load: Runnable,
    workload: Workload,
    repetitions: number,
  ): Promise<RunResult | undefined> => {
    if (cancelled()) return undefined;
    // A run that hangs must not take the time of the blocks.
    const timeoutSeconds = Math.min(workload.timeoutSeconds, Math.max(5, share));
    const result = await ports.runOnce(
      {
        runnable,
        workload: { ...workload, timeoutSeconds },
        repetitions,
        ...(workload.server === undefined ? {} : { load }),
      },
      signal,
    );
    const cut = result.outcome === 'timeout' && timeoutSeconds < workload.timeoutSeconds;
    return cancelled() || result.outcome === 'engine' || cut ? undefined : result;
  };

  const withHead = (sides: VariantSides['sides'], side: Side, workload: Workload, repetitions = 1) => {
    const runnable = sides[side];
    return runnable === undefined
      ? Promise.resolve(undefined)
      : once(runnable, sides.baseline ?? runnable, workload, repetitions);
  };
  const withBase = (sides: VariantSides['sides'], side: Side, repetitions = 1) => {
    const runnable = sides[side];
    const tree = base.trees[side];
    const own = (one: Runnable, folder: string) => ownCode(one, folder, base.workload);
    if (runnable === undefined || tree === undefined) return Promise.resolve(undefined);
    const load =
      sides.baseline === undefined || base.trees.baseline === undefined
        ? own(runnable, tree)
        : own(sides.baseline, base.trees.baseline);
    return once(own(runnable, tree), load, base.workload, repetitions);
  };

  const commandOf = async (variants: readonly VariantSides[]): Promise<Measuring['command']> => {
    if (startSame(plan.workload, head)) return undefined;
    const [first] = variants.filter(({ sides }) => sides.head !== undefined);
    if (first === undefined) return undefined;
    const run = await withHead(first.sides, 'head', plan.workload);
    if (run === undefined || run.outcome === 'ok') return { of: 'base' };
    const reason = reasonOf(run);
    const moved = changes.some(({ kind }) => kind === 'files');
    const onBaseline = moved ? undefined : await withHead(first.sides, 'baseline', head);
    if (!moved && (onBaseline === undefined || onBaseline.outcome === 'ok')) return { of: 'base' };
    ports.log.warn(`The base's command does not run on the head (${reason}), so the head's is measured.`);
    return { of: 'head', reason };
  };

  /** A pair on one image; false where a run of it did not end well. */
  const pair = async ({ sides, side, trial, repeat }: OpenTrial, round: number): Promise<boolean> => {
    const runs: Partial<Record<'base' | 'head', RunResult>> = {};
    // In turns, so that a machine that slows down slows neither alone.
    for (const code of round % 2 === 0 ? (['base', 'head'] as const) : (['head', 'base'] as const)) {
      const run = await (code === 'base'
        ? withBase(sides, side, repeat.base)
        : withHead(sides, side, head, repeat.head));
      if (run?.outcome !== 'ok') return false;
      runs[code] = run;
    }
    for (const code of ['base', 'head'] as const) keep(trial[code], runs[code], plan);
    trial.pairs += 1;
    return true;
  };

  /** One run of each code first, which says whether it runs; a trial that is not open has the reason. */
  const opened = async (
    { variant, sides }: VariantSides,
    side: Side,
  ): Promise<OpenTrial | MeasuringTrial | undefined> => {
    const warm = { base: await withBase(sides, side), head: await withHead(sides, side, head) };
    const failures = {
      ...(warm.base === undefined || warm.base.outcome === 'ok' ? {} : { base: reasonOf(warm.base) }),
      ...(warm.head === undefined || warm.head.outcome === 'ok' ? {} : { head: reasonOf(warm.head) }),
    };
    const trial: MeasuringTrial = { variant, image: side, pairs: 0, base: {}, head: {}, failures };
    if (warm.base?.outcome !== 'ok' || warm.head?.outcome !== 'ok')
      return Object.keys(failures).length === 0 ? undefined : trial;
    const repeat = { base: repetitionsOf(base.workload, warm.base), head: repetitionsOf(head, warm.head) };
    return { sides, side, trial, repeat };
  };

  /** Both images take turns too: whether an edit moves the two sides alike is what matters most. */
  const compare = async (variant: VariantSides, always: boolean): Promise<MeasuringTrial[]> => {
    const sides = SIDES.filter((side) => variant.sides[side] !== undefined && base.trees[side] !== undefined);
    if (sides.length === 0 || (!always && left() <= 0)) return [];
    const found = [];
    for (const side of sides) found.push(await opened(variant, side));
    let open = found.filter((one) => one !== undefined && 'trial' in one);
    const trials = found.flatMap((one) => (one === undefined ? [] : 'trial' in one ? one.trial : one));
    let longest = 0;
    for (let round = 0; round < PAIRS && open.length > 0 && !signal.aborted; round++) {
      if (!(always && round === 0) && left() < longest) break;
      const begun = ports.clock().getTime();
      const ended: OpenTrial[] = [];
      for (const one of open) if (await pair(one, round)) ended.push(one);
      open = ended;
      longest = (ports.clock().getTime() - begun) / 1000;
    }
    const told = trials.filter(({ pairs, failures }) => pairs > 0 || Object.keys(failures).length > 0);
    for (const { image, pairs } of told)
      ports.log.info(
        `${variant.variant} ${image}: the base's measuring code and the head's, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}`,
      );
    return told;
  };

  return { commandOf, compare };
}

/** An image with the base's measuring code mounted over it; a host interpreter runs in the folder itself. */
const ownCode = (runnable: Runnable, tree: string, { context }: Workload): Runnable => ({
  ...runnable,
  filesFrom: join(tree, context),
  ...(runnable.image.engine === 'host' ? { workingDirectory: join(tree, context) } : {}),
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
