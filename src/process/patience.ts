import { setTimeout as delay } from 'node:timers/promises';

/**
 * Seconds to wait before a run or a build is tried again after an engine's fault. A daemon that is restarted is back within some
 * seconds, and what is tried three times within one second loses the session.
 */
export const WAIT_SECONDS = [1, 4, 10] as const;

/** Waits, or less where the signal aborts. Never throws. */
export type Pause = (seconds: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (seconds, signal) => {
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
};
