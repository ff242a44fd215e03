import { compareSession } from '../verdict/compare.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { nightsFor } from '../evidence/nights.ts';
import { patternWarnings } from '../verdict/patterns.ts';
import { fixedPlanner, sequentialPlanner } from '../planning/planner.ts';
import { unreported } from '../verdict/unreported.ts';
import type { Plan } from '../plan/plan.ts';
import type { Acceptance } from '../session/acceptance.ts';
import { IMPLIED, type Purpose } from '../session/purpose.ts';
import { addedVariants } from '../session/measuring.ts';
import type { History } from '../session/history.ts';
import type { Session, Source, Trial } from '../session/session.ts';
import type { Planner } from '../session/planner.ts';
import type { Measured, Ports, SidePair, SideTree } from './ports.ts';
import { figuresOf, withBuildFigures, type BuildFigures } from './build-figures.ts';
import { explanationsOf } from './explain.ts';
import { withInstructionCounts } from './instruction-counts.ts';
import { tryMeasuringCode, type MeasuringRequest } from './measuring-trials.ts';
import { pushSide } from './push.ts';
import { keepMeasuringCode } from './measuring-code.ts';
import { assembleSession, NOTHING_MEASURED } from './session.ts';
import {
  contextOf,
  entrypointNotes,
  identical,
  prepareSides,
  type PreparedSides,
  type SideRequest,
} from './sides.ts';
import { tryOut } from './trials.ts';

export interface GateRequest {
  readonly sessionId: string;
  /** `gate` where nothing is said. */
  readonly purpose?: Purpose | undefined;
  readonly shard?: Session['shard'] | undefined;
  readonly plan: Plan;
  readonly pair: SidePair;
  readonly source: Source;
  readonly seed: number;
  readonly toolVersion: string;
  /** Stored sessions of this configuration, oldest first. */
  readonly history: readonly Session[];
  /** What the stored sessions say together, for the report. */
  readonly record?: History | undefined;
  /** Finds the digest under which the history knows a variant's baseline image. */
  readonly knownImage: SideRequest['known'];
  readonly notes: readonly string[];
  /** What the change does to what measures it; absent where it leaves that alone. */
  readonly measuring?: MeasuringRequest | undefined;
  /** What the base's maintainers accept although it is worse. */
  readonly accepted?: Acceptance | undefined;
  /** Push the baseline's images and name them by their digest: a later gate then pulls instead of building. */
  readonly push?: boolean;
  /** Figures of the images to measure beside those that the metrics judge. */
  readonly figures?: Partial<BuildFigures> | undefined;
  /** `all` measures every block of the rules, decided or not; `decided`, the default, stops each variant at its look. */
  readonly until?: 'decided' | 'all';
  /** With `all`: how many blocks, where they are not those of the rules. */
  readonly blocks?: number;
}

export interface GateResult {
  readonly session: Session;
  readonly comparison: Comparison;
  readonly interrupted: boolean;
}

/**
 * Builds both sides, measures what differs in blocks of pairs, and decides.
 *
 * Nothing measured is lost: runs are on disk as they end, and a failure of one variant is a row of the
 * result, not the end of it.
 */
