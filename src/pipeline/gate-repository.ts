import { join } from 'node:path';
import { movingContexts } from '../plan/moving-contexts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Overrides } from '../plan/resolve.ts';
import { shardOf } from '../plan/shard.ts';
import { planWarnings } from '../plan/warnings.ts';
import type { ShardRequest } from '../session/shard.ts';
import type { SideCommit, Sides } from '../source/sides.ts';
import type { NamedSession } from '../session/merged.ts';
import { acceptanceFor } from './base-acceptance.ts';
import { measuringRequest } from './changed-measuring.ts';
import { confirm } from './confirm.ts';
import { exportSide, ignoredDockerfile, unlockedDependencies } from './exported-sides.ts';
import { gateRequest, type GateRequest } from './gate-request.ts';
import { gate } from './gate.ts';
import { judgedParts, type JudgedSessions } from './judged-sessions.ts';
import { permitted, sidesOf, type Occasion } from './occasion.ts';
import type { JobPorts, Ports, RunContext, SideTree } from './ports.ts';
import type { Project } from './project.ts';
import { ruledPlan, type RuledPlan } from './ruled-plan.ts';
import { ignoredChange, skippedGate } from './skipped-change.ts';
import { readHistory } from './stored-history.ts';

/** The part of a gate that this job runs. Without any property it is the whole gate. */
export interface GatePart {
  readonly shard?: ShardRequest | undefined;
  /** The sessions of an earlier job's gate. This job measures their regressions again. */
  readonly confirm?: readonly NamedSession[] | undefined;
  /** Whether to skip a change of ignored paths only. Left out if another job judges. */
  readonly skips?: boolean;
  /** Whether to build both sides once more without a cache, to measure the build time. */
  readonly coldBuilds?: boolean;
}

export interface GatedRepository extends JudgedSessions {
  readonly interrupted: boolean;
  /** The plan that judged. Its rules decide the exit status. */
  readonly plan: Plan;
  /** Sentences below the headline. */
  readonly remarks: readonly string[];
}

/**
 * Gates the work tree of a repository: finds the two sides, reads the rules and the history, exports the trees, builds,
 * measures and decides.
 */
export async function gateRepository(
  project: Project,
  overrides: Overrides,
  occasion: Occasion,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
  part: GatePart = {},
): Promise<GatedRepository> {
  const { sides, standing } = await sidesOf(project, occasion, ports.source);
  const ruled = await ruledPlan(project, overrides, { standing, sides }, ports.source);
  const acceptance = await acceptanceFor(project, sides, occasion, ports.source);
  const allowed = permitted(ruled.plan, standing, occasion, sides);
  const skipped =
    part.shard === undefined && part.skips === true
      ? await ignoredChange(project, ruled, sides, ports)
      : undefined;
  if (skipped !== undefined) {
    const judged = await skippedGate(project, { plan: allowed, skipped, sides }, occasion, run, ports);
    return { ...judged, plan: allowed, remarks: ruled.remarks };
  }
  const { plan, shard } =
    part.shard === undefined ? { plan: allowed, shard: undefined } : shardOf(allowed, part.shard);
  const { sessions: history, record, remarks } = await readHistory(project, plan, occasion, ports);
  const warnings = [...planWarnings(plan), ...movingContexts(plan)];
  for (const warning of warnings) ports.log.warn(warning);

  const exported = await exportSides(project, { plan, ruled, sides }, occasion, run, ports);
  const request = gateRequest(
    { ...run, seed: ports.seed() },
    {
      shard,
      plan,
      pair: exported.pair,
      repository: await ports.source.repositoryName(project.top),
      event: occasion.event,
      history,
      record,
      measuring: exported.measuring,
      accepted: acceptance.accepted,
      notes: [...sides.notes, ...ruled.notes, ...exported.notes, ...warnings, ...exported.ignored],
      figures: part.coldBuilds === true ? { coldBuilds: 'all' } : undefined,
    },
  );
  const result = await ports.withEngines(
    { plan, run },
    async (engines) => await measurePart(request, part.confirm, engines, signal),
  );
  return { ...result, plan, remarks: [...ruled.remarks, ...acceptance.remarks, ...remarks] };
}

/** Writes both sides' files into the work folder, and the base's measuring code if the change edits it. */
async function exportSides(
  { top }: Project,
  { plan, ruled, sides }: { readonly plan: Plan; readonly ruled: RuledPlan; readonly sides: Sides },
  { gitEnvironment: env }: Occasion,
  { workFolder }: RunContext,
  { source, log }: JobPorts,
) {
  const exportTo = async (folder: string, side: SideCommit) =>
    await exportSide(top, side, join(workFolder, folder), plan, source, env);
  const commit = 'unavailable' in sides.baseline ? undefined : sides.baseline;
  const head = await exportTo('head', sides.head);
  const exported = commit === undefined ? undefined : await exportTo('baseline', commit);
  const measuring = await measuringRequest(top, ruled, commit, sides.head, workFolder, source);
  const ignored = [
    ...(await ignoredDockerfile(plan, head.tree.directory, source)),
    ...(await unlockedDependencies(plan, top, sides.head, source)),
  ];
  for (const note of ignored) log.warn(note);
  const baseline: SideTree | { readonly unavailable: string } =
    exported === undefined ? unavailable(sides) : { ...exported.tree, plan: ruled.base };
  return {
    pair: { head: head.tree, baseline },
    measuring,
    ignored,
    notes: [...new Set([...head.notes, ...(exported?.notes ?? [])])],
  };
}

/** Runs one gate, or confirms an earlier one. */
async function measurePart(
  request: GateRequest,
  first: GatePart['confirm'],
  ports: Ports,
  signal: AbortSignal,
): Promise<JudgedSessions & { readonly interrupted: boolean }> {
  if (first === undefined) {
    const { session, comparison, interrupted } = await gate(request, ports, signal);
    return { session, comparison, interrupted, parts: [session], file: session };
  }
  const { parts, comparison, interrupted } = await confirm({ ...request, first }, ports, signal);
  return { ...judgedParts(parts, comparison), interrupted };
}

const unavailable = ({ baseline }: Sides) =>
  'unavailable' in baseline ? baseline : { unavailable: 'it was not exported' };
