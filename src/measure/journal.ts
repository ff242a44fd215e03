import { open, type FileHandle } from 'node:fs/promises';
import { JOURNAL_FORMAT, JOURNAL_VERSION, type Settings } from '../session/journal.ts';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { writtenSession } from '../session/write.ts';

/** Writes each run to `runs.jsonl` as it ends. */

/** Every run is on disk the moment it ends: a later failure, or a killed job, must not lose it. */
export interface Journal {
  append(run: Run, warmup: boolean): Promise<void>;
  /** What the warm-up told so far. */
  describe(settings: Settings): Promise<void>;
  /** Why it is not whole, in one sentence; undefined where it is. The runs go on: the session will hold them. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/**
 * Opens `runs.jsonl`: a line with the session before its first run, then a line of JSON a run, written through to the
 * disk. An older file is replaced. A disk that takes no more stops no run.
 */
export async function openJournal(path: string, session: Session): Promise<Journal> {
  let trouble: string | undefined;
  const lost = (error: unknown) => {
    trouble ??= `${path} is incomplete (${error instanceof Error ? error.message : String(error)}). Is the disk full?`;
  };
  const file: FileHandle | undefined = await open(path, 'w').catch((error: unknown) => {
    lost(error);
    return undefined;
  });
  const write = async (line: unknown) => {
    // Half a line may stand there already: what comes after it could not be read.
    if (file === undefined || trouble !== undefined) return;
    try {
      await file.write(`${JSON.stringify(line)}\n`);
      await file.datasync();
    } catch (error) {
      lost(error);
    }
  };
  await write({ format: JOURNAL_FORMAT, version: JOURNAL_VERSION, session: writtenSession(session) });
  return {
    append: async (run, warmup) => await write({ warmup, ...run }),
    describe: async (settings) => await write(settings),
    trouble: () => trouble,
    close: async () => await file?.close().catch(lost),
  };
}
