import tQuantile from '@stdlib/stats-base-dists-t-quantile';
import { comparedSamples, rowByRow, type Peer, type TwoSampleRule } from './peer.ts';
import { askPython, PYPERF_VERSION } from './programs.ts';
import { mean, sumOfSquares } from './summary.ts';

/** Degrees of freedom above 30 for which pyperf's table has a value; between them the next lower one holds. */
const TABLED_DEGREES = [100, 80, 60, 50, 40, 30];
/** From these degrees on pyperf takes the normal distribution's value. */
const NORMAL_DEGREES = 200;
const NORMAL_CRITICAL = 1.96;

const criticalT = new Map<number, number>();

/** The two-sided 95 % point of t as in pyperf's table: to three decimals, and by steps above 30 degrees. */
export function critical(degrees: number): number {
  if (degrees >= NORMAL_DEGREES) return NORMAL_CRITICAL;
  const tabled = TABLED_DEGREES.find((step) => degrees >= step) ?? degrees;
  let value = criticalT.get(tabled);
  if (value === undefined) {
    value = Math.round(tQuantile(0.975, tabled) * 1000) / 1000;
    criticalT.set(tabled, value);
  }
  return value;
}

/**
 * What `pyperf compare_to` calls slower and significant: a higher mean, and Student's two-sample t with pooled variance.
 * It calls samples of different sizes significant without a test, and single values too.
 */
export const pyperfFlags: TwoSampleRule = (baseline, head) => {
  const [before, after] = [mean(baseline), mean(head)];
  if (!(after > before)) return false;
  const n = baseline.length;
  if (n !== head.length || n === 1) return true;
  const degrees = 2 * n - 2;
  const pooled = (sumOfSquares(baseline, before) + sumOfSquares(head, after)) / degrees;
  return after - before >= critical(degrees) * Math.sqrt((2 * pooled) / n);
};

const DECIDES = {
  name: 'pyperf',
  rule: "Student's two-sample t with pooled variance, two-sided, 95 %; a higher mean",
  // Two files, each recorded by itself: first the one, then the other.
  data: 'sequential',
} as const;

export const pyperfRule: Peer = {
  ...DECIDES,
  source: `pyperf ${PYPERF_VERSION}: pyperf/_utils.py (is_significant), pyperf/_compare.py`,
  runs: 'rule',
  flags: rowByRow(DECIDES.data, pyperfFlags),
};

/** pyperf's own comparison, in one Python process for all rows. */
export const pyperf = (folder: string): Peer => ({
  ...DECIDES,
  source: `pyperf ${PYPERF_VERSION} (PyPI): the comparison of compare_to`,
  runs: 'program',
  flags: (rows) =>
    askPython(
      folder,
      'pyperf',
      rows.map((row) => comparedSamples(row, DECIDES.data)),
    ),
});
