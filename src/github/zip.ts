import { GitHubError } from '../errors/errors.ts';

/** Reads one file of a stranger's archive, in memory. */

export interface ArchiveBounds {
  /** Maximum bytes of the unpacked file. */
  readonly unpacked: number;
  /** Maximum number of files in the archive. */
  readonly entries: number;
}

/**
 * The text of the file with exactly this name at the archive's top. Other files are skipped without being unpacked.
 * @param words the archive's name in messages
 * @throws GitHubError if there is no such file, or two of them, if the archive is damaged, or if it exceeds a limit
 */
export async function textIn(
  archive: Buffer,
  name: string,
  { unpacked, entries }: ArchiveBounds,
  words: string,
): Promise<string> {
  const { fromBufferPromise } = await import('yauzl');
  const refused = (found: string, cause?: unknown) =>
    new GitHubError(
      `The ${words} cannot be read: ${found}. Nothing was judged.`,
      cause === undefined ? undefined : { cause },
    );
  try {
    // The library checks sizes while it unpacks, and fails for a file that is larger than its entry states.
    const zip = await fromBufferPromise(archive, { lazyEntries: true, validateEntrySizes: true });
    if (zip.entryCount > entries) throw refused(`it has ${zip.entryCount} files; must be at most ${entries}`);
    let text: string | undefined;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== name) continue;
      if (text !== undefined) throw refused(`it has two files ${name}`);
      if (entry.uncompressedSize > unpacked)
        throw refused(`its ${name} has ${entry.uncompressedSize} bytes; must be at most ${unpacked}`);
      const parts: Uint8Array[] = [];
      for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Uint8Array);
      text = Buffer.concat(parts).toString('utf8');
    }
    if (text === undefined) throw refused(`it has no ${name}; the gate ended without a verdict`);
    return text;
  } catch (error) {
    if (error instanceof GitHubError) throw error;
    throw refused(
      `it is not an archive that GitHub made (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}
