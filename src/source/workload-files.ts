import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { cp, lstat, mkdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { filesBelow, spelled } from './files-below.ts';

/**
 * The maximum number of files in `workload.files`. Measuring code is a script and its data, so more files are a
 * mistake.
 */
const MAX_FILES = 20_000;

/**
 * The SHA-256 of each file that the paths name, including all files of named folders.
 * @param folder the context, absolute
 * @returns path relative to the context -> hash; for a link, the hash of its target's path
 * @throws ConfigurationError if a path is missing or leads out of the context
 */
export async function hashFiles(folder: string, paths: readonly string[]): Promise<Record<string, string>> {
  const hashes = new Map<string, string>();
  for (const path of paths) {
    await refuseEscape(folder, path);
    for (const file of await filesOf(join(folder, path))) {
      if (!isUtf8(file))
        throw new ConfigurationError(
          `workload.files names ${path}, and the name of a file in it is not UTF-8 (${spelled(file.subarray(Buffer.byteLength(folder) + 1))}), so it cannot be mounted and recorded. Rename the file.`,
        );
      const name = relative(folder, file.toString()).split(sep).join('/');
      if (hashes.size >= MAX_FILES)
        throw new ConfigurationError(
          `workload.files names more than ${MAX_FILES} files (${path}); it is meant for the measuring code and its data.`,
        );
      const status = await lstat(file);
      const content = status.isSymbolicLink() ? `link to ${await readlink(file)}` : await readFile(file);
      hashes.set(name, createHash('sha256').update(content).digest('hex'));
    }
  }
  return Object.fromEntries([...hashes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One hash of all files of a folder, to identify what a host interpreter runs. */
export async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, name } of await filesBelow(folder)) {
    const status = await lstat(path);
    const content = status.isSymbolicLink() ? await readlink(path, 'buffer') : await readFile(path);
    hash
      .update(name)
      .update(`\0${status.mode & 0o111}\0${content.length}\0`)
      .update(content);
  }
  return hash.digest('hex');
}

/** Replaces the measuring code of one context with that of another. */
export async function overlayFiles(from: string, to: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await refuseEscape(from, path);
    const target = join(to, path);
    if ((await existing(target)) !== undefined) await refuseEscape(to, path);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    await refuseEscape(to, relative(to, dirname(target)));
    // Times do not matter, because a build's cache compares contents.
    await cp(join(from, path), target, { recursive: true, verbatimSymlinks: true });
  }
}

/**
 * Rejects a context that leads out of a side's files, because its files go into images and Pacegate writes to it.
 * @param tree the side's files, absolute
 * @throws ConfigurationError if the context is a link that leads out; the build reports a missing context
 */
export async function checkContext(tree: string, context: string): Promise<void> {
  const top = await realpath(tree);
  const real = await realpath(join(tree, context)).catch(() => top);
  if (real !== top && !real.startsWith(top + sep))
    throw new ConfigurationError(
      `workload.context is ${context}, which is a link to a place outside the repository ( ${real}). The images can contain only files of the repository.`,
    );
}

/** The file itself, or the files below a folder. */
async function filesOf(path: string): Promise<readonly Buffer[]> {
  const status = await lstat(path);
  return status.isDirectory() ? (await filesBelow(path)).map((file) => file.path) : [Buffer.from(path)];
}

const existing = async (path: string) => await lstat(path).catch(() => undefined);

async function refuseEscape(folder: string, path: string): Promise<void> {
  const top = await realpath(folder);
  const real = await realpath(join(folder, path)).catch((error: unknown) => {
    throw new ConfigurationError(
      `workload.files names ${path}, which is not in the context ${folder}. Is it committed, and the path relative to workload.context?`,
      { cause: error },
    );
  });
  if (real !== top && !real.startsWith(top + sep))
    throw new ConfigurationError(
      `workload.files names ${path}, which is a link to a place outside the context (${real}). Measuring code must be in the context.`,
    );
}
