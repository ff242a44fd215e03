/** A duration in seconds for a log: 42 s, 3.5 min, 20.0 min; at least 1 s. */
export function logDuration(value: number): string {
  return value < 90 ? `${Math.max(1, Math.round(value))} s` : `${(value / 60).toFixed(1)} min`;
}
