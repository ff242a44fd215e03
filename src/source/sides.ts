import { copyFile, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { git, gitReason, tryGit } from '../process/git.ts';
import { gitStore } from '../process/git-store.ts';
import { isPullRequest } from '../session/event.ts';
import { fetchBranch, fetchCommit, mergeBase, type Fetched } from './fetch.ts';

/** A commit, or a commit with a tree of the working folder's files on top. */
export interface SideCommit {
  readonly commit: string;
  /** What to export: the commit itself, or the tree of the working folder. */
  readonly tree: string;
  readonly dirty: boolean;
}

export interface Sides {
  readonly head: SideCommit;
  readonly baseline: SideCommit | { readonly unavailable: string };
  /** How the baseline was chosen, if the event does not make it clear. */
  readonly notes: readonly string[];
}

export interface SidesRequest {
  /** The top of the work tree. */
  readonly directory: string;
  /** `pull_request`, `push`, … or `terminal`. */
  readonly event: string;
  /** The commit before a push, from the event. */
  readonly before?: string | undefined;
  /** The branch that the pull request targets. */
  readonly baseRef?: string | undefined;
  /** The merge commit that GitHub made for this pull request, from the runner (GITHUB_SHA). */
  readonly mergeSha?: string | undefined;
  /** Treat the checkout as a change, for any event. Its base is the merge base with `baseRef`. */
  readonly change?: boolean;
  /** The remote's name or address from which to fetch base and history. Defaults to `origin`. */
  readonly remote?: string | undefined;
  /** The commit that a merge queue's group starts from. */
  readonly baseSha?: string | undefined;
  /** `--baseline REF`. */
  readonly baselineRef?: string | undefined;
  /** Environment for fetching, such as credentials. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The top of the work tree of a folder; undefined outside of a work tree.
 * @throws ConfigurationError if git refuses to read the repository, with what to do
 */
export async function topLevel(directory: string): Promise<string | undefined> {
  const { status, stdout, stderr } = await tryGit(directory, ['rev-parse', '--show-toplevel']);
  if (status === 0) return stdout.replace(/\n$/, '');
  // For a `.git` file with a wrong path git prints another message. Such a repository is broken, not absent.
  if (stderr.includes('not a git repository (or any')) return undefined;
  throw unreadable(directory, stderr);
}

/** Why git does not read a repository. */
function unreadable(directory: string, stderr: string): ConfigurationError {
  const owned = /dubious ownership in repository at '([^']+)'/.exec(stderr)?.[1];
  if (owned !== undefined)
    return new ConfigurationError(
      `git refuses to read the repository ${owned}, because it belongs to another user than the one that runs Pacegate. Trust it with: git config --global --add safe.directory ${owned}`,
    );
  if (stderr.includes('must be run in a work tree'))
    return new ConfigurationError(
      `${directory} is a repository without files (a bare one), so there is nothing to measure. Run Pacegate in a checkout.`,
    );
  return new ConfigurationError(`git cannot read the repository at ${directory}: ${gitReason(stderr)}`);
}

/**
 * Decides which two commits are compared. The checkout of a pull request is a merge commit, and its baseline is the
 * first parent: the base as merged. A comparison with the last nightly would count other people's commits as part of
 * this change.
 *
 * @throws ConfigurationError if `baselineRef` names no commit
 */
export async function resolveSides(request: SidesRequest): Promise<Sides> {
  const { directory, event, baselineRef } = request;
  // Files that earlier steps of a job left in the checkout are not part of the change, and may be credentials.
  const head = event === 'terminal' ? await resolveHead(directory) : await resolveCommit(directory);
  if (baselineRef !== undefined)
    return { head, baseline: await namedBaseline(request, baselineRef), notes: [] };
  if (event === 'merge_group') return await mergeGroupSides(request, head);
  if (isPullRequest(event) || request.change === true) return await pullRequestSides(request, head);
  if (event === 'push') return await pushSides(request, head);
  return await terminalSides(request, head);
}

/**
 * The checkout's commit, without any other files in the folder.
 * @throws ConfigurationError if there is no repository, or no commit yet
 */
