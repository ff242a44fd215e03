import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';

/** A file, or a link, below a folder: in bytes, for a name of git's need not be UTF-8. */
export interface FileBelow {
  /** The folder that was asked for, `/`, and the name. */
  readonly path: Buffer;
  /** Relative to that folder. */
  readonly name: Buffer;
  readonly entry: Dirent<Buffer>;
}

/** What lies below a folder, folders themselves left out and links not followed. */
export async function filesBelow(folder: string): Promise<FileBelow[]> {
  const files: FileBelow[] = [];
  const folders = [Buffer.alloc(0)];
  for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
    const here = joined(Buffer.from(folder), inside);
    for (const entry of await readdir(here, { withFileTypes: true, encoding: 'buffer' })) {
      const name = joined(inside, entry.name);
      if (entry.isDirectory()) folders.push(name);
      else files.push({ path: joined(here, entry.name), name, entry });
    }
  }
  return files.sort((a, b) => Buffer.compare(a.name, b.name));
}

const SLASH = Buffer.from('/');
const joined = (folder: Buffer, name: Buffer) =>
  Buffer.concat(folder.length === 0 || name.length === 0 ? [folder, name] : [folder, SLASH, name]);

/** A name for a message: what is not UTF-8 as bytes, `caf\xe9.txt`. */
export function spelled(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  return [...name]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}
