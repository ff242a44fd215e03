import { gitReason, tryGit } from '../process/git.ts';
import { fetchInto, gitStore, tryInStore } from '../process/git-store.ts';

/** Fetches a commit that a shallow clone lacks. */

export interface FetchRequest {
  /** The top of the work tree. */
  readonly directory: string;
  /** Credentials for the remote, as environment for git. */
  readonly env?: Readonly<Record<string, string>>;
  /** A remote's name or an address. Defaults to `origin`. */
  readonly remote?: string | undefined;
}

/** A commit, or a clause that says why there is none. */
export type Fetched = { readonly commit: string } | { readonly missing: string };

/**
 * Makes a commit's files readable here. It fetches no history, and stores the objects outside the user's repository.
 *
 * @returns undefined, or the reason why the commit is missing
 */
export async function fetchCommit(
  { directory, env = {}, remote = 'origin' }: FetchRequest,
  commit: string,
): Promise<string | undefined> {
  if (await isHere(directory, commit)) return undefined;
  const store = await gitStore(directory);
  const fetched = await fetchInto(store, 'objects', remote, [commit], { env });
  if (await isHere(directory, commit)) return undefined;
  return fetched.status === 0
    ? `${remote} sent a different object than ${commit}`
    : gitReason(fetched.stderr);
}

/** The newest commit of a branch of origin, with its files readable here. */
export async function fetchBranch(request: FetchRequest, branch: string): Promise<Fetched> {
  return await fetchTip(
    request,
    `refs/heads/${branch}`,
    `${JSON.stringify(branch)} is not the name of a branch`,
  );
}

/** The commit of a tag of origin, with its files readable here. */
export async function fetchTag(request: FetchRequest, tag: string): Promise<Fetched> {
  return await fetchTip(request, `refs/tags/${tag}`, `${JSON.stringify(tag)} is not the name of a tag`);
}

async function fetchTip(request: FetchRequest, ref: string, refusal: string): Promise<Fetched> {
  const { directory, env = {}, remote = 'origin' } = request;
  if ((await tryGit(directory, ['check-ref-format', ref])).status !== 0) return { missing: refusal };
  const store = await gitStore(directory);
  const target = `refs/pacegate/${ref}`;
  const fetched = await fetchInto(store, 'objects', remote, [`+${ref}:${target}`], { env });
  if (fetched.status !== 0) return { missing: gitReason(fetched.stderr) };
  // An annotated tag is an object that points to the commit.
  const peeled = await tryInStore(store, 'objects', [
    'rev-parse',
    '--verify',
    '--quiet',
    `${target}^{commit}`,
  ]);
  return peeled.status === 0
    ? { commit: peeled.stdout.trim() }
    : { missing: `${ref} of ${remote} is not a commit` };
}

/** The default branch of origin: the branch that its HEAD names. */
export async function defaultBranch({
  directory,
  env = {},
  remote = 'origin',
}: FetchRequest): Promise<{ readonly branch: string } | { readonly missing: string }> {
  const store = await gitStore(directory);
  const listed = await tryInStore(store, 'objects', ['ls-remote', '--symref', remote, 'HEAD'], {
    env,
    timeoutSeconds: ASKING_SECONDS,
  });
  if (listed.status !== 0) return { missing: gitReason(listed.stderr) };
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listed.stdout)?.[1];
  return branch === undefined ? { missing: `${remote} names no default branch` } : { branch };
}

/** Listing a server's refs is one request. */
const ASKING_SECONDS = 120;

/**
 * Whether a commit is the tip of a branch of origin, or an ancestor of it. Fetches the whole history of both, so that
 * the answer is right in a shallow checkout.
 */
export async function isOnBranch(
  request: FetchRequest,
  commit: string,
  branch: string,
): Promise<boolean | { readonly unknown: string }> {
  const tip = await fetchHistory(request, branch, commit);
  if ('missing' in tip) return { unknown: tip.missing };
  const store = await gitStore(request.directory);
  const asked = await tryInStore(store, 'history', ['merge-base', '--is-ancestor', commit, tip.commit]);
  // Status 1 means no. Other failures mean that git could not answer.
  if (asked.status === 0) return true;
  return asked.status === 1 ? false : { unknown: gitReason(asked.stderr) };
}

/** The merge base of a commit and a branch of origin. */
export async function mergeBase(request: FetchRequest, commit: string, branch: string): Promise<Fetched> {
  const tip = await fetchHistory(request, branch, commit);
  if ('missing' in tip) return tip;
  const store = await gitStore(request.directory);
  const asked = await tryInStore(store, 'history', ['merge-base', commit, tip.commit]);
  if (asked.status === 0) return { commit: asked.stdout.trim() };
  return {
    missing:
      asked.status === 1
        ? `${commit.slice(0, 10)} and ${branch} have no commit in common`
        : gitReason(asked.stderr),
  };
}

/**
 * Fetches the history of a branch, and of a commit if origin has it.
 * @returns the branch's tip
 */
async function fetchHistory(request: FetchRequest, branch: string, commit: string): Promise<Fetched> {
  const { directory, env = {}, remote = 'origin' } = request;
  const ref = `refs/heads/${branch}`;
  if ((await tryGit(directory, ['check-ref-format', ref])).status !== 0)
    return { missing: `${JSON.stringify(branch)} is not the name of a branch` };
  const store = await gitStore(directory);
  const target = `refs/pacegate/${ref}`;
  const fetch = async (...names: string[]) => await fetchInto(store, 'history', remote, names, { env });
  const both = await fetch(`+${ref}:${target}`, commit);
  // A local commit may be missing on origin; its ancestors are on the branch.
  const fetched = both.status === 0 ? both : await fetch(`+${ref}:${target}`);
  if (fetched.status !== 0) return { missing: gitReason(fetched.stderr) };
  const tip = await tryInStore(store, 'history', ['rev-parse', '--verify', '--quiet', `${target}^{commit}`]);
  return tip.status === 0
    ? { commit: tip.stdout.trim() }
    : { missing: `${ref} of ${remote} is not a commit` };
}

const isHere = async (directory: string, commit: string) =>
  (await tryGit(directory, ['cat-file', '-e', `${commit}^{tree}`])).status === 0;

/** The branches of the remote. */
export async function branchesOf({
  directory,
  env = {},
  remote = 'origin',
}: FetchRequest): Promise<{ readonly branches: readonly string[] } | { readonly missing: string }> {
  const store = await gitStore(directory);
  const listed = await tryInStore(store, 'objects', ['ls-remote', '--heads', remote], {
    env,
    timeoutSeconds: ASKING_SECONDS,
  });
  return listed.status === 0
    ? { branches: [...listed.stdout.matchAll(/\trefs\/heads\/(\S+)$/gm)].map(([, name = '']) => name) }
    : { missing: gitReason(listed.stderr) };
}
