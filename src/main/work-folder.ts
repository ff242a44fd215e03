import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOwnerAlive, ownerOfThisProcess } from '../measure/owner.ts';
import { keepGitStoresIn } from '../process/git-store.ts';

const PREFIX = 'pacegate-work-';

/**
 * A temporary folder named by its owner, so that a later start tells the folders of the dead from those of the
 * living and removes them.
 */
export async function openWorkFolder(): Promise<string> {
  const names = await readdir(tmpdir()).catch(() => []);
  const dead = names.filter((name) => {
    const owner = /^pacegate-work-(\d+@.+)_[^_]+$/.exec(name)?.[1];
    return owner !== undefined && !isOwnerAlive(owner);
  });
  for (const name of dead) await removeWorkFolder(join(tmpdir(), name));
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${ownerOfThisProcess()}_`));
  keepGitStoresIn(join(folder, 'git'));
  return folder;
}

/** A folder that another user left stays theirs: that is no reason to stop. */
export const removeWorkFolder = async (path: string): Promise<void> =>
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
