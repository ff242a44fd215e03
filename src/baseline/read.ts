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

/** Reads what a commit of the branch has of a configuration. */

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
 * What older nights were squashed into; none where the file is not there yet. A file that cannot be read is a sentence
 * that says so, and must not be written over: it may be all that is left of years.
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

/** @throws StoreError where a file would be written over that holds what nothing else does, or that is of a newer version */
export async function refuseNewer(directory: string, commit: string, configuration: string): Promise<void> {
  const summaries = await readSummaries(directory, commit, configuration);
  if (typeof summaries === 'string') throw new StoreError(`${summaries}. Nothing was written on top of it`);
  // These can be made again from the sessions, so damage in them is mended by the next night.
  for (const path of [noisePath(configuration), rankingPath(configuration), 'index.json']) {
    const text = await readText(directory, commit, path);
    if (text !== undefined && isNewer(text))
      throw new StoreError(
        `${path} of the commit ${commit.slice(0, 10)} on the baseline branch was written by a newer Pacegate, which this one cannot read: update Pacegate. Nothing was written on top of it`,
      );
  }
}

/** A file of a commit, undefined where it has none. @throws StoreError where it has one that cannot be read */
async function readText(directory: string, commit: string, path: string): Promise<string | undefined> {
  const listed = await git(directory, ['ls-tree', '-z', commit, '--', path]);
  const blob = /^\d+ blob ([0-9a-f]+)\t/.exec(listed)?.[1];
  return blob === undefined ? undefined : await git(directory, ['cat-file', 'blob', blob]);
}
