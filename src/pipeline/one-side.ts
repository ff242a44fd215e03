import { fixedPlanner } from '../planning/planner.ts';
import type { Plan } from '../plan/plan.ts';
import type { Planner, SoFar } from '../session/planner.ts';
import type { Side } from '../session/run.ts';
import type { Session, Source } from '../session/session.ts';
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
  /** Figures of the images to measure beside those that the metrics judge. */
  readonly figures?: Partial<BuildFigures>;
  /** What it is measured for, where it is more than a measurement. */
  readonly record?: Pick<Session, 'purpose' | 'ranking'>;
  /** How many blocks, by the session as its file would be now; without it all of the rules' or the budget's. */
  readonly planner?: (sessionOf: (soFar: SoFar) => Session) => Planner;
  /** Told what there is to measure, before the first run. It throws where that is not worth the minutes. */
  readonly ready?: (variants: readonly VariantSides[], failures: Session['failures']) => void;
}

export interface OneSideResult {
  readonly session: Session;
  readonly interrupted: boolean;
}

/** Builds and measures one side alone: `run` on a terminal. */
export async function measureOneSide(
  request: OneSideRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const { plan, side, tree } = request;
  const started = ports.clock();
  const container = plan.variants.some(({ kind }) => kind !== 'host');
  const machine = await ports.machine(container ? await ports.images.check() : 'host');
  const context = contextOf(plan, tree);
  const files = await ports.files.hash(context, plan.workload.files);

  ports.log.step('Images');
  const prepared = await prepareSides(plan, [{ side, tree }], context, ports, signal, () =>
    Math.max(0, plan.budgetSeconds - (ports.clock().getTime() - started.getTime()) / 1000),
  );

  request.ready?.(prepared.variants, [...prepared.failures]);
  const spent = (ports.clock().getTime() - started.getTime()) / 1000;
  // What is asked for beside the measurement does not take from its minutes.
  const variants = await withBuildFigures(
    {
      plan,
      variants: prepared.variants,
      skipped: new Set(),
      trees: { [side]: tree },
      filesFrom: context,
      figures: { ...figuresOf(plan), ...request.figures },
      secondsLeft: () => plan.budgetSeconds,
    },
    ports,
    signal,
  );

  const sessionOf = (measured: Measured): Session => ({
    ...assembleSession({
      id: request.sessionId,
      purpose: 'measurement',
      plan,
      started,
      ended: ports.clock(),
      toolVersion: request.toolVersion,
      source: request.source,
      machine,
      files,
      sides: [side],
      seed: request.seed,
      variants,
      failures: prepared.failures,
      measured,
      notes: request.notes,
    }),
    ...request.record,
  });
  const measurable = variants.filter(({ sides }) => sides[side] !== undefined);
  if (measurable.length > 0) ports.log.step('Measurement');
  const measured =
    measurable.length === 0 || signal.aborted
      ? { ...NOTHING_MEASURED, interrupted: signal.aborted }
      : await ports.measure(
          {
            plan,
            seed: request.seed,
            variants: measurable,
            secondsLeft: Math.max(0, plan.budgetSeconds - spent),
            session: sessionOf(NOTHING_MEASURED),
            planner:
              request.planner?.((soFar) => sessionOf({ ...NOTHING_MEASURED, ...soFar })) ??
              fixedPlanner(plan.rules.blocks),
          },
          signal,
        );
  const session = sessionOf(measured);
  await ports.keepSession(session);
  return { session, interrupted: measured.interrupted };
}
