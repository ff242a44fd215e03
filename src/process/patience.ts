import { setTimeout as delay } from 'node:timers/promises';

/**
 * Seconds to wait before a run or a build is tried again after a fault of the engine. A restarted daemon answers again
 * after some seconds; three tries within one second would lose the session.
 */
export const WAIT_SECONDS = [1, 4, 10] as const;

/** Waits, or less if the signal aborts. Never throws. */
export type Pause = (seconds: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (seconds, signal) => {
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
};
