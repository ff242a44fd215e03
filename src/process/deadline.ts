/** The reason of an abort signal whose time is over, in contrast to a cancelled run. */
export class TimeOver extends Error {
  override readonly name = 'TimeOver';
}

/** Whether a signal fired because the time of `within` is over, and not because the run was cancelled. */
export const isTimeOver = (signal: AbortSignal): boolean =>
  signal.aborted && signal.reason instanceof TimeOver;

/** The longest time of a Node timer. */
const LONGEST_SECONDS = 2 ** 31 / 1000 - 1;

/**
 * Does some work with a signal that fires when its time is over, or when the caller's own fires.
 * @param seconds the time limit; undefined means no limit
 */
export async function within<Result>(
  seconds: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (seconds === undefined || seconds > LONGEST_SECONDS) return await work(signal);
  const controller = new AbortController();
  const cancel = () => {
    controller.abort(signal.reason);
  };
  const over = () => {
    controller.abort(new TimeOver(`its time limit of ${seconds.toFixed(0)} s has passed`));
  };
  if (signal.aborted) cancel();
  else if (seconds <= 0) over();
  const timer = setTimeout(over, Math.max(0, seconds) * 1000);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}
