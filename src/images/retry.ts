import { BuildError } from '../errors/errors.ts';
import { WAIT_SECONDS, type Pause } from '../process/patience.ts';
import type { ObtainedImage } from './obtained-image.ts';

/** Trying again does not help with a full disk. */
const STAYS = /no space left on device|disk quota exceeded|the disk is full|read-only file system/i;

/**
 * Gets an image, and tries again after each wait if the engine failed: a restarted engine answers within seconds. A
 * build that fails because of its Dockerfile is not tried again. @param signal also ends the waiting; nothing is tried
 * after it @param subject the beginning of the message for a wrong answer of the engine
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
      // Failures of builds and pulls are in their results; an exception is a wrong answer of the engine.
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
    onLine(`${obtained.message.split('\n')[0] ?? ''} Pacegate tries again in ${seconds} s.`);
    await pause(seconds, signal);
    if (ended()) return obtained;
  }
}
