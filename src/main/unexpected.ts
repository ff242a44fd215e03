import { writeSync } from 'node:fs';
import { printable } from '../report/escape.ts';
import { printed, type Output } from './log.ts';
import { plainError } from '../errors/plain-error.ts';

/** The status for "could not be measured", because an unexpected error is no verdict. */
const COULD_NOT_BE_MEASURED = 3;
/** Node's status if the event loop is empty and the program has not ended. */
const UNSETTLED = 13;

/**
 * Sets status 3, "could not be measured", for uncaught errors. Node's own status is 1, which means that the gate says
 * no.
 */
export function endOnUnexpected(): void {
  const end = (error: unknown) => {
    const plain = plainError(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(
      plain === undefined
        ? `pacegate: an unexpected error; nothing was decided. Please report it with what stands here.\n${text}\n`
        : `pacegate: ${plain.message}\n`,
    );
    process.exit(plain?.exitStatus ?? COULD_NOT_BE_MEASURED);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
  process.on('exit', (status) => {
    if (status === UNSETTLED) process.exitCode = COULD_NOT_BE_MEASURED;
  });
}

/** Prints synchronously, and ignores a closed output. */
function say(text: string): void {
  try {
    writeSync(2, printed(printable(text)));
  } catch {
    // The error stream is full or closed. The status still reports the error.
  }
}

/** Errors of an output whose reader has ended, as in `pacegate … | head`, or whose terminal was closed. */
const READER_GONE = ['EPIPE', 'EIO'];

/**
 * Handles outputs that cannot be written. If the reader has ended, the status stays that of the verdict. With a full
 * disk nobody can read the verdict, so status 0 becomes 3. The files of the run are written in both cases.
 */
export function endureLostOutput(): void {
  let said = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (said || READER_GONE.includes(error.code ?? '')) return;
    said = true;
    say(
      `pacegate: the standard output cannot be written (${error.message}), so the result is not printed; the files of the run are in its out folder. Is the disk full?\n`,
    );
    process.on('exit', (status) => {
      if (status === 0) process.exitCode = COULD_NOT_BE_MEASURED;
    });
  });
  // Messages may be lost.
  process.stderr.on('error', () => undefined);
}

/**
 * Reserves the standard output for the result. All other output, such as that of libraries, goes to the error stream.
 * @returns the standard output
 */
export function claimStandardOutput(): Output {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return { write, isTTY: stdout.isTTY, columns: stdout.columns };
}
