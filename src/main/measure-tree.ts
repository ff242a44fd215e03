import { join } from 'node:path';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { doubtfulMetrics } from '../plan/metrics.ts';
import { measureOneSide, type OneSideResult } from '../pipeline/one-side.ts';
import type { SideTree } from '../pipeline/ports.ts';
import type { Side } from '../session/run.ts';
import { repositoryName } from '../source/export.ts';
import { resolveCommit, resolveHead } from '../source/sides.ts';
import { checkContext } from '../source/workload-files.ts';
import { withPorts } from './compose.ts';
import { exportSide, type RunContext } from './gate-repository.ts';
import type { Project } from './project.ts';
import { newSeed } from './session-id.ts';
import { refusePointers } from './usable-files.ts';
import { VERSION } from './version.ts';

export interface TreeRequest {
  readonly side: Side;
  readonly event: string;
  /** What is done with the side once its files are there; `measureOneSide` where nobody says. */
  readonly measure?: typeof measureOneSide;
}

/** Builds and measures the files of a work tree, or of a plain folder, as one side. */
export async function measureTree(
  project: Project,
  { side, event, measure = measureOneSide }: TreeRequest,
  context: RunContext,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const { plan, top, repository } = project;
  const { places } = context;
  const warnings = [...doubtfulMetrics(plan), ...cacheWarnings(plan), ...compileWarnings(plan)];
  for (const warning of warnings) context.log.warn(warning);
  const exported = repository
    ? await exportSide(
        top,
        event === 'terminal' ? await resolveHead(top) : await resolveCommit(top),
        join(context.workFolder, side),
        { plan, places },
      )
    : { tree: { directory: top } satisfies SideTree, notes: [] };
  const { tree } = exported;
  await checkContext(tree.directory, plan.workload.context);
  const notes = repository ? exported.notes : await refusePointers(plan, tree.directory, top, places);
  return await withPorts(
    { plan, ...context },
    async (ports) =>
      await measure(
        {
          sessionId: context.sessionId,
          plan,
          side,
          tree,
          source: {
            repository: repository ? await repositoryName(top) : top,
            event,
            ...(tree.commit === undefined ? {} : { [side]: tree.commit }),
          },
          seed: plan.seed ?? newSeed(),
          toolVersion: VERSION,
          notes: [...notes, ...warnings],
        },
        ports,
        signal,
      ),
  );
}
