import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { checkup } from '../diagnosis/checkup.ts';
import { containerFinding } from '../diagnosis/machine-findings.ts';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { movingContexts } from '../images/moving-contexts.ts';
import { readContainerProcess } from '../measure/engines/container-facts.ts';
import type { Runnable } from '../measure/engine.ts';
import { ownerOfThisProcess } from '../measure/engines/owner.ts';
import { gate } from '../pipeline/gate.ts';
import { gateRequest } from '../pipeline/gate-request.ts';
import { nightlyPlan } from '../pipeline/nightly.ts';
import type { SideTree } from '../pipeline/ports.ts';
import type { DoctorReport } from '../report/doctor.ts';
import type { Finding } from '../session/machine-reading.ts';
import { repositoryName } from '../source/export.ts';
import { resolveHead } from '../source/sides.ts';
import { checkContext } from '../source/workload-files.ts';
import { withPorts } from './compose.ts';
import { exportSide, type RunContext } from './gate-repository.ts';
import type { MachineInspection } from './machine-inspection.ts';
import type { Places } from './places.ts';
import type { Project } from './project.ts';
import { reload } from './nightly.ts';
import { newSeed } from './session-id.ts';
import { refusePointers } from './usable-files.ts';
import { VERSION } from './version.ts';

/**
 * Measures the files here against themselves in a few blocks, all of them, and says what a gate would see on this
 * machine. Nothing is stored.
 * @param look at the machine, before this
 */
export async function examine(
  project: Project,
  blocks: number,
  { machine, findings }: MachineInspection,
  context: RunContext,
  signal: AbortSignal,
): Promise<DoctorReport & { readonly interrupted: boolean }> {
  const { plan, top, repository } = project;
  const { workFolder, sessionId, log } = context;
  for (const warning of [...cacheWarnings(plan), ...compileWarnings(plan), ...movingContexts(plan)])
    log.warn(warning);
  const [baseline, head] = [
    await copyOfFiles(project, join(workFolder, 'baseline'), context.places),
    await copyOfFiles(project, join(workFolder, 'head'), context.places),
  ];
  await reload(plan, head);
  let inContainer: Finding | undefined;
  /** The first container of the session is looked into, before any block: all are started in one way. */
  const lookInto = async (runnable: Runnable) => {
    if (inContainer !== undefined || runnable.image.engine !== 'container') return;
    const owner = ownerOfThisProcess();
    inContainer = containerFinding(machine, await readContainerProcess(runnable, { sessionId, owner }));
  };
  const where = repository ? await repositoryName(top) : top;
  const measured = nightlyPlan({ ...plan, rules: { ...plan.rules, blocks } });
  const { session, interrupted } = await withPorts(
    { plan, ...context },
    async (ports) =>
      await gate(
        gateRequest(
          { sessionId, toolVersion: VERSION, seed: newSeed() },
          {
            purpose: 'doctor',
            until: 'all',
            plan: measured,
            // Nothing of it is stored, so it has no commits.
            pair: { head: { directory: head.directory }, baseline: { directory: baseline.directory } },
            repository: where,
            event: 'terminal',
          },
        ),
        {
          ...ports,
          facts: async (runnable, limits) => {
            const facts = await ports.facts(runnable, limits);
            await lookInto(runnable);
            return facts;
          },
        },
        signal,
      ),
  );
  return {
    checkup: checkup(session, { ...plan.rules, metrics: session.rules.metrics }),
    session,
    findings,
    inContainer,
    cap: plan.rules.blocks,
    budgetSeconds: plan.budgetSeconds,
    interrupted,
  };
}

/** The files as they stand; never the user's own folder, for the measuring code is laid over one side. */
async function copyOfFiles(
  { plan, top, repository }: Project,
  folder: string,
  places: Places,
): Promise<SideTree> {
  if (repository) return (await exportSide(top, await resolveHead(top), folder, { plan, places })).tree;
  await cp(top, folder, { recursive: true, verbatimSymlinks: true });
  await checkContext(folder, plan.workload.context);
  await refusePointers(plan, folder, top, places);
  return { directory: folder };
}
