import tQuantile from '@stdlib/stats-base-dists-t-quantile';
import type { Peer } from './peer.ts';
import { mean, minimum, sumOfSquares } from './summary.ts';

/** Rules that know the baseline's history, one value a night. */
const onHistory = (
  peer: Pick<Peer, 'name' | 'rule' | 'source'> & {
    /** What a session is reduced to. */
    readonly value: (samples: Float64Array) => number;
    /** @param history one value a night, oldest first */
    readonly worse: (history: Float64Array, head: number) => boolean;
  },
): Peer => {
  const { value, worse, ...decides } = peer;
  return {
    ...decides,
    data: 'nights',
    runs: 'rule',
    flags: (rows) => rows.map((row) => worse(Float64Array.from(row.nights.map(value)), value(row.head))),
  };
};

const BENCHER_BOUNDARY = 0.99;
const BENCHER_SAMPLES = 64;
const bencherQuantiles = new Map<number, number>();

function bencherQuantile(degrees: number): number {
  let value = bencherQuantiles.get(degrees);
  if (value === undefined) {
    value = tQuantile(BENCHER_BOUNDARY, degrees);
    bencherQuantiles.set(degrees, value);
  }
  return value;
}

/**
 * Bencher's t-test threshold with the options that its documentation shows; there is no boundary without one being
 * chosen. The spread has the divisor n, and a new value's own spread adds nothing to the limit.
 */
export const bencher = onHistory({
  name: 'Bencher',
  rule: 'mean above the 0.99 point of t around the mean of the last 64 nights, scaled by their standard deviation',
  source:
    'bencher.dev/docs/explanation/thresholds; bencherdev/bencher: lib/bencher_boundary/src/limits/mod.rs, mean.rs',
  value: mean,
  worse: (history, head) => {
    const known = history.slice(-BENCHER_SAMPLES);
    if (known.length < 2) return false;
    const centre = mean(known);
    const deviation = Math.sqrt(sumOfSquares(known, centre) / known.length);
    // A history that never moved has no limit.
    return deviation > 0 && head > centre + bencherQuantile(known.length - 1) * deviation;
  },
});

const RUSTC_PERF_COMMITS = 30;
/** What counts as a change where the history is too short to say. */
const RUSTC_PERF_DEFAULT = 0.002;

/** rustc-perf: a change among the outliers of those between earlier neighbours. */
export const rustcPerf = onHistory({
  name: 'rustc-perf',
  rule: 'minimum up by at least Q3 + 3 IQR of the changes between neighbours of 30 nights; 0.2 % with fewer nights',
  source: 'rust-lang/rustc-perf: docs/comparison-analysis.md, site/src/comparison.rs',
  value: minimum,
  worse: (history, head) => {
    const last = history.at(-1);
    return last !== undefined && head > last && (head - last) / last >= significanceThreshold(history);
  },
});

function significanceThreshold(history: Float64Array): number {
  if (history.length < RUSTC_PERF_COMMITS) return RUSTC_PERF_DEFAULT;
  const known = history.slice(-RUSTC_PERF_COMMITS);
  const changes = known
    .subarray(1)
    .map((value, index) => {
      const before = known[index] ?? Number.NaN;
      return Math.abs(before - value) / before;
    })
    .sort();
  // 29 changes: the middle one belongs to neither half.
  const half = changes.length >> 1;
  const middle = (sorted: Float64Array) =>
    ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2;
  const lower = middle(changes.subarray(0, half));
  const upper = middle(changes.subarray(half + 1));
  return upper + 3 * (upper - lower);
}

const CONBENCH_COMMITS = 100;
const CONBENCH_Z = 5;

/**
 * Conbench's lookback z-score: the distance from the history's mean, in standard deviations of the steps that each
 * night made away from the mean of those before it.
 */
export const conbench = onHistory({
  name: 'Conbench',
  rule: 'mean over 5 standard deviations above the mean of the last 100 nights',
  source:
    'conbench/conbench: conbench/entities/_comparator.py (Z_SCORE), history.py as before its automatic removal of outliers',
  value: mean,
  worse: (history, head) => {
    const known = history.slice(-CONBENCH_COMMITS);
    if (known.length < 2) return false;
    let sum = 0;
    const residuals = known.map((value, index) => {
      const residual = index === 0 ? 0 : value - sum / index;
      sum += value;
      return residual;
    });
    const deviation = Math.sqrt(sumOfSquares(residuals, mean(residuals)) / (residuals.length - 1));
    return deviation > 0 && (head - mean(known)) / deviation > CONBENCH_Z;
  },
});