export async function gate(request: GateRequest, ports: Ports, signal: AbortSignal): Promise<GateResult> {
  const {
    purpose = 'gate',
    plan: given,
    pair,
    source,
    seed,
    toolVersion,
    history,
    knownImage,
    notes,
  } = request;
  const implied = IMPLIED[purpose];
  const started = ports.clock();
  const container = given.variants.some(({ kind }) => kind !== 'host');
  const machine = await ports.machine(container ? await ports.images.check() : 'host');
  const stored = given.rules.evidence === 'stored';
  const baseline = 'unavailable' in pair.baseline || stored ? undefined : pair.baseline;
  const { files: paths } = given.workload;
  const headContext = contextOf(given, pair.head);
  const files = await ports.files.hash(headContext, paths);
  // The measuring code is one for both sides, in the image as in the mounts: a change of it alone is no
  // difference between the images.
  const code =
    baseline === undefined
      ? undefined
      : await keepMeasuringCode(given, { head: pair.head, baseline }, files, ports);
  if (baseline !== undefined) await ports.files.overlay(headContext, contextOf(given, baseline), paths);

  const secondsLeft = () =>
    Math.max(0, given.budgetSeconds - (ports.clock().getTime() - started.getTime()) / 1000);
  ports.log.step('Images');
  const sides: SideRequest[] = [
    ...(baseline === undefined
      ? []
      : [
          {
            side: 'baseline' as const,
            tree: baseline,
            ...(knownImage === undefined ? {} : { known: knownImage }),
          },
        ]),
    { side: 'head', tree: pair.head },
  ];
  const added = addedVariants(request.measuring);
  const built = await prepareFamilies(
    given,
    added,
    (plan, left) => prepareSides(plan, sides, headContext, ports, signal, left),
    secondsLeft,
  );
  const commit = baseline?.commit?.commit;
  const prepared =
    request.push === true && commit !== undefined
      ? { ...built, variants: await pushSide(built.variants, 'baseline', commit, ports) }
      : built;
  const entrypoints = entrypointNotes(prepared.variants);
  for (const note of entrypoints) ports.log.warn(note);
  const skipped = implied.skipsIdentical ? prepared.variants.filter(identical) : [];

  const versions =
    request.measuring === undefined || signal.aborted
      ? undefined
      : await tryMeasuringCode(
          request.measuring,
          { plan: given, variants: prepared.variants, secondsLeft: secondsLeft() },
          ports,
          signal,
        );
  const plan: Plan = versions === undefined ? given : { ...given, workload: versions.workload };

  const figured = await withBuildFigures(
    {
      plan,
      variants: prepared.variants,
      skipped: new Set(skipped.map(({ variant }) => variant)),
      trees: implied.sameCode || baseline === undefined ? { head: pair.head } : { baseline, head: pair.head },
      filesFrom: headContext,
      figures: { ...figuresOf(plan), ...request.figures },
      secondsLeft,
    },
    ports,
    signal,
  );
  const { variants, notes: countNotes } = implied.counts
    ? await withInstructionCounts(
        {
          plan,
          variants: figured,
          skipped: new Set(skipped.map(({ variant }) => variant)),
          secondsLeft: secondsLeft(),
        },
        ports,
        signal,
      )
    : { variants: figured, notes: [] };
  const measurable = variants.filter((variant) => {
    const { baseline: base, head } = variant.sides;
    if (head === undefined || skipped.some((same) => same.variant === variant.variant)) return false;
    // One side alone is worth its minutes only where stored sessions can judge it.
    return base !== undefined || history.length > 0 || stored;
  });
  for (const variant of skipped)
    ports.log.info(`${variant.variant}: both sides are the same image, nothing to measure`);

  const assembled = (measured: Measured, trials: readonly Trial[] = []): Session =>
    assembleSession({
      id: request.sessionId,
      purpose,
      ...(request.shard === undefined ? {} : { shard: request.shard }),
      plan,
      ...(versions === undefined ? {} : { measuring: versions.measuring }),
      started,
      ended: ports.clock(),
      toolVersion,
      source,
      machine,
      files,
      sides: stored ? ['head'] : ['baseline', 'head'],
      seed,
      variants,
      failures: prepared.failures,
      measured,
      trials,
      ...(code === undefined ? {} : { measuringCode: code.record }),
      notes: [...notes, ...unavailableNote(pair.baseline, stored), ...countNotes, ...entrypoints],
    });
  // The nights travel with the session: whoever judges its file later judges by the same.
  const nights = nightsFor(assembled(NOTHING_MEASURED), history);
  /** The session as its file would be now: what the planner looks at is what `compare` will look at. */
  const sessionOf = (measured: Measured, trials: readonly Trial[] = []): Session => ({
    ...assembled(measured, trials),
    nights,
    ...(request.record === undefined ? {} : { history: request.record }),
    ...(request.accepted === undefined ? {} : { accepted: request.accepted }),
  });
  const blocks = request.blocks ?? plan.rules.blocks;
  const planner =
    request.until === 'all'
      ? fixedPlanner(blocks)
      : sequentialPlanner((soFar) => sessionOf({ ...NOTHING_MEASURED, ...soFar }));

  /** What the patterns came to stands in the report; whoever watches need not wait for it. */
  const telling: Planner = {
    ...planner,
    hopeless: (warmedUp) => unreported(sessionOf({ ...NOTHING_MEASURED, ...warmedUp })),
    cap: (pairSeconds, secondsLeft, warmedUp) => {
      for (const warning of patternWarnings(sessionOf({ ...NOTHING_MEASURED, ...warmedUp })))
        ports.log.warn(warning);
      return planner.cap(pairSeconds, secondsLeft, warmedUp);
    },
  };

  if (measurable.length > 0) ports.log.step('Measurement');
  const sampled =
    measurable.length === 0 || signal.aborted
      ? { ...NOTHING_MEASURED, interrupted: signal.aborted }
      : await ports.measure(
          {
            plan: { ...plan, rules: { ...plan.rules, blocks } },
            seed,
            variants: measurable,
            secondsLeft: secondsLeft(),
            planner: telling,
            session: sessionOf(NOTHING_MEASURED),
          },
          signal,
        );
  // Whatever becomes of what follows, what was measured is on the disk.
  await ports.keepSession(sessionOf(sampled));
  const tried = await tryOut(
    {
      plan,
      variants,
      identical: new Set(skipped.map(({ variant }) => variant)),
      measured: sampled,
      code,
    },
    ports,
    signal,
  );
  const measured: Measured = {
    ...sampled,
    failures: [...sampled.failures, ...tried.failures],
    interrupted: sampled.interrupted || signal.aborted,
  };
  const session = sessionOf(measured, tried.trials);
  if (tried.trials.length > 0) await ports.keepSession(session);
  const comparison = compareSession(session);
  const explanations =
    implied.explains && !measured.interrupted
      ? await explanationsOf({ plan, session, comparison, variants: measurable }, ports, signal)
      : [];
  return {
    session: explanations.length === 0 ? session : { ...session, explanations: [...explanations] },
    comparison,
    interrupted: measured.interrupted,
  };
}

