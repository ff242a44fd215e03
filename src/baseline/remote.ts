import { setTimeout } from 'node:timers/promises';
import { git, gitReason, SERVER_SECONDS, tryGit, type GitResult } from '../process/git.ts';
import { fetchInto, gitStore, tryInStore } from '../process/git-store.ts';
import { OWN_IDENTITY } from './identity.ts';
import { asking, blocked, isPassing, RaceError, refusal } from './push-refusal.ts';

/** The branch where it is: its tip, a push to it, and a trial of a push. */

/** How long a branch that is busy, or a server that fails in passing, is waited for. */
export interface Patience {
  /** Seconds for getting ahead of other writers. */
  readonly raceSeconds: number;
  /** Seconds to wait after each answer that was a fault of the server or the network. */
  readonly serverWaits: readonly number[];
}

/** Which branch of which remote, and how to reach it. */
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
 * The branch's tip, fetched where there is a remote; undefined without a branch.
 * @throws StoreError when the remote does not give it
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
  // Status 2 is git's word for "no such branch"; anything else is the remote not answering.
  if (listed.status === 2) return undefined;
  if (listed.status !== 0)
    throw asking(
      `The baseline branch ${branch} could not be read from ${remote}: ${gitReason(listed.stderr)}`,
      listed.stderr,
    );
  // A list is of the ref's whole name, so there is one line.
  const commit = listed.stdout.split(/\s/)[0] ?? '';
  const isHere = async () => (await tryGit(directory, ['cat-file', '-e', `${commit}^{tree}`])).status === 0;
  if (await isHere()) return commit;
  const fetched = await patiently(patience, async () => fetchInto(store, 'objects', remote, [name], { env }));
  if (await isHere()) return commit;
  // Somebody pushed between the two calls: the branch has moved, and the fetch got the newer one.
  if (fetched.status === 0) throw new RaceError(`The baseline branch ${branch} moves faster than it is read`);
  throw asking(
    `The baseline branch ${branch} could not be fetched from ${remote}: ${gitReason(fetched.stderr)}`,
    fetched.stderr,
  );
}

/** @throws RaceError where somebody was faster, StoreError where the branch may not be written */
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

/** What the user's settings add to a push is for the user's own branches. */
const PUSH = ['push', '--quiet', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];

/**
 * Whether the branch could be written now, as far as the server says it without a push: whether the token may push at
 * all, and whether another branch's name stands in the way. Rules of the server speak only when something is pushed.
 *
 * @throws StoreError with what is in the way
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

/** Branches whose names exclude this one in git: `bench` excludes `bench/baseline`, and `bench/baseline` excludes `bench`. */
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

/** Asks again, after growing waits, while the server or the network fails in passing. */
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
