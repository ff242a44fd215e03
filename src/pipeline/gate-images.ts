import type { Plan } from '../plan/plan.ts';
import { addedVariants } from '../session/measuring.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { Failure } from '../session/session.ts';
import { figuresOf, withBuildFigures } from './build-figures.ts';
import { isStored, purposeOf, type GateRequest } from './gate-request.ts';
import { withInstructionCounts } from './instruction-counts.ts';
import { keepMeasuringCode, type MeasuringCode } from './measuring-code.ts';
import { tryMeasuringCode, type TriedMeasuringCode } from './measuring-trials.ts';
import type { Ports, SideTree, VariantSides } from './ports.ts';
import { pushSide } from './push.ts';
import { sameContentNotes, withSameContent } from './same-content.ts';
import {
  contextOf,
  entrypointNotes,
  identical,
  prepareSides,
  type PreparedSides,
  type SideRequest,
} from './sides.ts';

/** The first half of a gate: prepares both sides of every variant for measuring. */

export interface GateImages {
  /** The plan with the chosen workload: the head's or the base's, depending on the trials. */
  readonly plan: Plan;
  readonly variants: readonly VariantSides[];
  readonly failures: readonly Failure[];
  /** Names of the variants with the same image on both sides. */
  readonly identical: ReadonlySet<string>;
  /** The variants to measure. */
  readonly measurable: readonly VariantSides[];
  /** Path to SHA-256 of each of the head's `workload.files`. */
  readonly files: Readonly<Record<string, string>>;
  readonly code: MeasuringCode | undefined;
  readonly versions: TriedMeasuringCode | undefined;
  /** Sentences for the report. */
  readonly notes: readonly string[];
}

/**
 * Builds, pulls or finds the images of both sides, and reads their figures. If a variant fails, the others continue.
 */
export async function gateImages(
  request: GateRequest,
  secondsLeft: () => number,
  ports: Ports,
  signal: AbortSignal,
): Promise<GateImages> {
  const { plan: given, pair } = request;
  const implied = IMPLIED[purposeOf(request)];
  const baseline = 'unavailable' in pair.baseline || isStored(request) ? undefined : pair.baseline;
  const filesFrom = contextOf(given, pair.head);
  const { files, code } = await shareMeasuringCode(request, baseline, ports);
  ports.log.step('Images');
  const built = await buildSides(request, baseline, secondsLeft, ports, signal);
  const prepared = implied.skipsIdentical
    ? { ...built, variants: await withSameContent(built.variants, secondsLeft, ports, signal) }
    : built;
  const entrypoints = entrypointNotes(prepared.variants);
  for (const note of entrypoints) ports.log.warn(note);
  const skipped = implied.skipsIdentical ? prepared.variants.filter(identical) : [];
  const names = new Set(skipped.map(({ variant }) => variant));
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
      skipped: names,
      trees: implied.sameCode || baseline === undefined ? { head: pair.head } : { baseline, head: pair.head },
      filesFrom,
      figures: { ...figuresOf(plan), ...request.figures },
      secondsLeft,
    },
    ports,
    signal,
  );
  const { variants, notes } = implied.counts
    ? await withInstructionCounts(
        { plan, variants: figured, skipped: names, secondsLeft: secondsLeft() },
        ports,
        signal,
      )
    : { variants: figured, notes: [] };
  for (const name of names) ports.log.info(`${name}: both sides are the same image, nothing to measure`);
  return {
    ...{ plan, variants, failures: prepared.failures, identical: names, files, code, versions },
    measurable: variants.filter((variant) => !names.has(variant.variant) && isMeasurable(variant, request)),
    notes: [...notes, ...entrypoints, ...sameContentNotes(variants)],
  };
}

/**
 * Gives both sides the same measuring code, in images and in mounts. Otherwise a change of only the measuring code
 * would make the images differ.
 */
async function shareMeasuringCode(
  { plan, pair }: GateRequest,
  baseline: SideTree | undefined,
  { files: port, ...ports }: Ports,
) {
  const { files: paths } = plan.workload;
  const headContext = contextOf(plan, pair.head);
  const files = await port.hash(headContext, paths);
  if (baseline === undefined) return { files, code: undefined };
  const code = await keepMeasuringCode(plan, { head: pair.head, baseline }, files, { files: port, ...ports });
  await port.overlay(headContext, contextOf(plan, baseline), paths);
  return { files, code };
}

async function buildSides(
  request: GateRequest,
  baseline: SideTree | undefined,
  secondsLeft: () => number,
  ports: Ports,
  signal: AbortSignal,
): Promise<PreparedSides> {
  const { plan: given, pair, knownImage } = request;
  const sides: readonly SideRequest[] = [
    ...(baseline === undefined
      ? []
      : [
          {
            side: 'baseline' as const,
            tree: baseline,
            known: knownImage,
          },
        ]),
    { side: 'head', tree: pair.head },
  ];
  const filesFrom = contextOf(given, pair.head);
  const built = await prepareFamilies(
    given,
    addedVariants(request.measuring),
    (plan, left) => prepareSides(plan, sides, filesFrom, ports, signal, left),
    secondsLeft,
  );
  const commit = baseline?.commit?.commit;
  return request.push === true && commit !== undefined
    ? { ...built, variants: await pushSide(built.variants, 'baseline', commit, ports) }
    : built;
}

/** A single side is worth measuring only if stored sessions can judge it. */
const isMeasurable = ({ sides: { baseline, head } }: VariantSides, request: GateRequest): boolean =>
  head !== undefined && (baseline !== undefined || request.history.length > 0 || isStored(request));

/** The largest share of the remaining budget for building variants that the change adds. */
const ADDED_BUILDS = 0.25;

/** Builds the base's variants first, so that a slow build of an added variant does not use their time. */
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
  // Later steps keep this order.
  return {
    variants: [...first.variants, ...second.variants],
    failures: [...first.failures, ...second.failures],
  };
}
