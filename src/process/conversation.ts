import type { Writable } from 'node:stream';
import { runCommand, type CommandOptions, type CommandResult } from './command.ts';

/** A program that is spoken with: words go to its standard input, lines come from its standard output. */
export interface Conversation {
  /** Writes a word on a line of its own. To a program that has ended it says nothing. */
  say(word: string): void;
  /** The next line that is wanted, what comes before it being passed over; undefined where there is none in time, or ever. */
  hear<Heard>(wanted: (line: string) => Heard | undefined, seconds: number): Promise<Heard | undefined>;
  /**
   * Ends the standard input and waits for the program's end: after some seconds it is asked to end, and then made to.
   * @throws the spawn error where it could not be started
   */
  finish(seconds: number): Promise<CommandResult>;
  /** Fulfilled at the program's end, however it came. */
  readonly ended: Promise<void>;
  /** Whether that has come. */
  isOver(): boolean;
}

/**
 * Starts a program with an argument list and keeps its standard input open. Its output is bounded and its end is
 * enforced as by `runCommand`.
 */
export function converse(
  program: string,
  args: readonly string[],
  options: Omit<CommandOptions, 'input' | 'onInput' | 'onStdoutLine'> = {},
): Conversation {
  const lines: string[] = [];
  // Up to here they have been heard: taking them out one by one would take a flood's square.
  let heardLines = 0;
  let wake: () => void = () => undefined;
  let input: Writable | undefined;
  let over = false;
  const ending = new AbortController();
  const result = runCommand(program, args, {
    ...options,
    signal: options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal]),
    onInput: (stream) => void (input = stream),
    onStdoutLine: (line) => {
      if (line !== '') lines.push(line);
      wake();
    },
  });
  const ended = result.then(
    () => undefined,
    () => undefined,
  );
  void ended.then(() => {
    over = true;
    wake();
  });

  /** Waits for a line, the end, or the moment. */
  const news = async (milliseconds: number) =>
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, milliseconds));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    say: (word) => void input?.write(`${word}\n`),
    hear: async (wanted, seconds) => {
      const until = performance.now() + seconds * 1000;
      for (;;) {
        while (heardLines < lines.length) {
          const heard = wanted(lines[heardLines++] ?? '');
          if (heard !== undefined) return heard;
        }
        if (over || performance.now() >= until) return undefined;
        await news(until - performance.now());
      }
    },
    finish: async (seconds) => {
      input?.end();
      const timer = setTimeout(() => ending.abort(), seconds * 1000);
      try {
        return await result;
      } finally {
        clearTimeout(timer);
      }
    },
    ended,
    isOver: () => over,
  };
}
