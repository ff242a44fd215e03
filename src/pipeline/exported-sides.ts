import { basename, join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { SideCommit } from '../source/sides.ts';
import type { SideTree, SourcePort } from './ports.ts';
import { refusePointers } from './unfetched-files.ts';

/**
 * Writes a side's files into a folder of the session's own.
 * @param credentials environment for git, where a file has to be fetched (Git LFS)
 * @throws StoreError where a file is not there but for a pointer to it
 */
export async function exportSide(
  directory: string,
  side: SideCommit,
  folder: string,
  plan: Plan,
  source: SourcePort,
  credentials: Readonly<Record<string, string>> = {},
): Promise<{ readonly tree: SideTree; readonly notes: readonly string[] }> {
  const notes = await source.exportTree(directory, side.tree, folder, credentials);
  await source.checkContext(folder, plan.workload.context);
  const subject = `the ${basename(folder)}'s files (${side.dirty ? 'the working folder' : side.commit.slice(0, 10)})`;
  const doubts = await refusePointers(plan, folder, subject, source);
  return {
    tree: { directory: folder, commit: { commit: side.commit, dirty: side.dirty } },
    notes: [...notes, ...doubts],
  };
}

/** A Dockerfile that the reader may think is measured. @param tree the head's files, absolute */
export async function ignoredDockerfile(
  { workload, variants }: Plan,
  tree: string,
  source: Pick<SourcePort, 'exists'>,
): Promise<string[]> {
  if (workload.dockerfile !== undefined || !variants.some(({ kind }) => kind === 'interpreter')) return [];
  const path = join(workload.context, 'Dockerfile');
  return (await source.exists(join(tree, path)))
    ? [
        `${path} is not used: workload.dockerfile is not set, so the images are built by Pacegate's own Dockerfile. Set workload.dockerfile: Dockerfile to measure what it builds.`,
      ]
    : [];
}
