import { basename, join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { SideCommit } from '../source/sides.ts';
import type { SideTree, SourcePort } from './ports.ts';
import { refusePointers } from './unfetched-files.ts';

/**
 * Writes a side's files into a folder of the session.
 * @param credentials environment for git, to fetch files (Git LFS)
 * @throws StoreError if a file's content is missing and only its pointer exists
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

/** Files that pin the versions of dependencies, or that the default Dockerfile does not install from. */
const LOCKED = [
  'uv.lock',
  'poetry.lock',
  'pylock.toml',
  'pdm.lock',
  'Pipfile.lock',
  'requirements.txt',
  'pixi.lock',
  'conda-lock.yml',
];

/**
 * Dependencies without a lock: each build installs their newest release.
 * @param top folder of the repository
 */
export async function unlockedDependencies(
  { workload, variants }: Plan,
  top: string,
  side: SideCommit,
  source: Pick<SourcePort, 'readFileAt'>,
): Promise<string[]> {
  if (workload.dockerfile !== undefined || !variants.some(({ kind }) => kind === 'interpreter')) return [];
  const textOf = async (name: string) => {
    const found = await source.readFileAt(top, side.tree, join(workload.context, name));
    return found.kind === 'text' ? found.text : undefined;
  };
  for (const name of LOCKED) if ((await textOf(name)) !== undefined) return [];
  const listing = [
    ['pyproject.toml', /^dependencies\s*=\s*\[\s*[^\]\s]|^dynamic\s*=\s*\[[^\]]*["']dependencies["']/m],
    ['setup.py', /\binstall_requires\b/],
    ['setup.cfg', /\binstall_requires\b/],
  ] as const;
  for (const [name, pattern] of listing)
    if (pattern.test((await textOf(name)) ?? ''))
      return [
        `${join(workload.context, name)} has no lock file next to it: the images get the newest release of each dependency, and a new release can change a result. Lock the dependencies (\`uv lock\`) and commit the lock file.`,
      ];
  return [];
}

/**
 * A Dockerfile that the configuration does not use, although a reader may expect it to be measured.
 * @param tree the head's files, absolute
 */
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
