import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Repeated, because a process may fork before it is killed. */
const ROUNDS = 50;
const ROUND_MILLISECONDS = 20;

/**
 * Ends every process of this machine that has a variable in its environment, independent of its parent, which may have
 * been killed.
 * @param marks how such a variable begins, name and value (`NAME=value`); one of them is enough
 */
export async function killProcessesWith(...marks: readonly string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const alive = await processesWith(...marks);
    if (alive.length === 0) return;
    alive.forEach(kill);
    await delay(ROUND_MILLISECONDS);
  }
}

/** The same, synchronously, for the end of this process. */
export function killProcessesNow(...marks: readonly string[]): void {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const alive = pidsNow().filter(
      (pid) => pid !== process.pid && !killed.has(pid) && isMarked(environmentNow(pid), marks),
    );
    if (alive.length === 0) return;
    for (const pid of alive) {
      kill(pid);
      killed.add(pid);
    }
  }
}

/** Process ids from /proc; empty on machines without /proc. */
export async function processesWith(...marks: readonly string[]): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = numbers(names);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // An ended process, or one of another user, cannot be read.
      return isMarked(await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''), marks);
    }),
  );
  return pids.filter((pid, index) => found[index] === true && pid !== process.pid);
}

const numbers = (names: readonly string[]) => names.filter((name) => /^\d+$/.test(name)).map(Number);

const isMarked = (environment: string, marks: readonly string[]) =>
  environment.split('\0').some((variable) => marks.some((mark) => variable.startsWith(mark)));

function pidsNow(): readonly number[] {
  try {
    return numbers(readdirSync('/proc'));
  } catch {
    return [];
  }
}

function environmentNow(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile, or belongs to someone else.
  }
}
