import { runCommand } from '../../process/command.ts';
import { askDockerNow, engineAnswers } from '../../process/docker-engine.ts';
import { OWNER_LABEL, SESSION_LABEL } from './container-arguments.ts';

/** What the engine is asked about containers of ours, and their removal. */

/** Time limits of a query, and of a removal, which may free gigabytes. */
const QUESTION_SECONDS = 20;
const REMOVAL_SECONDS = 60;

/**
 * Asks docker for something that a machine without docker has nothing of.
 * @returns its output, or nothing: of an engine that does not answer too
 */
async function askDocker(...args: readonly string[]): Promise<string> {
  try {
    const timeoutSeconds = args[0] === 'rm' ? REMOVAL_SECONDS : QUESTION_SECONDS;
    return (await runCommand('docker', args, { timeoutSeconds })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const REACH_SECONDS = 5;

export async function removeContainer(...names: readonly string[]): Promise<void> {
  // If the engine does not answer, a later start removes them.
  if (names.length > 0 && (await engineAnswers(REACH_SECONDS)))
    await askDocker('rm', '--force', '--volumes', ...names);
}

export async function removeByLabel(label: string): Promise<void> {
  const ids = await askDocker('ps', '--all', '--quiet', '--filter', `label=${label}`);
  await removeContainer(...ids.split('\n').filter((id) => id !== ''));
}

/** Removes a session's containers at the process's end, where nothing asynchronous runs any more. */
export function removeContainersNow(sessionId: string): void {
  const ids = askDockerNow('ps', '--all', '--quiet', '--filter', `label=${SESSION_LABEL}=${sessionId}`);
  if (ids.length > 0) askDockerNow('rm', '--force', '--volumes', ...ids);
}

/** `running`, `created`, `exited`… as the engine says it; nothing where it does not answer. */
export async function containerState(name: string): Promise<string> {
  return (await askDocker('inspect', '--type', 'container', '--format', '{{.State.Status}}', name)).trim();
}

/** Age from which a container counts as a leftover of any owner: no run lasts as long. */
const LEFTOVER_SECONDS = 24 * 3600;

/**
 * Removes containers that earlier starts left behind because they were killed before their clean-up.
 * @param isAlive whether the owner that a label names may still be running
 */
export async function removeLeftovers(
  isAlive: (owner: string) => boolean,
  now: Date = new Date(),
): Promise<void> {
  const listed = await askDocker(
    ...['ps', '--all', '--filter', `label=${SESSION_LABEL}`],
    ...['--format', `{{.ID}}\t{{.Label "${OWNER_LABEL}"}}\t{{.CreatedAt}}`],
  );
  const dead = listed.split('\n').flatMap((line) => {
    const [id = '', owner = '', created = ''] = line.split('\t');
    return id !== '' && (!isAlive(owner) || ageSeconds(created, now) > LEFTOVER_SECONDS) ? [id] : [];
  });
  await removeContainer(...dead);
}

/** Of docker's `2026-01-31 12:00:00 +0100 CET`; 0 where it says it otherwise. */
function ageSeconds(created: string, now: Date): number {
  const time = Date.parse(/^\S+ \S+ [+-]\d{4}/.exec(created)?.[0] ?? '');
  return Number.isNaN(time) ? 0 : (now.getTime() - time) / 1000;
}
