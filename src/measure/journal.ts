import { open, type FileHandle } from 'node:fs/promises';
import { runSchema, type Run } from '../session/run.ts';

/** Every run is on disk the moment it ends: a later failure, or a killed job, must not lose it. */
export interface Journal {
  append(run: Run, warmup: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Opens `runs.jsonl`: one line of JSON a run, written through to the disk. An older file is replaced. */
export async function openJournal(path: string): Promise<Journal> {
  const file: FileHandle = await open(path, 'w');
  return {
    append: async (run, warmup) => {
      await file.write(`${JSON.stringify({ warmup, ...run })}\n`);
      await file.datasync();
    },
    close: async () => await file.close(),
  };
}

/** Reads a journal back. A last line that was cut by a crash is left out; any other bad line is an error. */
export function readJournal(text: string): { readonly warmup: Run[]; readonly runs: Run[] } {
  // What stands behind the last line break is empty, or a line that was never finished.
  const complete = text.split('\n').slice(0, -1);
  const warmup: Run[] = [];
  const runs: Run[] = [];
  for (const line of complete) {
    const value = JSON.parse(line) as { warmup?: unknown };
    (value.warmup === true ? warmup : runs).push(runSchema.parse(value));
  }
  return { warmup, runs };
}
