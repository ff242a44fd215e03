import { BuildError } from '../errors/errors.ts';
import { runCommand, type CommandResult } from '../process/command.ts';
import { readable } from './progress.ts';

/** Calls the docker client for short questions. */

export interface DockerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** A question to the engine, which it answers from what it has; most of this is for a machine with a busy disk. */
const QUERY_SECONDS = 30;

/**
 * Runs the docker client and gives what it answered, whatever its status.
 * @throws BuildError when there is no docker to run.
 */
export async function tryDocker(
  args: readonly string[],
  { signal, timeoutSeconds = QUERY_SECONDS }: DockerOptions = {},
): Promise<CommandResult> {
  try {
    return await runCommand('docker', args, {
      timeoutSeconds,
      // buildx is a plugin: a process of its own, which outlives a client that is killed.
      group: true,
      signal,
    });
  } catch (cause) {
    throw new BuildError(
      'Tried to run docker; it was not found in the PATH. Install Docker (23.0 or newer) with buildx, or use variants with `interpreter: host`, which need no container.',
      { cause },
    );
  }
}

/** The end of what docker said on its error stream, as one line without a full stop. */
export function lastWords({ stderr, timedOut }: CommandResult): string {
  if (timedOut) return 'it did not answer in time';
  const lines = stderr
    .split('\n')
    .map((line) => readable(line, 400))
    .filter((line) => line !== '');
  return (
    lines
      .slice(-3)
      .join(' / ')
      // A question where the reader needs an answer: the message around it says what to do.
      .replace(/\s*Is the docker daemon running\?$/, '')
      .replace(/[.?]+$/, '') || 'no message'
  );
}
