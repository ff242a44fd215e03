import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A process may fork between the look and the kill. */
const ROUNDS = 50;
const ROUND_MILLISECONDS = 20;

/**
 * Ends every process of this machine that was started with a variable in its environment, whoever its parent is
 * by now: what is left when that parent was killed.
 * @param mark how the variable begins, name and value (`NAME=value`)
 */
export async function killProcessesWith(mark: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const alive = await processesWith(mark);
    if (alive.length === 0) return;
    for (const pid of alive) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile, or belongs to someone else.
      }
    }
    await delay(ROUND_MILLISECONDS);
  }
}

/** Process ids, from /proc: none where the machine has no such thing. */
export async function processesWith(mark: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process that has ended, or another user's, cannot be read.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').some((variable) => variable.startsWith(mark));
    }),
  );
  return pids.filter((pid, index) => found[index] === true && pid !== process.pid);
}
