/** Below this a run is mostly start-up and the clock's own noise. */
const SHORT_RUN_SECONDS = 0.3;
const REPEATED_RUN_SECONDS = 0.5;
const MAX_REPETITIONS = 1000;

/** How often `repetitions: auto` repeats a command inside a run. @param seconds what the longest warm-up took */
export const repetitionsOf = (seconds: number): number =>
  seconds > 0 && seconds < SHORT_RUN_SECONDS
    ? Math.min(MAX_REPETITIONS, Math.ceil(REPEATED_RUN_SECONDS / seconds))
    : 1;
