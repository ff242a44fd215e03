import { join } from 'node:path';
import type { Command } from 'commander';
import type { Session } from '../../session/session.ts';
import type { JobPorts, RunContext } from '../../pipeline/ports.ts';
import { jobPorts } from '../compose.ts';
import { openOutFolder, type OutFolder } from '../../out-folder/out-folder.ts';
import type { Places } from '../places.ts';
import { logDuration } from '../../report/durations.ts';
import type { ProgressLog } from '../../pipeline/measurement-progress.ts';
import { statusOfFiles } from '../../pipeline/results.ts';
import { newSessionId } from '../../measure/session-id.ts';
import { VERSION } from '../version.ts';
import { openWorkFolder, removeWorkFolder } from '../../process/work-folder.ts';

/** The parts that every command needs: folders, outputs, and the signal that ends it. */
export interface CommandContext {
  readonly places: Places;
  readonly print: (text: string) => void;
  readonly colour: boolean;
  /** The width of a table in columns. */
  readonly width: number;
  readonly log: ProgressLog;
  readonly signal: AbortSignal;
}

/**
 * Adds a command with its options to the program.
 * @param done receives the exit status
 */
export type AddCommand = (program: Command, context: CommandContext, done: (status: number) => void) => void;

/** The event of a user's command. */
export const TERMINAL = { event: 'terminal', gitEnvironment: {} } as const;

/** The status of a cancelled run, which has no verdict. */
export const COULD_NOT_BE_MEASURED = 3;

/**
 * Whether something failed, or a variant has no successful run, for example because the budget left no time for one.
 */
export const isIncomplete = ({ failures, variants, runs }: Session): boolean =>
  failures.length > 0 ||
  !variants.every((name) => runs.some(({ variant, outcome }) => variant === name && outcome === 'ok'));

/** Opens the folders of a run, and always removes the temporary one. */
export async function withRun(
  { places, log, signal }: CommandContext,
  folder: string,
  use: (run: RunContext, ports: JobPorts) => Promise<number>,
): Promise<number> {
  return await withOutFolder({ log }, folder, async (out) => {
    const workFolder = await openWorkFolder();
    try {
      const run = { sessionId: newSessionId(new Date()), workFolder, out, toolVersion: VERSION };
      return await use(run, jobPorts(places, log, signal));
    } finally {
      await removeWorkFolder(workFolder, signal);
    }
  });
}

/** Opens a run whose files are not kept. They are in the temporary folder. */
export async function withTemporaryRun<Result>(
  { places, log, signal }: CommandContext,
  use: (run: RunContext, ports: JobPorts) => Promise<Result>,
): Promise<Result> {
  const workFolder = await openWorkFolder();
  try {
    const out = await openOutFolder(join(workFolder, 'out'));
    const run = { sessionId: newSessionId(new Date()), workFolder, out, toolVersion: VERSION };
    const result = await use(run, jobPorts(places, log, signal));
    await out.close();
    return result;
  } finally {
    await removeWorkFolder(workFolder, signal);
  }
}

/** Opens the folder for a run's files and closes it at the end. Lost files are reported and change the exit status. */
export async function withOutFolder(
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

export function logOutFolder({ log }: CommandContext, out: OutFolder, { budget }: Session): void {
  log.info(`${logDuration(budget.spentSeconds)}; report.md, session.json and timings.csv are in ${out.path}`);
}
