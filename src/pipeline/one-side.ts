import { fixedPlanner } from '../compare/planner.ts';
import type { Plan } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import type { Session, Source } from '../session/session.ts';
import type { Ports, SideTree } from './ports.ts';
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
  const prepared = await prepareSides(plan, [{ side, tree }], context, ports, signal);

  const measurable = prepared.variants.filter(({ sides }) => sides[side] !== undefined);
  const spent = (ports.clock().getTime() - started.getTime()) / 1000;
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
            planner: fixedPlanner(plan.rules.blocks),
          },
          signal,
        );
  const session = assembleSession({
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
    variants: prepared.variants,
    failures: prepared.failures,
    measured,
    notes: request.notes,
  });
  return { session, interrupted: measured.interrupted };
}
