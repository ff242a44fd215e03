import { writeSync } from 'node:fs';
import { printable } from '../report/escape.ts';
import { printed, type Output } from './log.ts';
import { plainError } from '../errors/plain-error.ts';

/** Could not be measured: what nobody decided is no verdict. */
const COULD_NOT_BE_MEASURED = 3;
/** Node's own status where nothing is left to wait for and the program has not ended. */
const UNSETTLED = 13;

/**
 * Node ends with status 1 on an error that nobody caught, and 1 is the gate's no. A fault of the program is no
 * verdict: it is 3, could not be measured.
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

/** Synchronous, and to nobody where nobody listens any more. */
function say(text: string): void {
  try {
    writeSync(2, printed(printable(text)));
  } catch {
    // The error stream is full or closed: the status says it.
  }
}

/** A reader that has gone: it has seen enough (`pacegate … | head`), or the terminal was closed. */
const READER_GONE = ['EPIPE', 'EIO'];

/**
 * What becomes of an output that cannot be written. A reader that has seen enough is no fault of the program: its
 * status is the verdict's all the same. A full disk is: a verdict that nobody can read lets nothing through, so 0
 * becomes 3, and the files of the run are written all the same.
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
  // What is said on the way may be lost.
  process.stderr.on('error', () => undefined);
}

/**
 * Keeps the standard output for the result alone: whatever else prints, a library above all, prints to the error stream.
 * @returns the standard output
 */
export function claimStandardOutput(): Output {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return { write, isTTY: stdout.isTTY, columns: stdout.columns };
}
