import type { Side } from '../session/run.ts';
import type { Verdict } from '../session/rules.ts';
import type { Failure, Trial } from '../session/session.ts';
import type { Observations } from '../evidence/observations.ts';
import type { ObservedRun } from '../evidence/observed-run.ts';
import { own } from '../session/record.ts';

/**
 * Why a variant cannot be judged by its runs, and what caused it. The order of the sides does not matter: if one side
 * died, the other one ran too, and a baseline that died with the head's measuring code ran again with its own. The
 * table is in docs/verdicts.md.
 */
export interface Death {
  readonly verdict: Verdict;
  /** One line: the cause, then what happened. */
  readonly reason: string;
}

/** The result of a side's runs so far. */
type Fared = 'ok' | 'died' | 'unknown';

export function deathOf(observations: Observations, variant: string): Death | undefined {
  const { failures, nights, evidence, identical } = observations;
  const own = failures.filter((failure) => failure.variant === variant);
  const found = evidenceOf(observations, variant);
  const head = own.find(({ side, stage }) => side === 'head' && isItsOwn(stage)) ?? found.dead('head');
  const engine = own.find(({ stage }) => stage === 'engine');
  const baseline =
    own.find(({ side, stage }) => side === 'baseline' && isItsOwn(stage)) ?? found.dead('baseline');
  if (head !== undefined) return headDeath(head, baseline, found, identical.has(variant));
  if (engine !== undefined) return { verdict: 'no_data', reason: firstLine(engine.message) };
  const silent = own.find(({ stage }) => stage === 'metrics');
  if (silent !== undefined) return { verdict: 'no_data', reason: firstLine(silent.message) };
  if (baseline === undefined) return undefined;
  const fallsBack = evidence === 'auto' && nights.length > 0 && baseline.stage === 'build';
  return fallsBack ? undefined : baselineDeath(baseline, found);
}

/** Whether a run of the head succeeded: without one, or identical images, the gate does not pass. */
export const headRan = ({ runs, warmup, trials }: Observations, variant: string): boolean =>
  [...runs, ...warmup, ...trials.filter(({ code }) => code === 'head')].some(
    (run) => run.variant === variant && run.side === 'head' && run.outcome === 'ok',
  );

const isItsOwn = (stage: Failure['stage']) => stage === 'build' || stage === 'workload';

interface Evidence {
  /** A failed run of a side with the head's measuring code that no `Failure` names. */
  readonly dead: (side: Side) => Pick<Failure, 'stage' | 'message'> | undefined;
  /** The result of a side with the head's measuring code, after the other side died. */
  readonly fared: (side: Side) => Fared;
  /** The result of the baseline with its own measuring code. */
  readonly faredWithOwn: Fared;
  readonly headRan: boolean;
  /** Number of successful measured runs of the baseline. */
  readonly goodBaselines: number;
  readonly changed: readonly string[];
  readonly hasOwn: boolean;
  /** A sentence if the workload works once and fails when it is repeated; otherwise empty. */
  readonly repetition: string;
}

function evidenceOf(observations: Observations, variant: string): Evidence {
  const { measuringCode } = observations;
  const of = <Item extends { readonly variant: string }>(items: readonly Item[]) =>
    items.filter((item) => item.variant === variant);
  const runs = of(observations.runs);
  const warmup = of(observations.warmup);
  const trials = of(observations.trials);
  const withHeads = trials.filter(({ code }) => code === 'head');
  const repeated = Math.max(
    own(observations.repetitions, variant) ?? 1,
    ...trials.map(({ repetitions }) => repetitions),
  );
  /** With as many repetitions as the failed run. */
  const alike = (trial: Trial) => trial.repetitions === repeated;
  const isDead = ({ outcome }: Pick<ObservedRun, 'outcome'>) => outcome !== 'ok' && outcome !== 'engine';
  const isOk = ({ outcome }: Pick<ObservedRun, 'outcome'>) => outcome === 'ok';
  const deadRun = runs.find(isDead);
  const diedInBlock = deadRun !== undefined;
  const sameSide = (run: { readonly side: Side }) => run.side === deadRun?.side;
  const worksAtFirst = warmup.filter(sameSide).some(isOk) && !runs.filter(sameSide).some(isOk);
  const once = withHeads.find((trial) => trial.repetitions === 1 && trial.repetitions < repeated);
  return {
    dead: (side) => {
      const run = runs.find((one) => one.side === side && isDead(one));
      return run === undefined
        ? undefined
        : { stage: 'workload', message: `the ${side}'s run in block ${run.block} ended as ${run.outcome}` };
    },
    fared: (side) => {
      const tried = withHeads.filter((trial) => trial.side === side && alike(trial)).at(-1);
      if (tried !== undefined) return isOk(tried) ? 'ok' : isDead(tried) ? 'died' : 'unknown';
      // A block repeats what the warm-up did once, so the warm-up does not explain a failure in a block.
      const known = (diedInBlock ? runs : [...warmup, ...runs]).filter((run) => run.side === side);
      return known.some(isDead) ? 'died' : known.some(isOk) ? 'ok' : 'unknown';
    },
    faredWithOwn: faredIn(
      trials.filter((trial) => trial.side === 'baseline' && trial.code === 'baseline' && alike(trial)).at(-1),
    ),
    headRan: headRan(observations, variant),
    goodBaselines: runs.filter((run) => run.side === 'baseline' && isOk(run)).length,
    changed: measuringCode?.changed ?? [],
    hasOwn: measuringCode?.own ?? true,
    repetition:
      once !== undefined && isOk(once)
        ? `the workload works once and fails when it is repeated (${repeated} times in a run): let it start clean each time, or set workload.repetitions: 1; `
        : diedInBlock && worksAtFirst
          ? 'the workload works the first time and fails when it is run again: let it start clean each time; '
          : '',
  };
}

