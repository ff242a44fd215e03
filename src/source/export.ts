import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { git, gitReason, tryGit } from '../process/git.ts';
import { gitStore } from '../process/git-store.ts';
import { own } from '../session/record.ts';

/**
 * Writes the files of a commit or tree into a new folder, as a checkout writes them: with the tree's own attributes and
 * the filters of the user's git, such as Git LFS. `git archive` would omit and rewrite files according to their
 * attributes. Neither side gets a `.git`.
 *
 * @param credentials environment for a filter that uses a server
 * @returns notes for the report: submodules are not exported
 * @throws StoreError with the filter's own message if a file cannot be written
 */
export async function exportTree(
  directory: string,
  tree: string,
  destination: string,
  credentials: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  await mkdir(destination, { recursive: true });
  const folder = await mkdtemp(join((await gitStore(directory)).folder, 'index-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index') };
    await git(directory, ['read-tree', tree], { env });
    // In a separate work tree git reads the tree's attributes and ignores those in the user's work tree.
    const written = await tryGit(directory, ['checkout-index', '--all', '--force'], {
      env: { ...credentials, ...env, GIT_WORK_TREE: destination },
    });
    if (written.status !== 0) throw notWritten(tree, written.stderr);
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

/** Why the files of a tree could not be written. The usual cause is a filter, because git itself needs only a disk. */
function notWritten(tree: string, stderr: string): StoreError {
  const [, file, filter] = /^(?:fatal|error): (.+): smudge filter (\S+) failed$/m.exec(stderr) ?? [];
  if (file === undefined)
    return new StoreError(`The files of ${tree.slice(0, 10)} cannot be written: ${gitReason(stderr)}.`);
  const words = gitReason(stderr.replace(/^fatal: .*smudge filter .* failed$/m, ''));
  return new StoreError(
    `The file ${file} of ${tree.slice(0, 10)} cannot be written, because the filter ${filter ?? ''} that .gitattributes names failed: ${words}.${
      filter === 'lfs'
        ? ` Git LFS could not fetch it: check that the token may read the repository (contents: read, persist-credentials), or fetch it before (git lfs fetch origin ${tree}).`
        : ''
    }`,
  );
}

/** The content of a path at a commit. Links inside the repository are followed. */
export type FileAt =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' }
  /** The path exists and is not a file of the repository. It must not count as absent. */
  | { readonly kind: 'refused'; readonly reason: string };

/** git's messages for a link that cannot be followed. */
const LINKS: Readonly<Record<string, string>> = {
  symlink: 'is a link to a place outside the repository',
  dangling: 'is a link to a file that the commit does not have',
  loop: 'is a link to itself',
  notdir: 'has a link in its path to something that is not a folder',
};

/**
 * The text of a file at a commit.
 * @throws StoreError if git fails
 */
export async function readFileAt(directory: string, commit: string, path: string): Promise<FileAt> {
  if (path.includes('\n')) return { kind: 'refused', reason: 'has a name with a line break in it' };
  const submodule = await submoduleOn(directory, commit, path);
  if (submodule !== undefined)
    return { kind: 'refused', reason: `lies in the submodule ${submodule}, which is another repository` };
  const answer = await git(
    directory,
    ['cat-file', '--follow-symlinks', '--batch=%(objecttype) %(objectsize)'],
    { input: `${commit}:${path}\n` },
  );
  const [heading = ''] = answer.split('\n', 1);
  const text = answer.slice(heading.length + 1);
  const [, word = ''] = / ?(\w+)(?: \d+)?$/.exec(heading) ?? [];
  if (/^blob \d+$/.test(heading)) return { kind: 'text', text };
  if (/^tree \d+$/.test(heading)) return { kind: 'refused', reason: 'is a folder' };
  if (heading.endsWith(' missing')) return { kind: 'none' };
  const [link = ''] = heading.split(' ');
  return { kind: 'refused', reason: own(LINKS, link) ?? `cannot be read (${word === '' ? heading : word})` };
}

/** The submodule that a path is, or is inside of. */
async function submoduleOn(directory: string, commit: string, path: string): Promise<string | undefined> {
  const parts = path.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const listed = await git(directory, [
    '--literal-pathspecs',
    'ls-tree',
    '-z',
    '--full-tree',
    commit,
    '--',
    ...prefixes,
  ]);
  const entry = listed.split('\0').find((line) => line.startsWith('160000 '));
  return entry?.split('\t')[1];
}

/** Files with the given endings that a change deletes. */
export async function deletedFiles(
  directory: string,
  from: string,
  to: string,
  endings: readonly string[],
): Promise<readonly string[]> {
  const listed = await git(directory, [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--diff-filter=D',
    '--name-only',
    from,
    to,
  ]);
  return listed.split('\0').filter((path) => endings.some((ending) => path.endsWith(ending)));
}

/** The paths of the files that a change adds or edits, from the top of the repository. */
export async function changedFiles(directory: string, from: string, to: string): Promise<readonly string[]> {
  const listed = await git(directory, [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--diff-filter=AM',
    '--name-only',
    from,
    to,
  ]);
  return listed.split('\0').filter((path) => path !== '');
}

/** The paths of the files that a change adds, edits, moves or deletes. A moved file has its old and its new path. */
export async function touchedFiles(directory: string, from: string, to: string): Promise<readonly string[]> {
  const listed = await git(directory, ['diff-tree', '-r', '-z', '--no-renames', '--name-only', from, to]);
  return listed.split('\0').filter((path) => path !== '');
}

/** `owner/name`, from the runner's environment or from origin's address; else the folder's name. */
export async function repositoryName(directory: string): Promise<string> {
  const given = process.env['GITHUB_REPOSITORY'];
  if (given !== undefined && given !== '') return given;
  const { status, stdout } = await tryGit(directory, ['config', '--get', 'remote.origin.url']);
  const name = status === 0 ? /([^/:]+\/[^/]+?)(?:\.git)?\/?$/.exec(stdout.trim())?.[1] : undefined;
  return name ?? directory.split('/').at(-1) ?? directory;
}
