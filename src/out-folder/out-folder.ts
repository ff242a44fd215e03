import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import { isOwnerAlive, ownerOfThisProcess, sharesProcessesWith } from '../process/owner.ts';
import { atExit } from '../process/at-exit.ts';
import { TIMELINE_FILE } from '../session/timeline.ts';

/** The files of a run. */
export const RESULT_FILES: readonly string[] = [
  'session.json',
  'timings.csv',
  'report.md',
  'comparison.json',
  'runs.jsonl',
  TIMELINE_FILE,
  'openmetrics.txt',
];

/** In a run's folder: the profiles of regressions, for tools that draw them. */
export const PROFILES_FOLDER = 'profiles';

/** Folders of a run: the profiles, and a night's comparison with the anchor. */
const RESULT_FOLDERS = [PROFILES_FOLDER, 'anchor'];

/** In the out folder: the files of the previous run. */
export const PREVIOUS_FOLDER = 'previous';

/** The folder of a run's files. */
export interface OutFolder {
  readonly path: string;
  /**
   * Writes a file completely or not at all, so that no reader sees half a file.
   * @param name may contain folders, which are created: `profiles/x`
   * @returns its absolute path
   * @throws MeasurementError if it cannot be written
   */
  write(name: string, text: string): Promise<string>;
  /** The text of a file; empty if it does not exist. */
  read(name: string): Promise<string>;
  /** The absolute paths of those names that exist. */
  existing(names: readonly string[]): Promise<readonly string[]>;
  /**
   * The absolute paths of files written into a subfolder since this folder was opened. Older files belong to other
   * runs.
   */
  writtenInto(folder: string): readonly string[];
  /** Records that a file of the run is missing, and why. A run that lost a file does not end with status 0. */
  lose(trouble: string): void;
  /** The recorded losses, without repetitions. */
  lost(): readonly string[];
  /** Releases the folder for another run. */
  close(): Promise<void>;
}

const LOCK_FILE = '.pacegate-lock';
/** Seconds between two renewals of the lock. */
const LOCK_SECONDS = 10;
/**
 * A lock without a renewal for this time is stale. The owner's process cannot be checked if it is in another container.
 */
const STALE_SECONDS = 60;
/** A disk that does not answer within this time counts as unusable. */
const TRIAL_SECONDS = 10;

/**
 * Opens the folder of a run: creates it, tests it, locks it for this process, and moves the files of the previous run
 * into the folder `previous`.
 * @throws ConfigurationError if the folder cannot be created or written, or if another run uses it
 */
export async function openOutFolder(folder: string): Promise<OutFolder> {
  const path = resolve(folder);
  try {
    await answered(tryFolder(path));
  } catch (error) {
    throw new ConfigurationError(
      `The out folder ${path} cannot be made and written (${(error as Error).message}). Name another with --out.`,
      { cause: error },
    );
  }
  const release = await take(path);
  try {
    await putAside(path);
  } catch (error) {
    await release();
    throw new ConfigurationError(
      `The files of an earlier run in ${path} cannot be moved into its folder ${PREVIOUS_FOLDER} (${(error as Error).message}). Remove them, or name another folder with --out.`,
      { cause: error },
    );
  }
  const written = new Set<string>();
  const lost = new Set<string>();
  return {
    path,
    close: release,
    lose: (trouble) => void lost.add(trouble),
    lost: () => [...lost],
    writtenInto: (inside) => [...written].filter((target) => dirname(target) === join(path, inside)),
    read: async (name) => await readFile(join(path, name), 'utf8').catch(() => ''),
    existing: async (names) => {
      const there = new Set(await readdir(path).catch(() => []));
      return names.filter((name) => there.has(name)).map((name) => join(path, name));
    },
    write: async (name, text) => {
      const target = join(path, name);
      const draft = `${target}.${randomBytes(4).toString('hex')}.part`;
      try {
        // Another program may have removed the folder meanwhile.
        await makeFolder(dirname(target));
        await writeFile(draft, text, { flush: true });
        await rename(draft, target);
        written.add(target);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => undefined);
        throw new MeasurementError(
          `${target} cannot be written (${(error as Error).message}). Is the disk full, or the folder read-only?`,
          { cause: error },
        );
      }
      return target;
    },
  };
}

