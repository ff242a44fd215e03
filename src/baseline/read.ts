import { StoreError } from '../errors/errors.ts';
import { git } from '../process/git.ts';
import {
  folderOf,
  isNewer,
  noisePath,
  parseSummaries,
  rankingPath,
  SESSION_FOLDERS,
  summariesPath,
  type Summary,
} from './format.ts';
import type { SessionBlobs } from './session-blobs.ts';
import type { StoredSessions } from './stored.ts';

/** Reads the stored files of a configuration at a commit of the branch. */

export async function readStored(
  directory: string,
  commit: string,
  configuration: string,
  blobs: SessionBlobs,
): Promise<StoredSessions & { readonly problems: readonly string[] }> {
  const folder = folderOf(configuration);
  const listed = await git(directory, [
    ...['ls-tree', '-r', '-z', commit],
    ...SESSION_FOLDERS.map((kind) => `${folder}/${kind}/`),
  ]);
  const stored = await blobs.read(
    listed.split('\0').flatMap((entry) => {
      const [, blob, path] = /^\d+ blob ([0-9a-f]+)\t(.*\.json)$/.exec(entry) ?? [];
      return blob === undefined || path === undefined ? [] : [{ blob, path }];
    }),
  );
  const found = await readSummaries(directory, commit, configuration);
  return typeof found === 'string'
    ? { ...stored, summaries: [], problems: [...stored.problems, found] }
    : { ...stored, summaries: found };
}

/**
 * The summaries of older nights; empty if the file does not exist yet. For a file that cannot be read it returns a
 * sentence with the error. Such a file must not be overwritten, because it may hold the only copy of years of nights.
 */
export async function readSummaries(
  directory: string,
  commit: string,
  configuration: string,
): Promise<readonly Summary[] | string> {
  const path = summariesPath(configuration);
  const text = await readText(directory, commit, path);
  if (text === undefined) return [];
  const read = parseSummaries(text);
  if (typeof read !== 'string') return read;
  const found = isNewer(text)
    ? 'was written by a newer Pacegate, which this one cannot read: update Pacegate'
    : `is damaged (${read}): put back an older version of it, which the branch's history has (git log -- ${path})`;
  return `${path} of the commit ${commit.slice(0, 10)} on the baseline branch ${found}`;
}

/** @throws StoreError if a write would destroy a file that cannot be computed again, or a file of a newer version */
export async function refuseNewer(directory: string, commit: string, configuration: string): Promise<void> {
  const summaries = await readSummaries(directory, commit, configuration);
  if (typeof summaries === 'string') throw new StoreError(`${summaries}. Nothing was written on top of it`);
  // These files are computed from the sessions, so the next night repairs them.
  for (const path of [noisePath(configuration), rankingPath(configuration), 'index.json']) {
    const text = await readText(directory, commit, path);
    if (text !== undefined && isNewer(text))
      throw new StoreError(
        `${path} of the commit ${commit.slice(0, 10)} on the baseline branch was written by a newer Pacegate, which this one cannot read: update Pacegate. Nothing was written on top of it`,
      );
  }
}

/**
 * The text of a file at a commit; undefined if the commit does not have it.
 * @throws StoreError if the file exists and cannot be read
 */
async function readText(directory: string, commit: string, path: string): Promise<string | undefined> {
  const listed = await git(directory, ['ls-tree', '-z', commit, '--', path]);
  const blob = /^\d+ blob ([0-9a-f]+)\t/.exec(listed)?.[1];
  return blob === undefined ? undefined : await git(directory, ['cat-file', 'blob', blob]);
}
