import tQuantile from '@stdlib/stats-base-dists-t-quantile';
import { rowByRow, type Peer, type TwoSampleRule } from './peer.ts';
import { mean, sumOfSquares } from './summary.ts';

/** Samples of each side before tachometer first looks, and those it adds until no interval holds the horizon. */
const MINIMUM_SAMPLES = 50;
const ADDED_SAMPLES = 10;
/** Relative difference that the interval must leave aside: tachometer's default horizon, 0 %. */
const HORIZON = 0;

const criticalT = new Map<number, number>();

function critical(degrees: number): number {
  let value = criticalT.get(degrees);
  if (value === undefined) {
    value = tQuantile(0.975, degrees);
    criticalT.set(degrees, value);
  }
  return value;
}

/** 95 % interval of the relative difference of the means, (head - baseline) / baseline, as tachometer has it. */
export function relativeDifference(
  baseline: Float64Array,
  head: Float64Array,
): { readonly low: number; readonly high: number } {
  const [a, b] = [mean(baseline), mean(head)];
  const varianceOfMean = (values: Float64Array, centre: number) =>
    sumOfSquares(values, centre) / (values.length - 1) / values.length;
  // First-order error of the ratio b / a, the means being independent.
  const deviation =
    Math.sqrt(varianceOfMean(baseline, a) * b ** 2 + varianceOfMean(head, b) * a ** 2) / a ** 2;
  const margin = critical(Math.min(baseline.length, head.length) - 1) * deviation;
  const difference = b / a - 1;
  return { low: difference - margin, high: difference + margin };
}

/**
 * What tachometer calls slower: the interval lies above zero at the first look at which it does not hold the horizon.
 * A session that ends before 50 pairs is looked at once, at its end, like one that ran out of time.
 */
export const tachometerFlags: TwoSampleRule = (baseline, head) => {
  const samples = Math.min(baseline.length, head.length);
  if (samples < 2) return false;
  for (let taken = Math.min(MINIMUM_SAMPLES, samples); ; taken = Math.min(taken + ADDED_SAMPLES, samples)) {
    const { low, high } = relativeDifference(baseline.subarray(0, taken), head.subarray(0, taken));
    const unsure = low <= HORIZON && HORIZON <= high;
    if (!unsure || taken === samples) return low > HORIZON;
  }
};

export const tachometerRule: Peer = {
  name: 'tachometer',
  rule: '95 % t interval of the relative difference of means above 0 %, looked at from 50 pairs on at every 10, or at the end',
  source: 'tachometer 0.7.2 (npm): stats, runner, defaults',
  data: 'interleaved',
  runs: 'rule',
  flags: rowByRow('interleaved', tachometerFlags),
};
