import { join } from 'node:path';
import { planWarnings } from '../plan/warnings.ts';
import type { Side } from '../session/run.ts';
import { exportSide } from './exported-sides.ts';
import { measureOneSide, type OneSideResult } from './one-side.ts';
import type { JobPorts, RunContext, SideTree } from './ports.ts';
import { refusePointers } from './unfetched-files.ts';
import type { Project } from './project.ts';

export interface TreeRequest {
  readonly side: Side;
  readonly event: string;
  /** Called with the side once its files are exported. Defaults to `measureOneSide`. */
  readonly measure?: typeof measureOneSide;
}

/** Builds and measures the files of a work tree, or of a plain folder, as one side. */
export async function measureTree(
  project: Project,
  { side, event, measure = measureOneSide }: TreeRequest,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const { plan, top, repository } = project;
  const { source, log } = ports;
  const warnings = planWarnings(plan);
  for (const warning of warnings) log.warn(warning);
  const exported = repository
    ? await exportSide(
        top,
        event === 'terminal' ? await source.resolveHead(top) : await source.resolveCommit(top),
        join(run.workFolder, side),
        plan,
        source,
      )
    : { tree: { directory: top } satisfies SideTree, notes: [] };
  const { tree } = exported;
  await source.checkContext(tree.directory, plan.workload.context);
  const notes = repository ? exported.notes : await refusePointers(plan, tree.directory, top, source);
  const repositoryOrFolder = repository ? await source.repositoryName(top) : top;
  return await ports.withEngines(
    { plan, run },
    async (engines) =>
      await measure(
        {
          sessionId: run.sessionId,
          plan,
          side,
          tree,
          source: {
            repository: repositoryOrFolder,
            event,
            [side]: tree.commit,
          },
          seed: plan.seed ?? ports.seed(),
          toolVersion: run.toolVersion,
          notes: [...notes, ...warnings],
        },
        engines,
        signal,
      ),
  );
}