export async function resolveCommit(directory: string): Promise<SideCommit> {
  const { status, stdout } = await tryGit(directory, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (status !== 0) throw await withoutCommit(directory);
  const commit = stdout.trim();
  return { commit, tree: commit, dirty: false };
}

/** Why HEAD names no commit. */
async function withoutCommit(directory: string): Promise<ConfigurationError | StoreError> {
  if ((await topLevel(directory)) === undefined)
    return new ConfigurationError(
      `${directory} is not a git repository, so there is no commit to measure and none to compare with. Run Pacegate in a checkout; where actions/checkout was given path:, name the configuration in that folder (config: FOLDER/.github/pacegate.yml).`,
    );
  // Without ^{commit} git reads only the ref and does not check its object.
  const named = await tryGit(directory, ['rev-parse', '--verify', '--quiet', 'HEAD']);
  if (named.status !== 0)
    return new ConfigurationError(
      `${directory} has no commit yet: make a first one, so that there is something to measure.`,
    );
  const { stderr } = await tryGit(directory, ['rev-parse', '--verify', 'HEAD^{commit}']);
  return new StoreError(
    `The commit that HEAD of ${directory} names cannot be read: ${gitReason(stderr)}. git fsck says what is missing.`,
  );
}

/**
 * The checkout with its local changes: its commit, or a tree of the working folder if there are changed or new files.
 * @throws ConfigurationError if there is no commit yet
 */
export async function resolveHead(directory: string): Promise<SideCommit> {
  const committed = await resolveCommit(directory);
  const changes = await git(directory, ['status', '--porcelain', '--untracked-files=normal']);
  return changes === '' ? committed : { ...committed, tree: await workingTree(directory), dirty: true };
}

/**
 * The working folder as a tree object, with changed and new files and without ignored ones. The user's index is only
 * copied, and new objects go into Pacegate's own store.
 */
async function workingTree(directory: string): Promise<string> {
  const store = await gitStore(directory);
  const folder = await mkdtemp(join(store.folder, 'index-'));
  try {
    const index = join(folder, 'index');
    const own = await git(directory, ['rev-parse', '--path-format=absolute', '--git-path', 'index']);
    await copyIndex(own, index);
    const env = { GIT_INDEX_FILE: index, ...store.writing };
    await git(directory, ['add', '--all', '.'], { env });
    return await git(directory, ['write-tree'], { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The copy keeps the index's own time. git uses this time to find files that may have changed within the second of
 * their addition. With a newer time git would miss such an edit (git's documentation, racy-git).
 */
async function copyIndex(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => undefined);
  // There is no index before the first commit.
  if (found === undefined) return;
  await copyFile(from, to);
  await utimes(to, found.atime, found.mtime);
}

async function pullRequestSides(request: SidesRequest, head: SideCommit): Promise<Sides> {
  const { baseRef, mergeSha } = request;
  // The commit object names its parents, even in a shallow checkout that lacks them.
  const parents = await parentsOf(request.directory, head.commit);
  const [first = ''] = parents;
  // Only GitHub's own merge commit has the base as its first parent for certain. The author of a change chooses the
  // parents of any other merge.
  if (parents.length >= 2 && head.commit === mergeSha) {
    const missing = await fetchCommit(request, first);
    return {
      head,
      baseline:
        missing === undefined
          ? side(first)
          : {
              unavailable: `the merge commit's first parent ${short(first)} could not be fetched: ${missing}`,
            },
      notes: [],
    };
  }
  if (baseRef === undefined)
    return {
      head,
      baseline: { unavailable: "HEAD is not the event's merge commit, and the event names no base branch" },
      notes: [],
    };
  const base = await mergeBase(request, head.commit, baseRef);
  const missing = 'missing' in base ? base.missing : await fetchCommit(request, base.commit);
  if ('missing' in base || missing !== undefined)
    return {
      head,
      baseline: {
        unavailable: `HEAD is not the merge commit of the pull request, and the commit where its history left ${baseRef} could not be found: ${missing ?? 'no message'}`,
      },
      notes: [],
    };
  // The commit is already on the branch, so it is compared with the branch's previous state.
  if (base.commit === head.commit && !isPullRequest(request.event)) return await pushSides(request, head);
  return {
    head,
    baseline: side(base.commit),
    notes:
      parents.length >= 2 && first === base.commit
        ? []
        : [
            `The checkout is not the pull request's merge commit, so the baseline is where it left ${baseRef} (${short(base.commit)}).`,
          ],
  };
}

/**
 * A merge queue may squash or rebase, so a merge commit may be missing. The event names the commit that the group
 * starts from.
 */
async function mergeGroupSides(request: SidesRequest, head: SideCommit): Promise<Sides> {
  const { baseSha } = request;
  if (baseSha === undefined) return await pullRequestSides(request, head);
  const missing = await fetchCommit(request, baseSha);
  return {
    head,
    baseline:
      missing === undefined
        ? side(baseSha)
        : { unavailable: `the merge group's base ${short(baseSha)} could not be fetched: ${missing}` },
    notes: [],
  };
}

async function pushSides(request: SidesRequest, head: SideCommit): Promise<Sides> {
  const { before } = request;
  if (before !== undefined && /^[0-9a-f]{40,64}$/.test(before) && !/^0+$/.test(before)) {
    const missing = await fetchCommit(request, before);
    if (missing === undefined) return { head, baseline: side(before), notes: [] };
  }
  const [parent] = await parentsOf(request.directory, head.commit);
  if (parent === undefined)
    return { head, baseline: { unavailable: 'this is the first commit of its branch' }, notes: [] };
  const missing = await fetchCommit(request, parent);
  return {
    head,
    baseline:
      missing === undefined
        ? side(parent)
        : { unavailable: `the parent ${short(parent)} could not be fetched: ${missing}` },
    notes: [
      before === undefined
        ? `The baseline is the head's parent (${short(parent)}).`
        : `The commit before this push ${/^0+$/.test(before) ? 'does not exist' : 'is gone'}, so the baseline is the head's parent.`,
    ],
  };
}

/** On a terminal: compares uncommitted changes with HEAD, and a branch with its merge base with the default branch. */
async function terminalSides(request: SidesRequest, head: SideCommit): Promise<Sides> {
  const { directory } = request;
  if (head.dirty)
    return {
      head,
      baseline: side(head.commit),
      notes: [
        `The working folder, with its uncommitted changes, is compared with HEAD (${short(head.commit)}).`,
      ],
    };
  for (const branch of ['refs/remotes/origin/HEAD', 'refs/heads/main', 'refs/heads/master']) {
    const base = await tryGit(directory, ['merge-base', 'HEAD', branch]);
    const commit = base.stdout.trim();
    if (base.status === 0 && commit !== head.commit)
      return {
        head,
        baseline: side(commit),
        notes: [
          `The baseline is where this branch left ${branch.replace(/^refs\/(heads|remotes)\//, '')} (${short(commit)}).`,
        ],
      };
  }
  const [parent] = await parentsOf(directory, head.commit);
  const missing = parent === undefined ? undefined : await fetchCommit(request, parent);
  return {
    head,
    baseline:
      parent === undefined
        ? { unavailable: 'this is the first commit of the repository' }
        : missing === undefined
          ? side(parent)
          : { unavailable: `the parent ${short(parent)} could not be fetched: ${missing}` },
    notes:
      parent === undefined
        ? []
        : [`The baseline is HEAD's parent (${short(parent)}); --baseline names another.`],
  };
}

async function namedBaseline(request: SidesRequest, ref: string): Promise<SideCommit> {
  const { directory } = request;
  const verify = async (name: string) => {
    const { status, stdout } = await tryGit(directory, [
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${name}^{commit}`,
    ]);
    return status === 0 ? stdout.trim() : undefined;
  };
  const here = (await verify(ref)) ?? (await verify(`refs/remotes/origin/${ref}`));
  if (here !== undefined) return side(here);
  const fetched = await fetchNamed(request, ref);
  if ('commit' in fetched) return side(fetched.commit);
  throw new ConfigurationError(
    `--baseline ${ref} names no commit: it is not a commit, branch or tag of this repository, and it could not be fetched from origin (${fetched.missing}).`,
  );
}

async function fetchNamed(request: SidesRequest, ref: string): Promise<Fetched> {
  if (!/^[0-9a-f]{40,64}$/.test(ref)) return await fetchBranch(request, ref);
  const missing = await fetchCommit(request, ref);
  return missing === undefined ? { commit: ref } : { missing };
}

/**
 * The parents of a commit that is readable here.
 * @param commit hexadecimal digits only, so that git cannot read it as an option or a ref
 */
export async function parentsOf(directory: string, commit: string): Promise<readonly string[]> {
  const text = await git(directory, ['cat-file', 'commit', commit]);
  const header = text.split('\n\n')[0] ?? '';
  return [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? '');
}

const side = (commit: string): SideCommit => ({ commit, tree: commit, dirty: false });
const short = (commit: string) => commit.slice(0, 10);
