import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { MeasurementError } from '../errors/errors.ts';
import { isOwnerAlive, ownerOfThisProcess } from './owner.ts';

/**
 * Lets one run at a time build and measure on a machine. Two jobs of a self-hosted runner would be each other's noise.
 *
 * The lock is the kernel's (flock(2)) on a folder, so it ends with its process, whatever ends that: there are no stale
 * locks. Node has no call for it. `flock` of util-linux locks the open folder that it inherits, and the lock stays with
 * this process. The files in the folder only say who holds it.
 */

/** Does not follow TMPDIR: all jobs of the machine must find the same folder. */
const DEFAULT_FOLDER = '/tmp/pacegate-measuring';

/** The variable that names another folder, for machines whose jobs do not share /tmp. */
export const LOCK_VARIABLE = 'PACEGATE_LOCK_FOLDER';

export const lockFolder = (environment: Readonly<Record<string, string | undefined>>): string => {
  const named = environment[LOCK_VARIABLE] ?? '';
  return named === '' ? DEFAULT_FOLDER : named;
};

export interface LockRequest {
  readonly folder: string;
  /** The longest wait for another run. */
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
  readonly info: (line: string) => void;
}

interface Lock {
  readonly handle: FileHandle;
  /** The file that says who holds it. */
  readonly note: string;
}

/** Locks of this process, by folder. Its sessions share one: they know of each other. */
const shared = new Map<string, { users: number; readonly lock: Promise<Lock | undefined> }>();

/**
 * Waits until no other process holds the machine, and holds it.
 * @returns releases it. A machine without `flock`, or with a folder that cannot be used, is not locked
 * @throws MeasurementError after the longest wait, or if the run is cancelled while it waits
 */
export async function lockMachine(request: LockRequest): Promise<() => Promise<void>> {
  const { folder } = request;
  const entry = shared.get(folder) ?? { users: 0, lock: lockFor(request) };
  shared.set(folder, entry);
  entry.users += 1;
  const leave = (): boolean => {
    entry.users -= 1;
    if (entry.users > 0) return false;
    shared.delete(folder);
    return true;
  };
  try {
    const lock = await entry.lock;
    return async () => {
      if (!leave() || lock === undefined) return;
      await rm(lock.note, { force: true }).catch(() => undefined);
      await lock.handle.close();
    };
  } catch (error) {
    leave();
    throw error;
  }
}

async function lockFor(request: LockRequest): Promise<Lock | undefined> {
  const { folder, info } = request;
  const unlocked = (reason: string) => {
    info(`This machine is not locked, so another Pacegate run could measure at the same time: ${reason}.`);
    return undefined;
  };
  let handle: FileHandle;
  try {
    handle = await openFolder(folder);
  } catch (error) {
    unlocked(error instanceof Error ? error.message : String(error));
    return;
  }
  try {
    const failed = await waitFor(handle, request);
    if (failed !== undefined) {
      await handle.close();
      unlocked(failed);
      return;
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  const note = join(folder, `run-${process.pid}`);
  await writeNote(note);
  return { handle, note };
}

/** Any user of the machine may open the folder, and no one may replace another's file in it. */
async function openFolder(folder: string): Promise<FileHandle> {
  const made = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (made) await chmod(folder, 0o1777);
  return await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** @returns undefined once the folder is locked, or why it cannot be */
async function waitFor(
  handle: FileHandle,
  { folder, waitSeconds, signal, info }: LockRequest,
): Promise<string | undefined> {
  const first = await flock(handle, ['--nonblock'], signal);
  if (first !== 'busy') return first;
  const holder = await holderOf(folder);
  const minutes = (waitSeconds / 60).toFixed(1).replace(/\.0$/, '');
  info(`${holder} measures on this machine. Waiting up to ${minutes} min for its end.`);
  const began = performance.now();
  const second = await flock(
    handle,
    ['--timeout', String(Math.max(1, Math.ceil(waitSeconds)))],
    signal,
  ).catch(() => 'busy' as const);
  if (second !== 'busy') {
    info(`The other run ended after ${Math.ceil((performance.now() - began) / 1000)} s.`);
    return second;
  }
  throw new MeasurementError(
    signal.aborted
      ? 'This run was cancelled while it waited for another run on this machine, so nothing was measured.'
      : `${holder} still measures on this machine, and this run waited ${minutes} min for its end. Two runs at once would be each other's noise, so nothing was measured. Start fewer jobs at once on the machine, or raise rules.budget: a run waits for as long as its budget.`,
  );
}

/** @returns undefined if the folder is locked, `busy`, or why `flock` cannot lock it */
async function flock(
  handle: FileHandle,
  wait: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    // The child's file 3 is this process's open folder: the lock belongs to it, not to the child.
    const child = spawn('flock', ['--exclusive', '--conflict-exit-code', '75', ...wait, '3'], {
      stdio: ['ignore', 'ignore', 'pipe', handle.fd],
      env: process.env,
      signal,
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', (error) => resolve(signal.aborted ? 'busy' : `flock: ${error.message}`));
    child.on('close', (status) => {
      if (status === 0) resolve(undefined);
      else resolve(status === 75 || signal.aborted ? 'busy' : `flock: ${errors.trim().split('\n')[0] ?? ''}`);
    });
  });
}

/** Says who measures. A process that cannot write the file still holds the lock. */
const writeNote = async (path: string): Promise<void> => {
  await rm(path, { force: true }).catch(() => undefined);
  const note = JSON.stringify({ owner: ownerOfThisProcess(), since: new Date().toISOString() });
  await writeFile(path, note, { flag: 'wx', mode: 0o644 }).catch(() => undefined);
};

/** The other run, for a sentence. */
async function holderOf(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => /^run-\d+$/.test(one))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    // Any user may write such a file.
    const [, owner = '', pid = '', since = ''] =
      /^\{"owner":"((\d{1,10})@[\w.-]{1,100})","since":"([\d:.TZ-]{20,30})"\}$/.exec(text) ?? [];
    if (isOwnerAlive(owner)) return `Another Pacegate run, process ${pid} since ${since},`;
  }
  return 'Another Pacegate run';
}
