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

/** Below a run's folder: the profiles of what regressed, for the tools that draw them. */
export const PROFILES_FOLDER = 'profiles';

/** Folders of a run: the profiles, and a night's comparison with the anchor. */
const RESULT_FOLDERS = [PROFILES_FOLDER, 'anchor'];

/** Below the out folder: the files of the run before this one. */
export const PREVIOUS_FOLDER = 'previous';

/** Where a run leaves its files. */
export interface OutFolder {
  readonly path: string;
  /**
   * Writes a file whole or not at all: a reader never meets half of one.
   * @param name may begin with folders, which are made: `profiles/x`
   * @returns its absolute path
   * @throws MeasurementError where it cannot be written
   */
  write(name: string, text: string): Promise<string>;
  /** The text of a file; empty where there is none. */
  read(name: string): Promise<string>;
  /** The absolute paths of those of the names that are there. */
  existing(names: readonly string[]): Promise<readonly string[]>;
  /** The absolute paths of what was written into a folder inside, since this one was opened: what is older is not of this run. */
  writtenInto(folder: string): readonly string[];
  /** Notes that something of the run is not in the folder, and why: no run that lost a file ends with 0. */
  lose(trouble: string): void;
  /** What was lost, each sentence once. */
  lost(): readonly string[];
  /** Lets another run have the folder. */
  close(): Promise<void>;
}

const LOCK_FILE = '.pacegate-lock';
/** A run says this often that it still has the folder. */
const LOCK_SECONDS = 10;
/** In another container its process cannot be looked for: a lock that was not renewed for so long is nobody's. */
const STALE_SECONDS = 60;
/** A disk that does not answer within this is taken for none. */
const TRIAL_SECONDS = 10;

/**
 * Opens the folder of a run: makes it, tries it, takes it for this process alone, and puts what the run before left
 * there into the folder `previous`.
 * @throws ConfigurationError when the folder cannot be made or written, or when another run has it
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
        // Somebody may have removed the folder in the meantime.
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

/** Makes the folder where there is none, and does in it what a run will do. */
async function tryFolder(path: string): Promise<void> {
  // Only a folder of our own making: `--out .` must not hide a project from git.
  if (await makeFolder(path)) await ignoreItself(path);
  const trial = join(path, `.pacegate-trial-${randomBytes(4).toString('hex')}`);
  await writeFile(trial, '');
  await rename(trial, `${trial}.part`);
  await rm(`${trial}.part`);
}

/**
 * Makes a folder and those above it. Not Node's own `recursive`: that asks the kernel for ever where a file system says
 * of a folder that is there that it is not, as /proc does.
 * @returns whether it was made, and not there already
 */
async function makeFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return false;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // Another run may make it at the same time.
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
 * Takes the folder for this process: two runs would mix their lines.
 * @returns gives it back
 * @throws ConfigurationError when a run that is alive has it
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

/** The owner of a lock, where it is alive. */
async function holderOf(lock: string): Promise<string | undefined> {
  const [owner, status] = await Promise.all([
    readFile(lock, 'utf8').catch(() => ''),
    stat(lock).catch(() => undefined),
  ]);
  if (status === undefined) return undefined;
  // Its maker has not written its name into it yet.
  if (owner === '' && Date.now() - status.mtimeMs < STALE_SECONDS * 1000) return 'unknown';
  if (!isOwnerAlive(owner)) return undefined;
  const isStale = Date.now() - status.mtimeMs > STALE_SECONDS * 1000;
  return !sharesProcessesWith(owner) && isStale ? undefined : owner;
}

/** What an earlier run left must not be taken for this one's; and it is not lost, for this one may fail. */
async function putAside(path: string): Promise<void> {
  const there = new Set(await readdir(path));
  // A folder in which no run ended or began holds files of somebody else by these names.
  if (!there.has('session.json') && !there.has('runs.jsonl')) return;
  const previous = join(path, PREVIOUS_FOLDER);
  await makeFolder(previous);
  for (const name of [...RESULT_FILES, ...RESULT_FOLDERS]) {
    await rm(join(previous, name), { recursive: true, force: true });
    if (there.has(name)) await rename(join(path, name), join(previous, name));
  }
}

/** Results inside a work tree are no change of it: the next gate must not take them for one. */
const ignoreItself = async (path: string) => await writeFile(join(path, '.gitignore'), '*\n');
