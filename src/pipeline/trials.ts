import type { Runnable } from '../measure/engine.ts';
import type { Plan } from '../plan/plan.ts';
import type { Run, Side } from '../session/run.ts';
import type { Failure, Trial } from '../session/session.ts';
import type { MeasuringCode } from './measuring-code.ts';
import type { Measured, Ports, VariantSides } from './ports.ts';
import { own } from '../session/record.ts';

export interface TrialsRequest {
  readonly plan: Plan;
  /** All variants that have an image. */
  readonly variants: readonly VariantSides[];
  /** Variants with the same image on both sides. */
  readonly identical: ReadonlySet<string>;
  readonly measured: Pick<Measured, 'warmup' | 'runs' | 'failures' | 'repetitions'>;
  /** Undefined without a baseline. */
  readonly code: MeasuringCode | undefined;
}

export interface TrialsResult {
  readonly trials: readonly Trial[];
  readonly failures: readonly Failure[];
}

const isDead = ({ outcome }: Pick<Run, 'outcome'>) => outcome !== 'ok' && outcome !== 'engine';

/**
 * Finds out for each variant that could not be compared which side is the cause. The order of failures does not decide
 * this.
 *
 * - If one side failed, the other is run too. A baseline that failed with the head's measuring code is run again with
 *   its own. A workload that failed while it was repeated is run once.
 * - If there is no baseline to measure, the head is run, because a head that never ran must not pass.
 * - If only the measuring code changed, the images are the same and are not measured. Each version of the measuring
 *   code is run.
 */
export async function findFailingSides(
  request: TrialsRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<TrialsResult> {
  const trials: Trial[] = [];
  const failures: Failure[] = [];
  for (const variant of request.variants) {
    if (signal.aborted) break;
    const tried = await tryVariant(variant, request, ports, signal);
    trials.push(...tried.trials);
    failures.push(...tried.failures);
  }
  for (const { message } of failures) ports.log.warn(message);
  return { trials, failures };
}

async function tryVariant(
  variant: VariantSides,
  { plan, identical, measured, code }: TrialsRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<TrialsResult> {
  const trials: Trial[] = [];
  const { baseline, head } = variant.sides;
  const attempt = async (side: Side, whose: Side, repetitions: number | 'auto') => {
    const runnable = variant.sides[side];
    if (runnable === undefined || signal.aborted) return undefined;
    ports.log.info(
      `${variant.variant}: trying the ${side} with the ${whose === 'head' ? 'measuring code of the head' : 'baseline’s own measuring code'}`,
    );
    const found = await runTrial(
      { plan, runnable, load: baseline ?? runnable, whose, repetitions, code },
      ports,
      signal,
    );
    trials.push(...found);
    return found.at(-1);
  };

  const dead = [...measured.runs, ...measured.warmup].find(
    (run) => run.variant === variant.variant && isDead(run),
  );
  const lost = measured.failures.some((failure) => failure.variant === variant.variant);
  const ran = measured.runs.some(
    ({ variant: name, outcome }) => name === variant.variant && outcome === 'ok',
  );
  const failures: Failure[] = [];
  const note = (trial: Trial | undefined) => {
    if (trial !== undefined && trial.outcome !== 'ok') failures.push(failureOf(trial));
    return trial;
  };

  if (dead !== undefined) {
    const { side, block } = dead;
    const inBlock = block > 0;
    const auto = plan.workload.repetitions === 'auto';
    const repetitions = inBlock || !auto ? (own(measured.repetitions, variant.variant) ?? 1) : 1;
    const other: Side = side === 'head' ? 'baseline' : 'head';
    const known = (inBlock ? measured.runs : [...measured.warmup, ...measured.runs]).some(
      (run) => run.variant === variant.variant && run.side === other && run.outcome === 'ok',
    );
    const otherDied = known ? false : isFailed(note(await attempt(other, 'head', repetitions)));
    if (baseline !== undefined && head !== undefined && (side === 'baseline' || otherDied))
      await attempt('baseline', 'baseline', repetitions);
    if (repetitions > 1) await attempt(otherDied ? 'head' : side, 'head', 1);
  } else if (head !== undefined && identical.has(variant.variant)) {
    if (code === undefined || code.record.changed.length === 0) return { trials, failures };
    note(await attempt('head', 'head', plan.workload.repetitions));
    await attempt('baseline', 'baseline', trials.at(-1)?.repetitions ?? 1);
  } else if (head !== undefined && baseline === undefined && !lost && !ran) {
    note(await attempt('head', 'head', plan.workload.repetitions));
  }
  return { trials, failures };
}

const isFailed = (trial: Trial | undefined) => trial !== undefined && isDead(trial);

function failureOf({ variant, side, repetitions, outcome, message }: Trial): Failure {
  const times = repetitions === 1 ? '' : `, ${repetitions} repetitions`;
  return {
    variant,
    side,
    stage: outcome === 'engine' ? 'engine' : 'workload',
    message: `${variant} (${side}, tried in addition to the samples${times}): ${message ?? outcome}`,
  };
}

interface OneTrial {
  readonly plan: Plan;
  readonly runnable: Runnable;
  readonly load: Runnable;
  /** The side whose measuring code is used. */
  readonly whose: Side;
  readonly repetitions: number | 'auto';
  readonly code: MeasuringCode | undefined;
}

/**
 * Runs one side with the measuring code of one side, so that a caller can try both versions. The baseline's own code
 * replaces the head's for the duration of the trial.
 */
export async function runTrial(
  { plan, runnable, load, whose, repetitions, code }: OneTrial,
  ports: Pick<Ports, 'runTrials' | 'files'>,
  signal: AbortSignal,
): Promise<readonly Trial[]> {
  const asked = { code: whose, repetitions, metrics: plan.rules.metrics };
  const own = whose === 'baseline' ? code?.own : undefined;
  if (whose === 'baseline' && own === undefined) return [];
  if (code === undefined || own === undefined || code.record.changed.length === 0)
    return await ports.runTrials({ ...asked, runnable, load, workload: plan.workload }, signal);
  const placed = (one: Runnable): Runnable => ({ ...one, filesFrom: own.folder });
  const request = { ...asked, runnable: placed(runnable), load: placed(load), workload: own.workload };
  // A container has the files mounted. A host interpreter reads them in their folder.
  if (runnable.image.engine !== 'host') return await ports.runTrials(request, signal);
  try {
    await ports.files.overlay(own.folder, code.baselineContext, own.workload.files);
    return await ports.runTrials(request, signal);
  } finally {
    await ports.files.overlay(code.headContext, code.baselineContext, plan.workload.files);
  }
}
