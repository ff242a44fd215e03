import { createColors } from 'picocolors';
import type { Log } from '../pipeline/ports.ts';
import { forRunner, oneLine, printable } from '../report/escape.ts';

/** What the program writes to: the terminal's width where it is one. */
export interface Output extends Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> {
  write(text: string): unknown;
}

/** In a step of a workflow the runner reads what is printed, and takes some of it for commands. */
const isReadByRunner = (): boolean => process.env['GITHUB_ACTIONS'] === 'true';

/** Text of ours as it is printed; names from outside are in it. */
export const printed = (text: string): string => (isReadByRunner() ? forRunner(text) : text);

/**
 * Lines for a person on the error stream, so that `--format json > file` stays clean. They quote builds, workloads and
 * files: nothing in them commands the terminal or the runner.
 */
export function terminalLog(
  stream: Output,
  colour: boolean,
): Log & { transient(line: string): void; error(text: string): void } {
  const { bold, dim, red, yellow } = createColors(colour);
  let open = false;
  const line = (text: string, paint: (text: string) => string) => {
    // A progress line is overwritten by what comes after it.
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

/** Colours only on a terminal, and not where NO_COLOR asks for none (no-color.org). */
export const wantsColour = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
