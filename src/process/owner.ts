import { readFileSync, readlinkSync } from 'node:fs';

/** In the environment of every program that this process starts: its owner. A workload never has it. */
export const OWNER_VARIABLE = 'PACEGATE_OWNER';

/** Who a container belongs to: this process, in this boot of this machine, as this namespace counts processes. */
export const ownerOfThisProcess = (): string => `${process.pid}@${placeOfThisProcess()}`;

/**
 * Whether an owner's process may still run. Nothing of an earlier boot does. Runners in containers may share one
 * engine: what another of them owns cannot be told from here, so it is taken for alive.
 */
export function isOwnerAlive(owner: string): boolean {
  const [pid = '', place = ''] = owner.split('@');
  if (!/^[1-9]\d*$/.test(pid) || bootOf(place) !== bootId()) return false;
  if (place !== placeOfThisProcess()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether an owner's process can be looked for from here. */
export const sharesProcessesWith = (owner: string): boolean => owner.split('@')[1] === placeOfThisProcess();

const placeOfThisProcess = (): string => `${bootId()}.${processNamespace()}`;
const bootOf = (place: string): string => place.slice(0, place.lastIndexOf('.'));

/** The inode of the process namespace: `pid:[4026531836]`, its digits. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return 'unknown';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
