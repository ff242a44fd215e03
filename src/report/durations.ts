/**
 * Formats durations, in two forms. In a report they are as short as possible. In a log they keep one decimal, so that
 * lines align, and are at least 1 s, because no step takes 0 s.
 */

/** In a report: 42 s, 19.8 min, 20 min. */
export const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Number((seconds / 60).toFixed(1))} min`;

/** In a log: 42 s, 3.5 min, 20.0 min; at least 1 s. */
export const logDuration = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${(seconds / 60).toFixed(1)} min`;
