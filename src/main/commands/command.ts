import { join } from 'node:path';
import type { Command } from 'commander';
import type { Session } from '../../session/session.ts';
import type { JobPorts, RunContext } from '../../pipeline/ports.ts';
import { jobPorts } from '../compose.ts';
import { openOutFolder, type OutFolder } from '../../out-folder/out-folder.ts';
import type { Places } from '../places.ts';
import { logDuration } from '../../report/durations.ts';
import type { ProgressLog } from '../progress.ts';
import { statusOfFiles } from '../../pipeline/results.ts';
import { newSessionId } from '../../measure/session-id.ts';
import { VERSION } from '../version.ts';
import { openWorkFolder, removeWorkFolder } from '../../process/work-folder.ts';

/** What every command has: where things lie, where to write, and the signal that ends it. */
export interface CommandContext {
  readonly places: Places;
  readonly print: (text: string) => void;
  readonly colour: boolean;
  /** Columns that a table may take. */
  readonly width: number;
  readonly log: ProgressLog;
  readonly signal: AbortSignal;
}

/**
 * Adds a command with its options to the program.
 * @param done is given the exit status
 */
export type AddCommand = (program: Command, context: CommandContext, done: (status: number) => void) => void;

/** The event of a person's command. */
export const TERMINAL = { event: 'terminal', gitEnvironment: {} } as const;

/** A run that was cancelled has no verdict to give. */
export const COULD_NOT_BE_MEASURED = 3;

/** Something failed, or a variant has no run that ended well: the budget may have left no time for one. */
export const isIncomplete = ({ failures, variants, runs }: Session): boolean =>
  failures.length > 0 ||
  !variants.every((name) => runs.some(({ variant, outcome }) => variant === name && outcome === 'ok'));

/** Opens the folders of a run, and removes the temporary one whatever happens. */
export async function withRun(
  { places, log, signal }: CommandContext,
  folder: string,
  use: (run: RunContext, ports: JobPorts) => Promise<number>,
): Promise<number> {
  return await withOut({ log }, folder, async (out) => {
    const workFolder = await openWorkFolder();
    try {
      const run = { sessionId: newSessionId(new Date()), workFolder, out, toolVersion: VERSION };
      return await use(run, jobPorts(places, log));
    } finally {
      await removeWorkFolder(workFolder, signal);
    }
  });
}

/** Opens a run whose files are nobody's: they go with the temporary folder. */
export async function withTemporaryRun(
  { places, log, signal }: CommandContext,
  use: (run: RunContext, ports: JobPorts) => Promise<number>,
): Promise<number> {
  const workFolder = await openWorkFolder();
  try {
    const out = await openOutFolder(join(workFolder, 'out'));
    const run = { sessionId: newSessionId(new Date()), workFolder, out, toolVersion: VERSION };
    const status = await use(run, jobPorts(places, log));
    await out.close();
    return status;
  } finally {
    await removeWorkFolder(workFolder, signal);
  }
}

/** Opens the folder that a run leaves its files in, and gives it back; what was lost of them is said, and in the status. */
export async function withOut(
  { log }: Pick<CommandContext, 'log'>,
  folder: string,
  use: (out: OutFolder) => Promise<number>,
): Promise<number> {
  const out = await openOutFolder(folder);
  try {
    return statusOfFiles(out, await use(out), (text) => log.warn(text));
  } catch (error) {
    statusOfFiles(out, 0, (text) => log.warn(text));
    const [session] = await out.existing(['session.json']);
    if (session !== undefined) log.warn(`What was measured is kept in ${session}.`);
    throw error;
  } finally {
    await out.close();
  }
}

export function sayWhere({ log }: CommandContext, out: OutFolder, { budget }: Session): void {
  log.info(`${logDuration(budget.spentSeconds)}; report.md, session.json and timings.csv are in ${out.path}`);
}
