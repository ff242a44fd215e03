import { readFileSync } from 'node:fs';

/** Who a container belongs to: this process, in this boot of this machine. */
export const ownerOfThisProcess = (): string => `${process.pid}@${bootId()}`;

/** Whether an owner's process still runs. Nothing of an earlier boot does. */
export function isOwnerAlive(owner: string): boolean {
  const [pid = '', boot = ''] = owner.split('@');
  if (boot !== bootId()) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
