import { writeSync } from 'node:fs';
import { createColors } from 'picocolors';
import type { Log } from '../pipeline/ports.ts';
import { endWithoutResult } from '../process/unexpected.ts';
import { forRunner, oneLine, printable } from '../report/escape.ts';

/** The program's outputs: results on the standard output, everything else on the error stream. */

/** An output of the program, with its width if it is a terminal. */
export interface Output extends Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> {
  write(text: string): unknown;
}

/** In a workflow's step the runner interprets some printed text as commands. */
const isReadByRunner = (): boolean => process.env['GITHUB_ACTIONS'] === 'true';

/** Pacegate's text in a printable form. It may contain names from outside. */
export const printed = (text: string): string => (isReadByRunner() ? forRunner(text) : text);

/**
 * Prints lines for a user on the error stream, so that `--format json > file` contains only the result. The lines quote
 * builds, workloads and files, so commands for the terminal or the runner are removed.
 */
export function terminalLog(
  stream: Output,
  colour: boolean,
): Log & { transient(line: string): void; error(text: string): void } {
  const { bold, dim, red, yellow } = createColors(colour);
  let open = false;
  const line = (text: string, paint: (text: string) => string) => {
    // The next line overwrites a progress line.
    stream.write(`${open ? '\r\u001b[K' : ''}${paint(printed(printable(text)))}\n`);
    open = false;
  };
  return {
    info: (text) => line(text, dim),
    warn: (text) => line(text, yellow),
    error: (text) => line(text, red),
    step: (title) => line(title, bold),
    transient: (text) => {
      if (!stream.isTTY) return;
      stream.write(`\r\u001b[K${oneLine(text).slice(0, (stream.columns || 80) - 1)}`);
      open = true;
    },
  };
}

/** Whether to use colours: only on a terminal, and not with NO_COLOR (no-color.org). */
export const wantsColour = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';

/** Prints to the error stream at once, and ignores a closed one. */
export function sayAtOnce(text: string): void {
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
export function tolerateLostOutput(): void {
  let said = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (said || READER_GONE.includes(error.code ?? '')) return;
    said = true;
    sayAtOnce(
      `pacegate: the standard output cannot be written (${error.message}), so the result is not printed; the files of the run are in its out folder. Is the disk full?\n`,
    );
    process.on('exit', (status) => {
      if (status === 0) endWithoutResult();
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
