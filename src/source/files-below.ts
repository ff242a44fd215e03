import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';

/** A file or link below a folder. Paths are bytes, because git allows names that are not UTF-8. */
export interface FileBelow {
  /** The given folder, `/`, and the name. */
  readonly path: Buffer;
  /** Relative to that folder. */
  readonly name: Buffer;
  readonly entry: Dirent<Buffer>;
}

/** The files below a folder, without the folders themselves. Links are not followed. */
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

/** A name for a message. Bytes that are not UTF-8 are escaped: `caf\xe9.txt`. */
export function spelled(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  return [...name]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}
