import { constants } from 'node:os';

/** Ctrl-C, a runner's cancel, a closed terminal, Ctrl-\. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Seconds from the first signal to the end, whatever hangs: enough to write a session and to remove some images. */
const GRACE_SECONDS = 20;

export interface Ending {
  /** Aborted by the first signal: what was measured so far is kept. */
  readonly signal: AbortSignal;
  /** Stops listening: the work is done. */
  stop(): void;
}

export interface EndingOptions {
  readonly warn: (text: string) => void;
  /** What a second signal does. A runner sends two within seconds, and what was measured is written in between. */
  readonly second: 'ends' | 'ignored';
  /** Where what was measured can be found when the end must be forced. */
  readonly graceSeconds?: number;
}

/**
 * The first signal asks the run to end and keeps what was measured. The second ends the process, and so does a watchdog
 * when the run has not ended within the grace. Either way the duties of `atExit` are done.
 */
export function endOnSignals({ warn, second, graceSeconds = GRACE_SECONDS }: EndingOptions): Ending {
  const abort = new AbortController();
  let watchdog: NodeJS.Timeout | undefined;
  const end = (name: NodeJS.Signals) => {
    if (!abort.signal.aborted) {
      warn('Cancelled: ending the run; what was measured is kept.');
      watchdog = setTimeout(() => {
        warn(
          `The run did not end within ${graceSeconds} s of the signal, so it is ended now. What was measured is in runs.jsonl of the out folder; \`pacegate report runs.jsonl\` reads it.`,
        );
        process.exit(3);
      }, graceSeconds * 1000);
      // It must not be what keeps the process alive.
      watchdog.unref();
      abort.abort();
      return;
    }
    // A closed terminal may say it twice: by the kernel and by the shell.
    if (second === 'ends' && name !== 'SIGHUP') process.exit(128 + constants.signals[name]);
  };
  for (const name of SIGNALS) process.on(name, end);
  return {
    signal: abort.signal,
    stop: () => {
      clearTimeout(watchdog);
      for (const name of SIGNALS) process.off(name, end);
    },
  };
}
