import { nightsFor } from '../evidence/nights.ts';
import { fixedPlanner, sequentialPlanner } from '../planning/planner.ts';
import type { Planner } from '../session/planner.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { Machine, Session, Trial } from '../session/session.ts';
import { compareSession } from '../verdict/compare.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { patternWarnings } from '../verdict/patterns.ts';
import { unreported } from '../verdict/unreported.ts';
import { explanationsOf } from './explain.ts';
import { gateImages, type GateImages } from './gate-images.ts';
import { isStored, purposeOf, type GateRequest } from './gate-request.ts';
import type { Measured, Ports, SideTree } from './ports.ts';
import { assembleSession, NOTHING_MEASURED } from './session.ts';
import { findFailingSides } from './trials.ts';

export interface GateResult {
  readonly session: Session;
  readonly comparison: Comparison;
  readonly interrupted: boolean;
}

/**
 * Builds both sides, measures the variants that differ in blocks of pairs, and decides.
 *
 * No measurement is lost: each run is written to the disk when it ends. A failed variant is a row of the result, and
 * the gate continues.
 */
export async function gate(request: GateRequest, ports: Ports, signal: AbortSignal): Promise<GateResult> {
  const started = ports.clock();
  const secondsLeft = () =>
    Math.max(0, request.plan.budgetSeconds - (ports.clock().getTime() - started.getTime()) / 1000);
  const container = request.plan.variants.some(({ kind }) => kind !== 'host');
  const machine = await ports.machine(container ? await ports.images.check() : 'host');
  const images = await gateImages(request, secondsLeft, ports, signal);
  const sessionOf = sessionsOf(request, { started, machine, images }, ports);

  const sampled = await measureBlocks(request, images, { sessionOf, secondsLeft }, ports, signal);
  // Writes the measurements to the disk before any further step can fail.
  await ports.keepSession(sessionOf(sampled));
  const { plan, variants, identical, code } = images;
  const tried = await findFailingSides({ plan, variants, identical, measured: sampled, code }, ports, signal);
  const measured: Measured = {
    ...sampled,
    failures: [...sampled.failures, ...tried.failures],
    interrupted: sampled.interrupted || signal.aborted,
  };
  const session = sessionOf(measured, tried.trials);
  if (tried.trials.length > 0) await ports.keepSession(session);

  const comparison = compareSession(session);
  const explanations =
    IMPLIED[purposeOf(request)].explains && !measured.interrupted
      ? await explanationsOf({ plan, session, comparison, variants: images.measurable }, ports, signal)
      : [];
  return {
    session: explanations.length === 0 ? session : { ...session, explanations: [...explanations] },
    comparison,
    interrupted: measured.interrupted,
  };
}

/** The session as its file would be now, so that the planner sees the same data as `compare`. */
type SessionOf = (measured: Measured, trials?: readonly Trial[]) => Session;

interface Assembly {
  readonly started: Date;
  readonly machine: Machine;
  readonly images: GateImages;
}

function sessionsOf(request: GateRequest, { started, machine, images }: Assembly, ports: Ports): SessionOf {
  const { versions, code } = images;
  const stored = isStored(request);
  const assembled = (measured: Measured, trials: readonly Trial[] = []): Session =>
    assembleSession({
      id: request.sessionId,
      purpose: purposeOf(request),
      shard: request.shard,
      plan: images.plan,
      measuring: versions?.measuring,
      started,
      ended: ports.clock(),
      toolVersion: request.toolVersion,
      source: request.source,
      machine,
      files: images.files,
      sides: stored ? ['head'] : ['baseline', 'head'],
      seed: request.seed,
      variants: images.variants,
      failures: images.failures,
      measured,
      trials,
      measuringCode: code?.record,
      notes: [...request.notes, ...unavailableNote(request.pair.baseline, stored), ...images.notes],
    });
  // The nights are stored with the session, so that a later judgement of its file uses the same nights.
  const nights = nightsFor(assembled(NOTHING_MEASURED), request.history);
  return (measured, trials = []) => ({
    ...assembled(measured, trials),
    nights,
    history: request.record,
    accepted: request.accepted,
  });
}

/** Measures the variants whose sides differ, until all rows are decided or the plan ends. */
async function measureBlocks(
  request: GateRequest,
  { plan, measurable }: GateImages,
  { sessionOf, secondsLeft }: { readonly sessionOf: SessionOf; readonly secondsLeft: () => number },
  ports: Ports,
  signal: AbortSignal,
): Promise<Measured> {
  if (measurable.length > 0) ports.log.step('Measurement');
  if (measurable.length === 0 || signal.aborted) return { ...NOTHING_MEASURED, interrupted: signal.aborted };
  const blocks = request.blocks ?? plan.rules.blocks;
  const planner =
    request.until === 'all'
      ? fixedPlanner(blocks)
      : sequentialPlanner((soFar) => sessionOf({ ...NOTHING_MEASURED, ...soFar }));
  return await ports.measure(
    {
      plan: { ...plan, rules: { ...plan.rules, blocks } },
      seed: request.seed,
      variants: measurable,
      secondsLeft: secondsLeft(),
      planner: withPatternWarnings(planner, sessionOf, ports),
      session: sessionOf(NOTHING_MEASURED),
    },
    signal,
  );
}

/** Logs warnings about the metrics' patterns after the warm-up. The report shows them too. */
const withPatternWarnings = (
  planner: Planner,
  sessionOf: SessionOf,
  { log }: Pick<Ports, 'log'>,
): Planner => ({
  ...planner,
  hopeless: (warmedUp) => unreported(sessionOf({ ...NOTHING_MEASURED, ...warmedUp })),
  cap: (pairSeconds, secondsLeft, warmedUp) => {
    for (const warning of patternWarnings(sessionOf({ ...NOTHING_MEASURED, ...warmedUp }))) log.warn(warning);
    return planner.cap(pairSeconds, secondsLeft, warmedUp);
  },
});

function unavailableNote(baseline: SideTree | { readonly unavailable: string }, stored: boolean): string[] {
  return !stored && 'unavailable' in baseline
    ? [`There is no baseline to compare with: ${baseline.unavailable}`]
    : [];
}
