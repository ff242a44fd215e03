import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';

/** Where a run leaves its files. */
export interface OutFolder {
  readonly path: string;
  /**
   * Writes a file whole or not at all: a reader never meets half of one.
   * @param name may begin with folders, which are made: `profiles/x`
   * @returns its absolute path
   */
  write(name: string, text: string): Promise<string>;
  /** The absolute paths of those of the names that are there. */
  existing(names: readonly string[]): Promise<readonly string[]>;
  /** The absolute paths of what was written into a folder inside, since this one was opened: what is older is not of this run. */
  writtenInto(folder: string): readonly string[];
}

/** @throws ConfigurationError when the folder cannot be made or written. */
export async function openOutFolder(folder: string): Promise<OutFolder> {
  const path = resolve(folder);
  try {
    // Only a folder of our own making: `--out .` must not hide a project from git.
    if ((await mkdir(path, { recursive: true })) !== undefined) await ignoreItself(path);
  } catch (error) {
    throw new ConfigurationError(
      `The out folder ${path} cannot be made (${(error as Error).message}). Name another with --out.`,
      { cause: error },
    );
  }
  const written = new Set<string>();
  return {
    path,
    writtenInto: (inside) => [...written].filter((target) => dirname(target) === join(path, inside)),
    existing: async (names) => {
      const there = new Set(await readdir(path));
      return names.filter((name) => there.has(name)).map((name) => join(path, name));
    },
    write: async (name, text) => {
      const target = join(path, name);
      const draft = `${target}.${randomBytes(4).toString('hex')}.part`;
      try {
        if (dirname(target) !== path) await mkdir(dirname(target), { recursive: true });
        await writeFile(draft, text);
        await rename(draft, target);
        written.add(target);
      } catch (error) {
        await rm(draft, { force: true });
        throw new ConfigurationError(
          `${target} cannot be written (${(error as Error).message}). Is the disk full, or the folder read-only?`,
          { cause: error },
        );
      }
      return target;
    },
  };
}

/** Results inside a work tree are no change of it: the next gate must not take them for one. */
const ignoreItself = async (path: string) => await writeFile(join(path, '.gitignore'), '*\n');
