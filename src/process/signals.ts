import { constants } from 'node:os';

/** Ctrl-C, a runner's cancel, a closed terminal, Ctrl-\. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Seconds from the first signal to the forced end: enough to write a session and to remove some images. */
const GRACE_SECONDS = 20;

export interface Ending {
  /** The first signal aborts it. The measurements up to then are kept. */
  readonly signal: AbortSignal;
  /** Stops listening, because the work is done. */
  stop(): void;
}

export interface EndingOptions {
  readonly warn: (text: string) => void;
  /** The effect of a second signal. A runner sends two within seconds, and the measurements are written in between. */
  readonly second: 'ends' | 'ignored';
  /** Seconds until the end is forced. */
  readonly graceSeconds?: number;
}

/**
 * The first signal asks the run to end, and the measurements are kept. The second signal ends the process. A watchdog
 * ends it too if the run has not ended within the grace period. In both cases the `atExit` functions run.
 */
export function endOnSignals({ warn, second, graceSeconds = GRACE_SECONDS }: EndingOptions): Ending {
  const abort = new AbortController();
  let watchdog: NodeJS.Timeout | undefined;
  const end = (name: NodeJS.Signals) => {
    if (!abort.signal.aborted) {
      warn('Cancelled: ending the run. The measurements are kept.');
      watchdog = setTimeout(() => {
        warn(
          `The run did not end within ${graceSeconds} s of the signal, so it is ended now. The measurements are in runs.jsonl of the out folder; \`pacegate report runs.jsonl\` reads it.`,
        );
        process.exit(3);
      }, graceSeconds * 1000);
      // The watchdog must not keep the process alive.
      watchdog.unref();
      abort.abort();
      return;
    }
    // A closed terminal may send it twice, from the kernel and from the shell.
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