/** Creates the folder if it does not exist, and tests the operations that a run needs. */
async function tryFolder(path: string): Promise<void> {
  // Only for a folder that Pacegate created, because `--out .` must not hide a project from git.
  if (await makeFolder(path)) await ignoreItself(path);
  const trial = join(path, `.pacegate-trial-${randomBytes(4).toString('hex')}`);
  await writeFile(trial, '');
  await rename(trial, `${trial}.part`);
  await rm(`${trial}.part`);
}

/**
 * Creates a folder and its parents. Node's own `recursive` option loops forever on file systems such as /proc, which
 * report an existing folder as missing.
 * @returns true if it was created, false if it existed
 */
async function makeFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return false;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // Another run may create it at the same time.
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
  });
  return true;
}

async function answered<Answer>(work: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the disk did not answer within ${TRIAL_SECONDS} s`)),
      TRIAL_SECONDS * 1000,
    );
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Locks the folder for this process, because two runs would mix their lines.
 * @returns a function that releases the lock
 * @throws ConfigurationError if a running process holds the lock
 */
async function take(path: string): Promise<() => Promise<void>> {
  const lock = join(path, LOCK_FILE);
  const owner = ownerOfThisProcess();
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(lock, owner, { flag: 'wx' });
      break;
    } catch (error) {
      const holder = await holderOf(lock);
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3)
        throw new ConfigurationError(
          `The out folder ${path} cannot be locked (${(error as Error).message}). Name another with --out.`,
          { cause: error },
        );
      if (holder === owner) break;
      if (holder !== undefined)
        throw new ConfigurationError(
          `Another run of Pacegate (process ${holder.split('@')[0] ?? ''}) writes into ${path}. Wait for its end, or name another folder with --out.`,
        );
      await rm(lock, { force: true });
    }
  }
  const renewing = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined);
  }, LOCK_SECONDS * 1000);
  renewing.unref();
  const done = atExit(() => rmSync(lock, { force: true }));
  return async () => {
    clearInterval(renewing);
    await rm(lock, { force: true }).catch(() => undefined);
    done();
  };
}

/** The owner of a lock, if its process is running. */
async function holderOf(lock: string): Promise<string | undefined> {
  const [owner, status] = await Promise.all([
    readFile(lock, 'utf8').catch(() => ''),
    stat(lock).catch(() => undefined),
  ]);
  if (status === undefined) return undefined;
  // Another process created the lock and has not written its name into it yet.
  if (owner === '' && Date.now() - status.mtimeMs < STALE_SECONDS * 1000) return 'unknown';
  if (!isOwnerAlive(owner)) return undefined;
  const isStale = Date.now() - status.mtimeMs > STALE_SECONDS * 1000;
  return !sharesProcessesWith(owner) && isStale ? undefined : owner;
}

/**
 * Moves the files of an earlier run, so that they are not read as this run's. They are kept, because this run may fail.
 */
async function putAside(path: string): Promise<void> {
  const there = new Set(await readdir(path));
  // A folder without these two files has no run's files, so files with the same names belong to someone else.
  if (!there.has('session.json') && !there.has('runs.jsonl')) return;
  const previous = join(path, PREVIOUS_FOLDER);
  await makeFolder(previous);
  for (const name of [...RESULT_FILES, ...RESULT_FOLDERS]) {
    await rm(join(previous, name), { recursive: true, force: true });
    if (there.has(name)) await rename(join(path, name), join(previous, name));
  }
}

/** Results inside a work tree must not count as a change in the next gate. */
const ignoreItself = async (path: string) => await writeFile(join(path, '.gitignore'), '*\n');
