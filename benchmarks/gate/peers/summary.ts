/**
 * Summaries of samples as they are stored: simple-statistics would have each copied into a plain array first, and a
 * simulation asks for millions. For the same reason the loops count.
 */

/** @returns the arithmetic mean; NaN of nothing */
export function mean(values: Float64Array): number {
  const { length } = values;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i] ?? 0;
  return sum / length;
}

/** @returns the sum of squared distances from `centre` */
export function sumOfSquares(values: Float64Array, centre: number): number {
  const { length } = values;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += ((values[i] ?? 0) - centre) ** 2;
  return sum;
}

/** @returns the middle value, or the mean of the middle two; NaN of nothing */
export function median(values: Float64Array): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** @returns the smallest value; Infinity of nothing */
export function minimum(values: Float64Array): number {
  const { length } = values;
  let least = Infinity;
  for (let i = 0; i < length; i++) least = Math.min(least, values[i] ?? Infinity);
  return least;
}
