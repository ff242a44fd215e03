import { createColors } from 'picocolors';
import type { Log } from '../pipeline/ports.ts';

/** Lines for a person on the error stream, so that `--format json > file` stays clean. */
export function terminalLog(
  stream: NodeJS.WriteStream,
  colour: boolean,
): Log & { transient(line: string): void; error(text: string): void } {
  const { bold, dim, red, yellow } = createColors(colour);
  let open = false;
  const line = (text: string) => {
    // A progress line is overwritten by what comes after it.
    stream.write(`${open ? '\r\u001b[K' : ''}${text}\n`);
    open = false;
  };
  return {
    info: (text) => line(dim(text)),
    warn: (text) => line(yellow(text)),
    error: (text) => line(red(text)),
    step: (title) => line(bold(title)),
    transient: (text) => {
      if (!stream.isTTY) return;
      stream.write(`\r\u001b[K${text.slice(0, (stream.columns || 80) - 1)}`);
      open = true;
    },
  };
}

/** Colours only on a terminal, and not where NO_COLOR asks for none (no-color.org). */
export const wantsColour = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
