import { fixedPlanner, steadyBlocks } from '../planning/planner.ts';
import type { Plan } from '../plan/plan.ts';
import type { Planner, SoFar } from '../session/planner.ts';
import type { Side } from '../session/run.ts';
import type { Machine, Session, Source } from '../session/session.ts';
import { figuresOf, withBuildFigures, type BuildFigures } from './build-figures.ts';
import type { Measured, Ports, SideTree, VariantSides } from './ports.ts';
import { assembleSession, NOTHING_MEASURED } from './session.ts';
import { contextOf, prepareSides } from './sides.ts';

export interface OneSideRequest {
  readonly sessionId: string;
  readonly plan: Plan;
  readonly side: Side;
  readonly tree: SideTree;
  readonly source: Source;
  readonly seed: number;
  readonly toolVersion: string;
  readonly notes: readonly string[];
  /** Figures of the images to measure in addition to those of the metrics. */
  readonly figures?: Partial<BuildFigures>;
  /** The purpose of the session, if it is more than a measurement. */
  readonly record?: Pick<Session, 'purpose' | 'ranking'>;
  /**
   * Decides how many blocks to measure, from the session as its file would be now. Defaults to the blocks of the rules
   * or the budget.
   */
  readonly planner?: (sessionOf: (soFar: SoFar) => Session) => Planner;
  /** Called before the first run with the variants to measure. Throws if they are not worth measuring. */
  readonly ready?: (variants: readonly VariantSides[], failures: Session['failures']) => void;
}

export interface OneSideResult {
  readonly session: Session;
  readonly interrupted: boolean;
}

/** Builds and measures one side only: `run` on a terminal. */
export async function measureOneSide(
  request: OneSideRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const built = await buildSide(request, ports, signal);
  const { side } = request;
  const { variants, secondsLeft } = built;
  const sessionOf = (measured: Measured) => sessionWith(request, built, measured, ports);
  const measurable = variants.filter(({ sides }) => sides[side] !== undefined);
  if (measurable.length > 0) ports.log.step('Measurement');
  const measured =
    measurable.length === 0 || signal.aborted
      ? { ...NOTHING_MEASURED, interrupted: signal.aborted }
      : await ports.measure(
          {
            ...{ plan: request.plan, seed: request.seed, variants: measurable, secondsLeft },
            session: sessionOf(NOTHING_MEASURED),
            planner:
              request.planner?.((soFar) => sessionOf({ ...NOTHING_MEASURED, ...soFar })) ??
              fixedPlanner(steadyBlocks(request.plan.rules.profile, request.plan.rules.blocks)),
          },
          signal,
        );
  const session = sessionOf(measured);
  await ports.keepSession(session);
  return { session, interrupted: measured.interrupted };
}

/** The data of a side before its first run. */
interface BuiltSide {
  readonly started: Date;
  readonly machine: Machine;
  /** The hashes of the workload's files. */
  readonly files: Readonly<Record<string, string>>;
  readonly variants: readonly VariantSides[];
  readonly failures: Session['failures'];
  /** The rest of the budget once the images were ready. */
  readonly secondsLeft: number;
}

async function buildSide(
  { plan, side, tree, figures, ready }: OneSideRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<BuiltSide> {
  const started = ports.clock();
  const container = plan.variants.some(({ kind }) => kind !== 'host');
  const machine = await ports.machine(container ? await ports.images.check() : 'host');
  const context = contextOf(plan, tree);
  const files = await ports.files.hash(context, plan.workload.files);
  const left = () => Math.max(0, plan.budgetSeconds - (ports.clock().getTime() - started.getTime()) / 1000);

  ports.log.step('Images');
  const { variants, failures } = await prepareSides(plan, [{ side, tree }], context, ports, signal, left);
  ready?.(variants, [...failures]);
  const secondsLeft = left();
  // These extra figures do not use the time of the blocks.
  const recorded = await withBuildFigures(
    {
      ...{ plan, variants, skipped: new Set(), trees: { [side]: tree }, filesFrom: context },
      figures: { ...figuresOf(plan), ...figures },
      secondsLeft: () => plan.budgetSeconds,
    },
    ports,
    signal,
  );
  return { started, machine, files, variants: recorded, failures: [...failures], secondsLeft };
}

/** The session as its file would be now. */
const sessionWith = (
  { plan, side, sessionId, source, seed, toolVersion, notes, record }: OneSideRequest,
  { started, machine, files, variants, failures }: BuiltSide,
  measured: Measured,
  { clock }: Pick<Ports, 'clock'>,
): Session => ({
  ...assembleSession({
    id: sessionId,
    purpose: 'measurement',
    ...{ plan, started, ended: clock(), toolVersion, source, machine, files },
    ...{ sides: [side], seed, variants, failures, measured, notes },
  }),
  ...record,
});
