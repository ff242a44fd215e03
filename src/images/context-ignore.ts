import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mergedIgnore } from '../dockerfile/dockerfile.ts';
import { ignoring } from './ignored.ts';

const textOf = async (path: string) => await readFile(path, 'utf8').catch(() => undefined);

/** Which files of a named context's folder are kept out of a build: its own `.dockerignore` says. */
export const ignoredInFolder = async (folder: string): Promise<(path: string) => boolean> =>
  ignoring((await textOf(join(folder, '.dockerignore'))) ?? '');

/**
 * Which files of a context are kept out of its image.
 * @param dockerfile the project's own, relative to the context; undefined for the default one, whose ignore file's lines
 *   come before the project's
 * @param variantsFolder where the default Dockerfile is, absolute
 */
export async function ignoredByImage(
  context: string,
  dockerfile: string | undefined,
  variantsFolder: string,
): Promise<(path: string) => boolean> {
  const projects = await textOf(join(context, '.dockerignore'));
  // Docker uses the ignore file next to the Dockerfile, or else the one at the top of the context.
  if (dockerfile !== undefined)
    return ignoring((await textOf(join(context, `${dockerfile}.dockerignore`))) ?? projects ?? '');
  const ours = await textOf(join(variantsFolder, 'application/Dockerfile.dockerignore'));
  return ignoring(mergedIgnore(ours ?? '', projects));
}
