import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workload } from '../plan/plan.ts';
import { BASE_NAME, type ApplicationFiles } from './bake.ts';
import { mergedIgnore, replacedBases } from '../dockerfile/dockerfile.ts';

/** Finds the application's Dockerfile, or writes the default one. */

export interface ApplicationSource {
  /** Absolute folder with one side's files. */
  readonly tree: string;
  readonly workload: Workload;
  readonly variantsFolder: string;
  /** Absolute folder of this side, into which the default Dockerfile is written. */
  readonly folder: string;
}

export type Application =
  ({ readonly kind: 'found' } & ApplicationFiles) | { readonly kind: 'unusable'; readonly reason: string };

/**
 * The application's Dockerfile and its context: the project's own at that side's commit, or the default one with an
 * ignore file that joins Pacegate's and the project's.
 */
export async function findApplication(source: ApplicationSource): Promise<Application> {
  const { tree, workload, variantsFolder, folder } = source;
  const context = join(tree, workload.context);
  if (!(await isFolder(context)))
    return unusable(`the folder ${workload.context} (workload.context) is not in this side's files`);
  if (workload.dockerfile !== undefined) {
    const dockerfile = join(context, workload.dockerfile);
    const text = await textOf(dockerfile);
    if (text === undefined)
      return unusable(
        `${join(workload.context, workload.dockerfile)} (workload.dockerfile) is not in this side's files`,
      );
    const replaced = replacedBases(text, workload.interpreterFrom ?? []);
    return replaced.kind === 'found'
      ? { kind: 'found', context, dockerfile, replaces: replaced.names, args: {}, contexts: {} }
      : unusable(`${join(workload.context, workload.dockerfile)} ${replaced.reason}`);
  }
  const defaults = join(variantsFolder, 'application', 'Dockerfile');
  const dockerfile = join(folder, 'Dockerfile');
  await mkdir(folder, { recursive: true });
  await writeFile(dockerfile, await readFile(defaults));
  const ignore = mergedIgnore(
    await readFile(`${defaults}.dockerignore`, 'utf8'),
    await textOf(join(context, '.dockerignore')),
  );
  await writeFile(`${dockerfile}.dockerignore`, ignore);
  return {
    kind: 'found',
    context,
    dockerfile,
    replaces: [BASE_NAME],
    args: workload.install === undefined ? {} : { INSTALL: JSON.stringify(workload.install) },
    contexts: { [INSTALLER]: join(variantsFolder, 'application') },
  };
}

/** The name by which the default Dockerfile mounts its own folder. */
const INSTALLER = 'pacegate-installer';

const unusable = (reason: string): Application => ({ kind: 'unusable', reason });

const MAX_TEXT = 1024 * 1024;

/** A small text file's content; undefined when there is none. The file comes from a pull request. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size <= MAX_TEXT ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
