import type { Writable } from 'node:stream';
import { runCommand, type CommandOptions, type CommandResult } from './command.ts';

/** A conversation with a program: words on its standard input, lines on its standard output. */
export interface Conversation {
  /** Writes a word on a line of its own. Does nothing if the program has ended. */
  say(word: string): void;
  /** The next matching line; earlier lines are skipped. Undefined if none comes in time. */
  readonly hear: <Heard>(
    wanted: (line: string) => Heard | undefined,
    seconds: number,
  ) => Promise<Heard | undefined>;
  /**
   * Closes the standard input and waits for the program's end. After some seconds the program gets SIGTERM, then
   * SIGKILL. @throws the spawn error if it could not be started
   */
  finish(seconds: number): Promise<CommandResult>;
  /** Fulfilled when the program has ended for any reason. */
  readonly ended: Promise<void>;
  /** Whether the program has ended. */
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
  const lines = lineQueue();
  let input: Writable | undefined;
  const ending = new AbortController();
  const result = runCommand(program, args, {
    ...options,
    signal: options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal]),
    onInput: (stream) => void (input = stream),
    onStdoutLine: lines.add,
  });
  const ended = result.then(
    () => undefined,
    () => undefined,
  );
  void ended.then(lines.close);
  return {
    say: (word) => void input?.write(`${word}\n`),
    hear: lines.hear,
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
    isOver: lines.isClosed,
  };
}

interface LineQueue extends Pick<Conversation, 'hear'> {
  readonly add: (line: string) => void;
  /** No more lines come. */
  readonly close: () => void;
  readonly isClosed: () => boolean;
}

/** The lines that a program has written, each of which is heard once. */
function lineQueue(): LineQueue {
  const lines: string[] = [];
  // Lines before this index are read. Removing them one by one would take quadratic time.
  let heardLines = 0;
  let wake: () => void = () => undefined;
  let closed = false;
  /** Waits for a line, the end of the program, or the time limit. */
  const news = async (milliseconds: number) =>
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, milliseconds));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    add: (line) => {
      if (line !== '') lines.push(line);
      wake();
    },
    close: () => {
      closed = true;
      wake();
    },
    isClosed: () => closed,
    hear: async (wanted, seconds) => {
      const until = performance.now() + seconds * 1000;
      for (;;) {
        while (heardLines < lines.length) {
          const heard = wanted(lines[heardLines++] ?? '');
          if (heard !== undefined) return heard;
        }
        if (closed || performance.now() >= until) return undefined;
        await news(until - performance.now());
      }
    },
  };
}
