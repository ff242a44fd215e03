import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { runSchema, type Run } from '../session/run.ts';

const lineSchema = runSchema.extend({ warmup: z.boolean() });

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

/**
 * Reads a journal back. A last line that was cut by a crash is left out.
 * @param file the journal's name, for the message
 * @throws ConfigurationError naming the file and the line for any other line that is not a run
 */
export function readJournal(
  text: string,
  file: string,
): { readonly warmup: readonly Run[]; readonly runs: readonly Run[] } {
  // What stands behind the last line break is empty, or a line that was never finished.
  const complete = text.split('\n').slice(0, -1);
  const lines = complete.map((line, index) => readLine(line, `${file}:${index + 1}`));
  return {
    warmup: lines.flatMap(({ warmup, run }) => (warmup ? [run] : [])),
    runs: lines.flatMap(({ warmup, run }) => (warmup ? [] : [run])),
  };
}

function readLine(line: string, place: string): { readonly warmup: boolean; readonly run: Run } {
  try {
    const { warmup, ...run } = lineSchema.parse(JSON.parse(line));
    return { warmup, run };
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : error instanceof Error
          ? error.message
          : String(error);
    throw new ConfigurationError(
      `${place}: not a run as Pacegate writes it (${reason}). Take the line out, or measure again.`,
      { cause: error },
    );
  }
}
