import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTimelines, TIMELINE_FILE, type Timeline } from '../session/timeline.ts';

/** The folders of files, without repetitions. Timelines are next to the session's file. */
export const foldersOf = (files: readonly string[]): readonly string[] => [...new Set(files.map(dirname))];

/**
 * The timelines in folders. A folder may have none.
 * @throws ConfigurationError for a file that is not one of Pacegate's
 */
export async function timelinesIn(folders: readonly string[]): Promise<readonly Timeline[]> {
  const read = await Promise.all(
    folders.map(async (folder) => {
      const path = join(folder, TIMELINE_FILE);
      const text = await readFile(path, 'utf8').catch(() => '');
      return readTimelines(text, path);
    }),
  );
  return read.flat();
}

export const timelinesText = (timelines: readonly Timeline[]): string =>
  timelines.map((timeline) => `${JSON.stringify(timeline)}\n`).join('');
