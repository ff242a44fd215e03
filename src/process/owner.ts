import { readFileSync, readlinkSync } from 'node:fs';

/**
 * The variable with the owner's name in the environment of every program that this process starts. Workloads do not get
 * it.
 */
export const OWNER_VARIABLE = 'PACEGATE_OWNER';

/** The owner's name of this process. It identifies the process, the boot of the machine, and the process namespace. */
export const ownerOfThisProcess = (): string => `${process.pid}@${placeOfThisProcess()}`;

/**
 * Whether an owner's process may still run. Processes of an earlier boot do not. Runners in several containers may
 * share one engine. A process of another container cannot be checked from here, so it counts as running.
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

/** Whether an owner's process is visible from here. */
export const sharesProcessesWith = (owner: string): boolean => owner.split('@')[1] === placeOfThisProcess();

const placeOfThisProcess = (): string => `${bootId()}.${processNamespace()}`;
const bootOf = (place: string): string => place.slice(0, place.lastIndexOf('.'));

/** The inode of the process namespace: the digits of `pid:[4026531836]`. */
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
