import { open } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Finds the py-spy program that a container can be given. */

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/**
 * The program py-spy itself, which a container can be given: version managers put a script of its name into the PATH.
 * @param path as the environment's PATH
 * @returns undefined where there is none
 */
export async function findPySpy(path = process.env['PATH'] ?? ''): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const program = join(folder, 'py-spy');
    if (await isProgram(program)) return program;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer } = await file.read(Buffer.alloc(ELF.length), 0, ELF.length, 0);
    return buffer.equals(ELF);
  } catch {
    return false;
  } finally {
    await file.close();
  }
}
