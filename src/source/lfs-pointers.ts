import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow, spelled, type FileBelow } from './files-below.ts';

/**
 * A pointer is smaller than this and begins with the line below:
 * https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
const POINTER_BYTES = 1024;
const FIRST_LINE = 'version https://git-lfs.github.com/spec/v1\n';
/** Number of files to read at the same time. */
const AT_ONCE = 64;

/**
 * Finds Git LFS pointers below a folder, or among the files that a path names. Each pointer replaces a file that was
 * not fetched.
 * @returns their names relative to the folder
 */
export async function lfsPointers(folder: string, path = '.'): Promise<readonly string[]> {
  const files = await below(folder, path);
  const found: string[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE)
    found.push(
      ...(await Promise.all(files.slice(at, at + AT_ONCE).map(pointerName))).filter((name) => name !== ''),
    );
  return found;
}

/** The files of a path: one file, or all files below a folder. A missing path gives none; other code reports it. */
async function below(folder: string, path: string): Promise<readonly { path: Buffer; name: Buffer }[]> {
  const target = join(folder, path);
  const status = await lstat(target).catch(() => undefined);
  if (status === undefined || status.isSymbolicLink()) return [];
  if (!status.isDirectory()) return [{ path: Buffer.from(target), name: Buffer.from(path) }];
  const files = await filesBelow(target);
  const inside = path === '.' ? '' : `${path.replace(/\/+$/, '')}/`;
  return files
    .filter(({ entry }) => entry.isFile())
    .map((file: FileBelow) => ({
      path: file.path,
      name: Buffer.concat([Buffer.from(inside), file.name]),
    }));
}

async function pointerName({ path, name }: { path: Buffer; name: Buffer }): Promise<string> {
  const { size } = await lstat(path);
  if (size < FIRST_LINE.length || size >= POINTER_BYTES) return '';
  const file = await open(path);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(FIRST_LINE.length), position: 0 });
    return buffer.toString('latin1') === FIRST_LINE ? spelled(name) : '';
  } finally {
    await file.close();
  }
}
