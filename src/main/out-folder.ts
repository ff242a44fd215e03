import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';

/** Where a run leaves its files. */
export interface OutFolder {
  readonly path: string;
  /** Writes a file whole or not at all: a reader never meets half of one. @returns its absolute path. */
  write(name: string, text: string): Promise<string>;
}

/** @throws ConfigurationError when the folder cannot be made or written. */
export async function openOutFolder(folder: string): Promise<OutFolder> {
  const path = resolve(folder);
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new ConfigurationError(
      `The out folder ${path} cannot be made (${(error as Error).message}). Name another with --out.`,
      { cause: error },
    );
  }
  return {
    path,
    write: async (name, text) => {
      const target = join(path, name);
      const draft = `${target}.${randomBytes(4).toString('hex')}.part`;
      try {
        await writeFile(draft, text);
        await rename(draft, target);
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
