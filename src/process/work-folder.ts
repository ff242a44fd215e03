import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { killProcessesNow, killProcessesWith } from './host-processes.ts';
import { isOwnerAlive, OWNER_VARIABLE, ownerOfThisProcess } from './owner.ts';
import { keepGitStoresIn } from './git-store.ts';
import { atExit } from './at-exit.ts';
import { temporaryFolder } from './temporary-folder.ts';

const PREFIX = 'pacegate-work-';

/** A file in a work folder with the id of the session that has containers and images in the engine. */
const ENGINE_SESSION = 'engine-session';

/** Registrations for early exits, removed when the folder is removed normally. */
const exits = new Map<string, () => void>();

/**
 * A temporary folder with its owner in the name. A later start recognises the folders of dead owners, ends their
 * remaining processes, and removes them.
 * @throws ConfigurationError if there is no folder for temporary files
 */
export async function openWorkFolder(): Promise<string> {
  const owner = ownerOfThisProcess();
  // Marks all programs that are started from here on, such as a docker client that outlives this process.
  process.env[OWNER_VARIABLE] = owner;
  for (const { path, owner: dead } of await foldersOfTheDead()) {
    await endProcessesOf(dead, path);
    if ((await engineSessionOf(path)) === undefined) await removeWorkFolder(path);
  }
  try {
    const path = await mkdtemp(join(temporaryFolder(), `${PREFIX}${owner}_`));
    exits.set(
      path,
      atExit(() => {
        killProcessesNow(`PACEGATE_METRICS=${path}/`, `${OWNER_VARIABLE}=${owner}`);
        rmSync(path, { recursive: true, force: true });
      }),
    );
    keepGitStoresIn(join(path, 'git'));
    return path;
  } catch (error) {
    throw new ConfigurationError(
      `The folder for temporary files ${temporaryFolder()} cannot be used (${(error as Error).message}). Set TMPDIR to a folder that exists and that you may write.`,
      { cause: error },
    );
  }
}

/**
 * Removes a work folder. A folder of another user stays, and this is no error.
 * @param signal of the run. If it was cancelled, remaining programs are ended too: a killed git leaves a helper that
 * waits for a server.
 */
export const removeWorkFolder = async (path: string, signal?: AbortSignal): Promise<void> => {
  const owner = ownerOfFolder(path);
  if (signal?.aborted === true && owner !== undefined) await endProcessesOf(owner, path);
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
  exits.get(path)?.();
  exits.delete(path);
};

/** Ends the remaining processes of a dead owner: docker clients by their environment, workloads by their folder. */
export async function endProcessesOf(owner: string, workFolder: string): Promise<void> {
  await killProcessesWith(`PACEGATE_METRICS=${workFolder}/`, `${OWNER_VARIABLE}=${owner}`);
}

/** The owner in a work folder's name. */
export const ownerOfFolder = (path: string): string | undefined =>
  /(?:^|\/)pacegate-work-(\d+@.+)_[^_/]+$/.exec(path)?.[1];

/** Records that a session uses the engine, so that a later start can clean up if this process cannot. */
export const noteEngineSession = async (workFolder: string, sessionId: string): Promise<void> =>
  await writeFile(join(workFolder, ENGINE_SESSION), sessionId);

/**
 * Removes the objects of dead owners' sessions from the engine, then their folders.
 * @param remove receives each session's id
 */
export async function removeDeadSessions(remove: (sessionId: string) => Promise<void>): Promise<void> {
  for (const { path } of await foldersOfTheDead()) {
    const session = await engineSessionOf(path);
    if (session !== undefined) await remove(session);
    await removeWorkFolder(path);
  }
}

async function engineSessionOf(path: string): Promise<string | undefined> {
  const text = await readFile(join(path, ENGINE_SESSION), 'utf8').catch(() => '');
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(text) ? text : undefined;
}

async function foldersOfTheDead(): Promise<readonly { readonly path: string; readonly owner: string }[]> {
  const names = await readdir(temporaryFolder()).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const owner = ownerOfFolder(name);
      if (owner === undefined || isOwnerAlive(owner)) return [];
      const path = join(temporaryFolder(), name);
      // Anyone may write to the temporary folder, so folders of other users are ignored.
      const uid = await stat(path).then(
        (status) => status.uid,
        () => undefined,
      );
      return uid === process.getuid?.() ? [{ path, owner }] : [];
    }),
  );
  return found.flat();
}
