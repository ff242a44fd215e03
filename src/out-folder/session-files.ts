import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type NamedSession, partsOf, type SessionFile } from '../session/merged.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { parseSessionOrRuns } from '../session/journal.ts';
import { MAX_SESSION_BYTES } from '../session/read.ts';
import { PREVIOUS_FOLDER } from './out-folder.ts';

/**
 * Reads a `session.json`, or a `runs.jsonl` without its session. In a folder the first is preferred.
 * @throws ConfigurationError if it cannot be read
 */
export async function readSessionFile(path: string): Promise<SessionFile> {
  const file = await fileAt(path);
  return parseSessionOrRuns(await readText(file), file);
}

/** The file with the session in a run's folder. A path to a file is returned as it is. */
export async function fileAt(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? ((await sessionFilesAt(path, false))[0] ?? path) : path;
}

/**
 * Reads the sessions of the given files, and of every `session.json` below the given folders.
 * @throws ConfigurationError if a file cannot be read or there is none
 */
export async function readSessions(paths: readonly string[]): Promise<readonly NamedSession[]> {
  const files = (await Promise.all(paths.map((path) => sessionFilesAt(path)))).flat();
  const read = await Promise.all(
    files.map(async (file) =>
      partsOf(parseSessionOrRuns(await readText(file), file)).map((session) => ({ session, file })),
    ),
  );
  return read.flat();
}

/** @param recursive search the subfolders too, except those of earlier runs */
async function sessionFilesAt(path: string, recursive = true): Promise<readonly string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive, withFileTypes: true });
  const named = (name: string) =>
    entries
      .filter((entry) => entry.isFile() && entry.name === name)
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !relative(path, file).split('/').includes(PREVIOUS_FOLDER));
  const sessions = named('session.json');
  // A killed run leaves only its runs.
  const killed = named('runs.jsonl').filter(
    (file) => !sessions.includes(join(dirname(file), 'session.json')),
  );
  const files = [...sessions, ...killed].sort();
  if (files.length === 0)
    throw new ConfigurationError(
      `${path} holds no session.json and no runs.jsonl. Name the folder that the artifacts of the measuring jobs were put in.`,
    );
  return files;
}

/** @throws ConfigurationError if the file cannot be read */
export async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_SESSION_BYTES)
      throw new RangeError(`it has ${size} bytes, and at most ${MAX_SESSION_BYTES} are read`);
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: string, error: unknown) =>
  new ConfigurationError(
    `${file} cannot be read (${error instanceof Error ? error.message : String(error)}). Name a session.json or a timings.csv.`,
    { cause: error },
  );
