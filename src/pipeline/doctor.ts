import { join } from 'node:path';
import { checkup } from '../diagnosis/checkup.ts';
import { containerFinding } from '../diagnosis/machine-findings.ts';
import { movingContexts } from '../plan/moving-contexts.ts';
import { buildWarnings } from '../plan/warnings.ts';
import type { DoctorReport } from '../report/doctor.ts';
import type { Finding } from '../session/machine-reading.ts';
import { exportSide } from './exported-sides.ts';
import { gateRequest } from './gate-request.ts';
import { gate, type GateResult } from './gate.ts';
import type { MachineInspection } from './machine-inspection.ts';
import { reload } from './measure-night.ts';
import { nightlyPlan } from './nightly.ts';
import type { JobPorts, Ports, RunContext, SidePair, SourcePort } from './ports.ts';
import { refusePointers } from './unfetched-files.ts';
import type { Project } from './project.ts';

/**
 * Measures the files here against themselves in a fixed number of blocks, and reports what a gate on this machine can
 * detect. Nothing is stored.
 * @param look the inspection of the machine from before
 */
export async function examine(
  project: Project,
  blocks: number,
  { machine, findings }: MachineInspection,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<DoctorReport & { readonly interrupted: boolean }> {
  const { plan } = project;
  for (const warning of [...buildWarnings(plan), ...movingContexts(plan)]) ports.log.warn(warning);
  // The session is not stored, so its sides have no commits.
  const pair = {
    baseline: { directory: await copyOfFiles(project, join(run.workFolder, 'baseline'), ports.source) },
    head: { directory: await copyOfFiles(project, join(run.workFolder, 'head'), ports.source) },
  };
  await reload(plan, pair.head, ports.source);
  let inContainer: Finding | undefined;
  const { session, interrupted } = await gateAgainstItself(
    project,
    { pair, blocks },
    run,
    ports,
    signal,
    (reading) => (inContainer ??= containerFinding(machine, reading)),
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

/** @param seen receives the kernel's data about the first container; all containers start in the same way */
async function gateAgainstItself(
  { plan, top, repository }: Project,
  { pair, blocks }: { readonly pair: SidePair; readonly blocks: number },
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
  seen: (reading: Awaited<ReturnType<Ports['containerProcess']>>) => void,
): Promise<GateResult> {
  const request = gateRequest(
    { ...run, seed: ports.seed() },
    {
      purpose: 'doctor',
      until: 'all',
      plan: nightlyPlan({ ...plan, rules: { ...plan.rules, blocks } }),
      pair,
      repository: repository ? await ports.source.repositoryName(top) : top,
      event: 'terminal',
    },
  );
  return await ports.withEngines(
    { plan, run },
    async (engines) => await gate(request, lookingIntoFirst(engines, seen), signal),
  );
}

/** Inspects the first container of the session when its interpreter is asked, before any block. */
function lookingIntoFirst(
  engines: Ports,
  seen: (reading: Awaited<ReturnType<Ports['containerProcess']>>) => void,
): Ports {
  let looked = false;
  return {
    ...engines,
    facts: async (runnable, limits) => {
      const facts = await engines.facts(runnable, limits);
      if (!looked && runnable.image.engine === 'container') {
        seen(await engines.containerProcess(runnable));
        looked = true;
      }
      return facts;
    },
  };
}

/**
 * Copies the current files. The user's own folder must stay unchanged, because the measuring code replaces files of one
 * side.
 */
async function copyOfFiles(
  { plan, top, repository }: Project,
  folder: string,
  source: SourcePort,
): Promise<string> {
  if (repository) {
    const head = await source.resolveHead(top);
    return (await exportSide(top, head, folder, plan, source)).tree.directory;
  }
  await source.copyFolder(top, folder);
  await source.checkContext(folder, plan.workload.context);
  await refusePointers(plan, folder, top, source);
  return folder;
}
