import { createColors } from 'picocolors';
import type { Log } from '../pipeline/ports.ts';
import { forRunner, oneLine, printable } from '../report/escape.ts';

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
