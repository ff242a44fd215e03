import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git, tryGit } from '../process/git.ts';
import { gitStore } from '../process/git-store.ts';

/**
 * Writes the files of a commit or tree into a new folder. Both sides go this way, so modes and filters are equal
 * and only what the change changed differs; `git archive` would leave out and rewrite what attributes say.
 *
 * @returns notes for the report: submodules are not exported
 */
export async function exportTree(
  directory: string,
  tree: string,
  destination: string,
): Promise<readonly string[]> {
  await mkdir(destination, { recursive: true });
  const folder = await mkdtemp(join((await gitStore(directory)).folder, 'index-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    await git(directory, ['read-tree', tree], { env });
    await git(directory, ['checkout-index', '--all', '--force', `--prefix=${destination}/`], { env });
    const staged = await git(directory, ['ls-files', '--stage', '-z'], { env });
    const submodules = staged
      .split('\0')
      .flatMap((entry) => (entry.startsWith('160000 ') ? [entry.split('\t')[1] ?? ''] : []));
    return submodules.length === 0
      ? []
      : [`Submodules are not part of what is measured: ${submodules.join(', ')}.`];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file's text at a commit, or undefined where the commit does not have it. */
export async function readFileAt(
  directory: string,
  commit: string,
  path: string,
): Promise<string | undefined> {
  const { status, stdout } = await tryGit(directory, ['cat-file', 'blob', `${commit}:${path}`]);
  return status === 0 ? stdout : undefined;
}

/** `owner/name`, from the runner's environment or origin's address; the folder's name without either. */
export async function repositoryName(directory: string): Promise<string> {
  const given = process.env['GITHUB_REPOSITORY'];
  if (given !== undefined && given !== '') return given;
  const { status, stdout } = await tryGit(directory, ['config', '--get', 'remote.origin.url']);
  const name = status === 0 ? /([^/:]+\/[^/]+?)(?:\.git)?\/?$/.exec(stdout.trim())?.[1] : undefined;
  return name ?? directory.split('/').at(-1) ?? directory;
}
