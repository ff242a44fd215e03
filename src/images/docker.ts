import { BuildError } from '../errors/errors.ts';
import { runCommand, type CommandResult } from '../process/command.ts';
import { readable } from './progress.ts';

/** Calls the docker client for short questions. */

export interface DockerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** The time limit of a short question to the engine; most of it is for a machine with a busy disk. */
const QUERY_SECONDS = 30;

/**
 * Runs the docker client and returns its output for any status.
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

/** The last lines of docker's error stream, as one line without a full stop. */
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
