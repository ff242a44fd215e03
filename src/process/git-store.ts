import { readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { git, hideObjects, SERVER_SECONDS, showObjects, tryGit, type GitResult } from './git.ts';

/**
 * Pacegate's own Git repositories for a user's repository. Fetched commits and new objects are stored here, so that
 * objects, refs, shallow file, FETCH_HEAD and configuration of the user's `.git` stay unchanged.
 *
 * There are two repositories, both with the user's objects as alternates. `objects` takes single commits without their
 * history, and git in the user's repository can read them. `history` takes commits with their whole history and answers
 * which commit descends from which.
 */
export interface GitStore {
  /** The user's work tree. */
  readonly directory: string;
  /** A folder for temporary files, such as an index. */
  readonly folder: string;
  /** Whether the user's repository is shallow. */
  readonly shallow: boolean;
  readonly objects: string;
  readonly history: string;
  /** Environment with which git in the user's repository writes new objects into `objects`. */
  readonly writing: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

let root: string | undefined;
const stores = new Map<string, Promise<GitStore>>();

/** The folder for stores, which its owner removes. Without it they are in a folder that is removed with the process. */
export function keepGitStoresIn(folder: string): void {
  root = folder;
  stores.clear();
  hideObjects();
}

/** The store of a user's repository, created at its first use, one for each process. */
export async function gitStore(directory: string): Promise<GitStore> {
  const known = stores.get(directory);
  if (known !== undefined) return await known;
  const made = openStore(directory);
  stores.set(directory, made);
  // A full disk may have room later, so the failure is not cached.
  made.catch(() => stores.delete(directory));
  return await made;
}

async function openStore(directory: string): Promise<GitStore> {
  root ??= await temporaryRoot();
  await mkdir(root, { recursive: true });
  const folder = await mkdtemp(join(root, 'git-'));
  const path = async (name: string) =>
    await git(directory, ['rev-parse', '--path-format=absolute', '--git-path', name]);
  const theirs = await path('objects');
  const shallow = readText(await path('shallow'));
  const format = await git(directory, ['rev-parse', '--show-object-format']);
  const make = async (name: string) => {
    const repository = join(folder, name);
    await git(folder, [
      ...['init', '--quiet', '--bare', '--template=', '--initial-branch=none'],
      ...(format === 'sha256' ? ['--object-format=sha256'] : []),
      repository,
    ]);
    await mkdir(join(repository, 'objects', 'info'), { recursive: true });
    await writeFile(join(repository, 'objects', 'info', 'alternates'), `${quoted(theirs)}\n`);
    // Without it git would tell the server that it has the commits behind the user's shallow boundary.
    if (shallow !== undefined) await writeFile(join(repository, 'shallow'), shallow);
    return repository;
  };
  const store = {
    directory,
    folder,
    shallow: shallow !== undefined,
    objects: await make('objects.git'),
    history: await make('history.git'),
  };
  const own = join(store.objects, 'objects');
  showObjects(directory, own);
  return {
    ...store,
    writing: { GIT_OBJECT_DIRECTORY: own, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(theirs) },
  };
}

/**
 * Runs git in one of the store's repositories with the configuration of the user's: remotes, credentials, proxies.
 * Relative addresses are taken from the top of the user's work tree, as git takes them.
 */
export async function tryInStore(
  store: GitStore,
  place: 'objects' | 'history',
  args: readonly string[],
  {
    env = {},
    timeoutSeconds,
  }: { readonly env?: Environment | undefined; readonly timeoutSeconds?: number | undefined } = {},
): Promise<GitResult> {
  const local = await localConfiguration(store.directory);
  return await tryGit(store.directory, [`--git-dir=${store[place]}`, ...args], {
    env: {
      ...env,
      ...withConfiguration(local, env),
      // A Git hook that runs this program has set them for another repository.
      ...{ GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_COMMON_DIR: undefined },
      ...{ GIT_INDEX_FILE: undefined, GIT_OBJECT_DIRECTORY: undefined },
      // `history` must not use commits of `objects`, because their history is missing.
      GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
    },
    timeoutSeconds,
  });
}

/**
 * Fetches commits, branches or tags by their names on the remote into the store. No ref of the user's moves.
 * @param place `objects`: each thing alone, without its history; `history`: with all that came before
 */
export async function fetchInto(
  store: GitStore,
  place: 'objects' | 'history',
  remote: string,
  names: readonly string[],
  {
    env,
    timeoutSeconds = SERVER_SECONDS,
  }: { readonly env?: Environment | undefined; readonly timeoutSeconds?: number | undefined } = {},
): Promise<GitResult> {
  return await tryInStore(
    store,
    place,
    [
      ...['-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'fetch.recurseSubmodules=false'],
      ...['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'],
      ...(place === 'objects' ? ['--depth=1'] : HISTORY),
      // Git's largest depth means the whole history.
      ...(place === 'history' && store.shallow ? ['--depth=2147483647'] : []),
      ...[remote, ...names],
    ],
    { env, timeoutSeconds },
  );
}

/** Ancestry needs only commits. A server that cannot filter sends the files too. */
const HISTORY = ['--filter=tree:0'];

/** One setting: its name and its value. */
export type Setting = readonly [name: string, value: string];

/**
 * Environment with settings for git, added to those of an existing environment.
 * @param settings weaker than what is given
 */
export function withConfiguration(
  settings: readonly Setting[],
  env: Environment = {},
): Record<string, string> {
  const all = [...settings, ...givenSettings({ ...process.env, ...env })];
  return {
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([name, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, name],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** The settings in `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_…` and `GIT_CONFIG_VALUE_…`. */
export function givenSettings(env: Environment): readonly Setting[] {
  const count = Number(env['GIT_CONFIG_COUNT'] ?? '0');
  return Array.from({ length: Number.isInteger(count) ? count : 0 }, (_, index): Setting => [
    env[`GIT_CONFIG_KEY_${index}`] ?? '',
    env[`GIT_CONFIG_VALUE_${index}`] ?? '',
  ]).filter(([name]) => name !== '');
}

/** Settings that are left out: the layout of the user's repository, and side tasks of git. */
const NOT_OURS =
  /^(core\.(bare|worktree|repositoryformatversion|hookspath|fsmonitor|sharedrepository|logallrefupdates|splitindex|sparsecheckout.*)|extensions\.|include|branch\.|submodule\.|alias\.|push\.|fetch\.|gc\.|maintenance\.|remote\..*\.(fetch|push|mirror|prune|prunetags|tagopt))/i;

/** The settings of the user's repository with its includes, because actions/checkout keeps its credentials in one. */
async function localConfiguration(directory: string): Promise<readonly Setting[]> {
  const { status, stdout, stderr } = await tryGit(directory, [
    ...['config', '--list', '--null', '--show-scope', '--includes'],
  ]);
  if (status !== 0) throw new StoreError(`git's configuration could not be read: ${stderr.trim()}`);
  // scope NUL name LF value NUL; a name without a value means true.
  const parts = stdout.split('\0');
  const settings: Setting[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [scope, entry = ''] = [parts[at], parts[at + 1]];
    if (scope !== 'local' && scope !== 'worktree') continue;
    const end = entry.indexOf('\n');
    const name = end < 0 ? entry : entry.slice(0, end);
    if (!NOT_OURS.test(name)) settings.push([name, end < 0 ? 'true' : entry.slice(end + 1)]);
  }
  return settings;
}

async function temporaryRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-git-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Git reads a folder's name that begins with a quote as a quoted name. */
const quoted = (path: string) => `"${path.replace(/["\\]/g, '\\$&')}"`;
