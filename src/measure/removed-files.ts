import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRequest, RunResult } from './engine.ts';
import { runWithoutFigures } from './run-failure.ts';

/** Recognises a run that failed because its files were removed during the session. */

const CAUSE =
  'is not there any more: something removed it during the session, so the run says nothing about the workload. Look for what cleans the folder for temporary files (TMPDIR), and run this once more.';

/** Whether a run's message is that one: asking the engine would not help. */
export const isRemoval = (message: string): boolean => message.includes(CAUSE);

/**
 * The result of a run, where all that it was given is still there. A run without its files fails in any way at all, and
 * none of them is the workload's doing.
 * @param others the other files that it needs: the probe, the folder that it runs in
 */
export async function unlessRemoved(
  result: RunResult,
  { runnable, workload }: Pick<RunRequest, 'runnable' | 'workload'>,
  others: readonly string[],
): Promise<RunResult> {
  if (result.outcome === 'ok') return result;
  const needed = [...others, ...workload.files.map((path) => join(runnable.filesFrom, path))];
  for (const path of needed)
    if ((await lstat(path).catch(() => undefined)) === undefined)
      return runWithoutFigures('engine', `${path} ${CAUSE}`);
  return result;
}