/** Of what the base's builds left of the budget, those of variants that a change adds have this share at most. */
const ADDED_BUILDS = 0.25;

/** Builds the base's variants first: one that a change adds, and that takes long, must not take their minutes. */
async function prepareFamilies(
  plan: Plan,
  added: ReadonlySet<string>,
  prepare: (plan: Plan, secondsLeft: () => number) => Promise<PreparedSides>,
  secondsLeft: () => number,
): Promise<PreparedSides> {
  const [own, extra] = [
    plan.variants.filter(({ name }) => !added.has(name)),
    plan.variants.filter(({ name }) => added.has(name)),
  ];
  if (own.length === 0 || extra.length === 0) return await prepare(plan, secondsLeft);
  const first = await prepare({ ...plan, variants: own }, secondsLeft);
  const reserved = (1 - ADDED_BUILDS) * secondsLeft();
  const second = await prepare({ ...plan, variants: extra }, () => Math.max(0, secondsLeft() - reserved));
  // Whatever else is done with them keeps this order.
  return {
    variants: [...first.variants, ...second.variants],
    failures: [...first.failures, ...second.failures],
  };
}

function unavailableNote(baseline: SideTree | { readonly unavailable: string }, stored: boolean): string[] {
  return !stored && 'unavailable' in baseline
    ? [`There is no baseline to compare with: ${baseline.unavailable}`]
    : [];
}
