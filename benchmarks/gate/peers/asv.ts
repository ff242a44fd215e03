import { binomial, cumulativeU, pool } from './mann-whitney.ts';
import { comparedSamples, rowByRow, type Peer, type TwoSampleRule } from './peer.ts';
import { ASV_VERSION, askPython } from './programs.ts';
import { median } from './summary.ts';

/** `asv continuous --factor` as it is by default. */
const FACTOR = 1.1;
const P_THRESHOLD = 0.002;
/** The standard normal value that half of that lies above. */
const CRITICAL_Z = 3.090232306167813;
/** Size of the larger sample up to which U's distribution is exact. */
const EXACT_LIMIT = 20;

/**
 * Whether two samples differ as asv has it: two-sided Mann-Whitney, p < 0.002, without corrections. Ties are broken
 * the way that is least significant.
 *
 * @throws RangeError for samples so small that asv compares confidence intervals instead (5 a side and fewer)
 */
export function differ(x: Float64Array, y: Float64Array): boolean {
  const [m, n] = [x.length, y.length];
  if (1 / binomial(m + n, Math.min(m, n)) >= P_THRESHOLD)
    throw new RangeError(`asv does not use Mann-Whitney on samples of ${m} and ${n}`);
  const { above, equal } = pool(x, y);
  const middle = Math.floor((m * n) / 2);
  // Ties go to one side or to the other, or only so many of them that U comes to its middle.
  const freed = above <= middle && above + equal >= middle ? middle - above : equal;
  const u = Math.max(Math.min(above, m * n - above), Math.min(above + freed, m * n - above - freed));
  if (Math.max(m, n) > EXACT_LIMIT) {
    const deviation = Math.sqrt((m * n * (m + n + 1)) / 12);
    return (m * n) / 2 - u > CRITICAL_Z * deviation;
  }
  const distribution = cumulativeU(m, n);
  const upper = 1 - (distribution[Math.max(middle, m * n - u - 1)] ?? 1);
  return (distribution[u] ?? 1) + upper < P_THRESHOLD;
}

/** What `asv continuous` calls worse: a median higher by more than the factor, of samples that differ. */
export const asvFlags: TwoSampleRule = (baseline, head) =>
  median(baseline) < median(head) / FACTOR && differ(baseline, head);

const DECIDES = {
  name: 'asv',
  rule: 'median over 1.1 times and Mann-Whitney U, two-sided, p < 0.002',
  // `asv continuous` interleaves the commits in two rounds; pairs are kinder to it than that.
  data: 'interleaved',
} as const;

export const asvRule: Peer = {
  ...DECIDES,
  source: `asv ${ASV_VERSION}: asv/_stats.py, asv/commands/compare.py, asv/commands/common_args.py`,
  runs: 'rule',
  flags: rowByRow(DECIDES.data, asvFlags),
};

/** asv's own functions, in one Python process for all rows. */
export const asv = (folder: string): Peer => ({
  ...DECIDES,
  source: `asv ${ASV_VERSION} (PyPI): Continuous' comparison on its own statistics of the samples`,
  runs: 'program',
  flags: (rows) =>
    askPython(
      folder,
      'asv',
      rows.map((row) => comparedSamples(row, DECIDES.data)),
    ),
});
