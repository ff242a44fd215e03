import { spawnSync } from 'node:child_process';
import { LIST, namesOfSession, removeImagesOfSession } from '../images/store.ts';
import { SESSION_LABEL } from '../measure/engines/container-arguments.ts';
import { containerEngine } from '../measure/engines/container.ts';
import { anchorSessionId } from '../pipeline/anchor.ts';

/** What a session and the anchor's within it may still have in the engine when their process is gone. */
export async function removeSession(sessionId: string): Promise<void> {
  for (const id of [sessionId, anchorSessionId(sessionId)]) {
    await containerEngine({ sessionId: id, owner: '', probe: '', facts: '' }).cleanUp();
    await removeImagesOfSession(id);
  }
}

/** Each of the calls; an engine that does not answer must not hold the end. */
const CALL_MILLISECONDS = 5000;

/** The same at the process's end, where nothing asynchronous runs any more. */
export function removeSessionNow(sessionId: string): void {
  const containers = ask('ps', '--all', '--quiet', '--filter', `label=${SESSION_LABEL}=${sessionId}`);
  if (containers.length > 0) ask('rm', '--force', '--volumes', ...containers);
  const images = ask(...LIST, namesOfSession(sessionId));
  if (images.length > 0) ask('image', 'rm', ...images);
}

function ask(...args: readonly string[]): readonly string[] {
  const { error, stdout } = spawnSync('docker', args, {
    timeout: CALL_MILLISECONDS,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return error === undefined ? stdout.split('\n').filter((line) => line !== '') : [];
}
