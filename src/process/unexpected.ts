import { plainError } from '../errors/plain-error.ts';

/** The end of this process after an error that nobody expected. */

/** The status for "could not be measured", because an unexpected error is no verdict. */
const COULD_NOT_BE_MEASURED = 3;
/** Node’s exit status if the event loop is empty and a top-level await never ended. */
const UNSETTLED_TOP_LEVEL_AWAIT = 13;

/**
 * Sets status 3, "could not be measured", for uncaught errors. Node's own status is 1, which means that the gate says
 * no.
 *
 * @param say prints a message at once, because the process ends after it
 */
export function endOnUnexpected(say: (text: string) => void): void {
  const end = (error: unknown) => {
    const plain = plainError(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(
      plain === undefined
        ? `pacegate: an unexpected error; there is no verdict. Please report the error with this text.\n${text}\n`
        : `pacegate: ${plain.message}\n`,
    );
    process.exit(plain?.exitStatus ?? COULD_NOT_BE_MEASURED);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
  process.on('exit', (status) => {
    if (status === UNSETTLED_TOP_LEVEL_AWAIT) endWithoutResult();
  });
}

/** Lets the process end with the status for "could not be measured". */
export const endWithoutResult = (): void => {
  process.exitCode = COULD_NOT_BE_MEASURED;
};
