import { BuildError } from '../errors/errors.ts';
import { WAIT_SECONDS, type Pause } from '../process/patience.ts';
import type { Had } from './runnable.ts';

/** Trying again gives no room on a disk. */
const STAYS = /no space left on device|disk quota exceeded|the disk is full|read-only file system/i;

/**
 * Gets an image, and tries it again after each wait where the engine failed: one that is started anew is back within
 * seconds. What is built is never tried twice for its own fault.
 *
 * @param signal ends the waiting too; what it ended is not tried again
 * @param subject begins the message of an engine that answered amiss
 */
export async function againAfterFaults(
  obtain: () => Promise<Had>,
  subject: string,
  {
    pause,
    signal,
    onLine,
  }: { readonly pause: Pause; readonly signal: AbortSignal; readonly onLine: (line: string) => void },
): Promise<Had> {
  const ended = () => signal.aborted;
  for (let attempt = 0; ; attempt++) {
    const had = await obtain().catch((error: unknown): Had => {
      // What builds and pulls say is in their results: this is the engine, which answered a question amiss.
      if (error instanceof BuildError)
        return { kind: 'not', message: `${subject}: ${error.message}`, fault: 'engine' };
      throw error;
    });
    if (had.kind === 'had' || had.fault !== 'engine' || ended() || STAYS.test(had.message)) return had;
    const seconds = WAIT_SECONDS[attempt];
    if (seconds === undefined)
      return { ...had, message: `${had.message}\nThis was tried ${attempt + 1} times, with waits between.` };
    onLine(`${had.message.split('\n')[0] ?? ''} It is tried again in ${seconds} s.`);
    await pause(seconds, signal);
    if (ended()) return had;
  }
}