function faredIn(trial: Trial | undefined): Fared {
  if (trial === undefined || trial.outcome === 'engine') return 'unknown';
  return trial.outcome === 'ok' ? 'ok' : 'died';
}

function headDeath(
  { stage, message }: Pick<Failure, 'stage' | 'message'>,
  baseline: Pick<Failure, 'stage' | 'message'> | undefined,
  { fared, faredWithOwn, changed, hasOwn, repetition }: Evidence,
  isIdentical: boolean,
): Death {
  const because = (verdict: Verdict, whose: string): Death => ({
    verdict,
    reason: `${repetition}${whose}${firstLine(message)}`,
  });
  if (stage === 'build')
    return baseline?.stage === 'build'
      ? because('no_data', 'neither side can be built, so it was broken before this change too; ')
      : because('failed', '');
  // Identical images with one measuring code behave the same.
  const baselineFared = isIdentical ? 'died' : baseline === undefined ? fared('baseline') : 'died';
  if (baselineFared === 'ok')
    return because('failed', 'the baseline works with the same measuring code, and the head does not; ');
  if (baselineFared === 'unknown' || baseline?.stage === 'build') return because('failed', '');
  if (!hasOwn)
    return because(
      'failed',
      `the measuring code is new with this change (${named(changed)}) and fails on both sides; `,
    );
  if (faredWithOwn === 'unknown') return because('failed', 'both sides fail; ');
  if (faredWithOwn === 'died')
    return because('no_data', 'both sides fail, so it was broken before this change too; ');
  return changed.length === 0
    ? because('no_data', 'both sides failed, and the baseline worked when it was tried again; ')
    : because(
        'failed',
        `this change's measuring code (${named(changed)}) fails on both sides, and the baseline works with its own; `,
      );
}

function baselineDeath(
  { stage, message }: Pick<Failure, 'stage' | 'message'>,
  { headRan: ran, goodBaselines, faredWithOwn, changed, hasOwn, repetition }: Evidence,
): Death {
  const because = (verdict: Verdict, whose: string): Death => ({
    verdict,
    reason: `${repetition}${whose}${firstLine(message)}`,
  });
  // A baseline that cannot be built or run must not fail a working change, which may fix it.
  if (!ran) return because('no_data', 'the baseline failed, and no run of the head ended well; ');
  if (stage === 'build') return because('no_baseline', 'the head works, and the base cannot be built; ');
  if (goodBaselines > 0)
    return because(
      'no_data',
      `the baseline failed after ${goodBaselines} ${goodBaselines === 1 ? 'run that ended' : 'runs that ended'} well; `,
    );
  if (!hasOwn)
    return because(
      'no_baseline',
      `the measuring code is new with this change (${named(changed)}): the head works with it, and the base does not; `,
    );
  if (faredWithOwn === 'ok')
    return changed.length === 0
      ? because('no_data', 'the baseline failed, and worked when it was tried again; ')
      : because(
          'no_baseline',
          `this change's measuring code (${named(changed)}) needs something that the base does not have: the head works with it, and the base works only with its own; `,
        );
  if (faredWithOwn === 'died') return because('no_baseline', 'the base is broken and the head works; ');
  return because('no_data', 'the baseline failed for an unknown reason; ');
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';

/** `bench.py, load.py and 3 more`: a reason is one line. */
function named(changed: readonly string[]): string {
  const most = 3;
  if (changed.length === 0) return 'workload.files';
  return changed.length <= most
    ? changed.join(', ')
    : `${changed.slice(0, most).join(', ')} and ${changed.length - most} more`;
}
