/**
 * Durations for people, in two forms. A report's is as short as it can be. A log's keeps its tenth, so that the lines of
 * one job align, and is at least 1 s, since a step that took no time at all was not taken.
 */

/** In a report: 42 s, 19.8 min, 20 min. */
export const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Number((seconds / 60).toFixed(1))} min`;

/** In a log: 42 s, 3.5 min, 20.0 min; at least 1 s. */
export const logDuration = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${(seconds / 60).toFixed(1)} min`;
