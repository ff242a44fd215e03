import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { cumulativeU, pool, tiedProbability } from './mann-whitney.ts';
import { comparedSamples, rowByRow, type Peer, type PeerData, type TwoSampleRule } from './peer.ts';
import { BENCHSTAT_VERSION, benchstatProgram, runProgram } from './programs.ts';
import { median } from './summary.ts';

const ALPHA = 0.05;
/** The standard normal value that 2.5 % lie above. */
const CRITICAL_Z = 1.959963984540054;
/** Sample size up to which the distribution of U is exact; beyond, the normal approximation. */
const EXACT_LIMIT = 50;
const EXACT_LIMIT_WITH_TIES = 25;

/** Whether two samples differ by the Mann-Whitney test as benchstat does it: two-sided, p <= 0.05. */
export function differ(x: Float64Array, y: Float64Array): boolean {
  const [m, n] = [x.length, y.length];
  if (m === 0 || n === 0) return false;
  const { above, equal, ties } = pool(x, y);
  const u = above + equal / 2;
  // A tie within one sample is a tie too.
  const tied = ties.length < m + n;
  if (!tied && m <= EXACT_LIMIT && n <= EXACT_LIMIT) return exactP(u, m, n) <= ALPHA;
  if (ties.length === 1) return false;
  const smaller = Math.min(u, m * n - u);
  if (tied && m <= EXACT_LIMIT_WITH_TIES && n <= EXACT_LIMIT_WITH_TIES)
    return 2 * smaller !== m * n && 2 * tiedProbability(2 * smaller, ties, m) <= ALPHA;
  // Normal approximation with the corrections for ties and for continuity.
  const all = m + n;
  const correction = ties.reduce((sum, size) => sum + size ** 3 - size, 0);
  const deviation = Math.sqrt((m * n * (all + 1 - correction / (all * (all - 1)))) / 12);
  const distance = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5);
  return distance >= CRITICAL_Z * deviation;
}

/** Two-sided p of U without ties. */
export function exactP(u: number, m: number, n: number): number {
  const smaller = Math.min(u, m * n - u);
  return 2 * smaller === m * n ? 1 : 2 * (cumulativeU(m, n)[smaller] ?? 0);
}

/** What benchstat prints a positive change for: the samples differ and the head's median is the higher. */
export const benchstatFlags: TwoSampleRule = (baseline, head) =>
  median(head) > median(baseline) && differ(baseline, head);

const RULE = 'Mann-Whitney U, two-sided, alpha 0.05, exact up to 50 a side; a higher median';

/**
 * benchstat's rule. Its own example runs the baseline to the end and then the head; its documentation advises to
 * interleave them, so both are worth asking.
 */
export const benchstatRule = (data: PeerData, name: string): Peer => ({
  name,
  rule: RULE,
  source: `golang.org/x/perf@${BENCHSTAT_VERSION}: benchmath/anone.go, cmd/benchstat/main.go`,
  data,
  runs: 'rule',
  flags: rowByRow(data, benchstatFlags),
});

/** The program benchstat, run once for all rows. */
export const benchstat = (folder: string, data: PeerData, name: string): Peer => ({
  name,
  rule: RULE,
  source: `benchstat of golang.org/x/perf@${BENCHSTAT_VERSION}`,
  data,
  runs: 'program',
  flags: (rows) => {
    const compared = rows.map((row) => comparedSamples(row, data));
    const scratch = mkdtempSync(join(tmpdir(), 'pacegate-benchstat-'));
    try {
      const sides = (['baseline', 'head'] as const).map((side) => {
        const path = join(scratch, side);
        writeFileSync(
          path,
          compared.map((samples, index) => benchmarkLines(index, samples?.[side])).join(''),
        );
        return path;
      });
      return readFlags(runProgram(benchstatProgram(folder), ['-format', 'csv', ...sides]), rows.length);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
});

/** One benchmark in the Go benchmark format, one line a sample. The unit is one that benchstat does not convert. */
const benchmarkLines = (index: number, samples: Float64Array = new Float64Array()): string =>
  Array.from(samples, (value) => `BenchmarkRow${index} 1 ${value} sec/op\n`).join('');

/** Columns: benchmark, centre and interval of the baseline, of the head, change ('~' where insignificant), p and n. */
const CHANGE_COLUMN = 5;

function readFlags(csv: string, count: number): boolean[] {
  const flags = Array.from({ length: count }, () => false);
  const records: string[][] = parse(csv, { relaxColumnCount: true, skipEmptyLines: true });
  let read = 0;
  for (const record of records) {
    const row = /^Row(\d+)$/.exec(record[0] ?? '');
    if (row === null) continue;
    flags[Number(row[1])] = (record[CHANGE_COLUMN] ?? '').startsWith('+');
    read++;
  }
  if (read === 0 && count > 0) throw new Error('benchstat printed no benchmark');
  return flags;
}
