import { BuildError } from '../errors/errors.ts';
import { WAIT_SECONDS, type Pause } from '../process/patience.ts';
import type { ObtainedImage } from './obtained-image.ts';

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
  obtain: () => Promise<ObtainedImage>,
  subject: string,
  {
    pause,
    signal,
    onLine,
  }: { readonly pause: Pause; readonly signal: AbortSignal; readonly onLine: (line: string) => void },
): Promise<ObtainedImage> {
  const ended = () => signal.aborted;
  for (let attempt = 0; ; attempt++) {
    const obtained = await obtain().catch((error: unknown): ObtainedImage => {
      // What builds and pulls say is in their results: this is the engine, which answered a question amiss.
      if (error instanceof BuildError)
        return { kind: 'unavailable', message: `${subject}: ${error.message}`, fault: 'engine' };
      throw error;
    });
    if (
      obtained.kind === 'obtained' ||
      obtained.fault !== 'engine' ||
      ended() ||
      STAYS.test(obtained.message)
    )
      return obtained;
    const seconds = WAIT_SECONDS[attempt];
    if (seconds === undefined)
      return {
        ...obtained,
        message: `${obtained.message}\nThis was tried ${attempt + 1} times, with waits between.`,
      };
    onLine(`${obtained.message.split('\n')[0] ?? ''} It is tried again in ${seconds} s.`);
    await pause(seconds, signal);
    if (ended()) return obtained;
  }
}
