import { setTimeout } from 'node:timers/promises';
import { git, gitReason, SERVER_SECONDS, tryGit, type GitResult } from '../process/git.ts';
import { fetchInto, gitStore, tryInStore } from '../process/git-store.ts';
import { OWN_IDENTITY } from './identity.ts';
import { asking, blocked, isPassing, RaceError, refusal } from './push-refusal.ts';

/** Reads the branch's tip from its remote, pushes to it, and tries a push. */

/** How long to retry while the branch is busy or the server fails. */
export interface Patience {
  /** Seconds to keep retrying against other writers. */
  readonly raceSeconds: number;
  /** Seconds to wait after each fault of the server or the network. */
  readonly serverWaits: readonly number[];
}

/** The branch, its remote, and how to reach it. */
export interface Place {
  readonly directory: string;
  readonly branch: string;
  readonly remote: string;
  readonly env: Readonly<Record<string, string>>;
  /** The branch as a ref. */
  readonly name: string;
  readonly patience: Patience;
}

/**
 * The branch's tip, fetched if there is a remote; undefined without a branch.
 * @throws StoreError if the remote does not answer
 */
export async function fetchTip({
  directory,
  branch,
  remote,
  env,
  name,
  patience,
}: Place): Promise<string | undefined> {
  if (!(await hasRemote(directory, remote))) {
    const local = await tryGit(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
    return local.status === 0 ? local.stdout.trim() : undefined;
  }
  const store = await gitStore(directory);
  const listed = await patiently(patience, async () =>
    tryInStore(store, 'objects', ['ls-remote', '--exit-code', remote, name], {
      env,
      timeoutSeconds: SERVER_SECONDS,
    }),
  );
  // Status 2 means "no such branch". Any other failure means that the remote did not answer.
  if (listed.status === 2) return undefined;
  if (listed.status !== 0)
    throw asking(
      `The baseline branch ${branch} could not be read from ${remote}: ${gitReason(listed.stderr)}`,
      listed.stderr,
    );
  // The request names the full ref, so the answer has one line.
  const commit = listed.stdout.split(/\s/)[0] ?? '';
  const isHere = async () => (await tryGit(directory, ['cat-file', '-e', `${commit}^{tree}`])).status === 0;
  if (await isHere()) return commit;
  const fetched = await patiently(patience, async () => fetchInto(store, 'objects', remote, [name], { env }));
  if (await isHere()) return commit;
  // The branch moved between the two calls, and the fetch received the newer tip.
  if (fetched.status === 0)
    throw new RaceError(`The baseline branch ${branch} changes faster than Pacegate can read it`);
  throw asking(
    `The baseline branch ${branch} could not be fetched from ${remote}: ${gitReason(fetched.stderr)}`,
    fetched.stderr,
  );
}

/** @throws RaceError if another writer was faster; StoreError if the branch cannot be written */
export async function push(place: Place, commit: string, parent: string | undefined): Promise<void> {
  const { directory, remote, env, name, patience } = place;
  if (!(await hasRemote(directory, remote))) {
    const update = await tryGit(directory, [
      ...['update-ref', name, commit],
      parent ?? '0'.repeat(commit.length),
    ]);
    if (update.status !== 0) throw refusal(place, update.stderr);
    return;
  }
  const store = await gitStore(directory);
  const pushed = await patiently(patience, async () =>
    tryInStore(
      store,
      'objects',
      [...PUSH, `--force-with-lease=${name}:${parent ?? ''}`, remote, `${commit}:${name}`],
      { env, timeoutSeconds: SERVER_SECONDS },
    ),
  );
  if (pushed.status !== 0) throw refusal(place, pushed.stderr);
}

/** Options that switch off the user's push settings, because those are for the user's own branches. */
const PUSH = ['push', '--quiet', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];

/**
 * Checks without a push whether the branch can be written: whether the token may push, and whether another branch's
 * name blocks this one. Rules of the server apply only to a real push, so this check cannot see them.
 *
 * @throws StoreError with the obstacle
 */
export async function tryPush(place: Place): Promise<void> {
  const { directory, remote, env, name, patience } = place;
  const hosted = await hasRemote(directory, remote);
  const inTheWay = await namesInTheWay(place, hosted);
  if (inTheWay.length > 0) throw blocked(place, inTheWay[0] ?? '');
  if (!hosted) return;
  const store = await gitStore(directory);
  const tree = await git(directory, ['hash-object', '-t', 'tree', '-w', '--stdin'], {
    env: store.writing,
    input: '',
  });
  const commit = await git(directory, ['commit-tree', tree, '-m', 'Nothing: a trial of the permission'], {
    env: { ...OWN_IDENTITY, ...store.writing },
  });
  const pushed = await patiently(patience, async () =>
    tryInStore(store, 'objects', [...PUSH, '--dry-run', '--force', remote, `${commit}:${name}`], {
      env,
      timeoutSeconds: SERVER_SECONDS,
    }),
  );
  if (pushed.status !== 0) throw refusal(place, pushed.stderr);
}

/**
 * Branches whose names exclude this one in git: `bench` excludes `bench/baseline`, and `bench/baseline` excludes
 * `bench`.
 */
async function namesInTheWay(
  { directory, remote, env, name, patience }: Place,
  hosted: boolean,
): Promise<string[]> {
  const parts = name.split('/');
  const above = parts.slice(3).map((_, index) => parts.slice(0, index + 3).join('/'));
  const patterns = [...above, `${name}/*`];
  if (!hosted) {
    const listed = await git(directory, ['for-each-ref', '--format=%(refname)', ...above, `${name}/`]);
    return listed.split('\n').filter((ref) => ref !== '');
  }
  const store = await gitStore(directory);
  const listed = await patiently(patience, async () =>
    tryInStore(store, 'objects', ['ls-remote', remote, ...patterns], { env, timeoutSeconds: SERVER_SECONDS }),
  );
  return listed.stdout
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '')
    .filter((ref) => above.includes(ref) || ref.startsWith(`${name}/`));
}

/** Repeats a request after growing waits while the server or the network fails. */
async function patiently({ serverWaits }: Patience, ask: () => Promise<GitResult>): Promise<GitResult> {
  for (const seconds of serverWaits) {
    const answer = await ask();
    if (answer.status === 0 || !isPassing(answer.stderr)) return answer;
    await setTimeout(seconds * 1000);
  }
  return await ask();
}

export async function hasRemote(directory: string, remote: string): Promise<boolean> {
  // An address needs no entry in the repository's configuration.
  if (remote.includes('/')) return true;
  return (await tryGit(directory, ['remote', 'get-url', remote])).status === 0;
}
