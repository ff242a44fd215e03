/**
 * `node benchmarks/gate/peers/check.ts [seed]`: holds the peers' rules to tables that can be done by hand and to the
 * peers' own programs, on rows without a difference, with one, and at the edge of each rule's decision.
 */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { markdownTable } from 'markdown-table';
import { uniformSource } from '../../../src/statistics/random.ts';
import { asvFlags } from './asv.ts';
import { benchstatFlags, differ, exactP } from './benchstat.ts';
import { bencher, conbench, rustcPerf } from './history.ts';
import { codspeed, githubActionBenchmark, lastNightOverFivePercent } from './last-night.ts';
import { pool, tiedProbability } from './mann-whitney.ts';
import type { PeerSamples, TwoSampleRule } from './peer.ts';
import { programs, RULES } from './peers.ts';
import { critical, pyperfFlags } from './pyperf.ts';
import { relativeDifference, tachometerFlags } from './tachometer.ts';

const samples = (...values: number[]): Float64Array => Float64Array.from(values);

/** The same two samples whichever way a peer takes them. */
const everyWay = (baseline: Float64Array, head: Float64Array, nights = [baseline]): PeerSamples => ({
  baseline,
  head,
  sequential: { baseline, head },
  nights,
});

function checkByHand(): void {
  const near = (actual: number, expected: number) => strictEqual(actual.toFixed(12), expected.toFixed(12));

  // Fully separated samples: 2 of the C(2n, n) ways to deal the ranks out are as extreme.
  near(exactP(0, 2, 2), 2 / 6);
  near(exactP(0, 3, 3), 2 / 20);
  near(exactP(9, 3, 3), 2 / 20);
  near(exactP(0, 4, 4), 2 / 70);
  near(exactP(1, 4, 4), 4 / 70);
  strictEqual(exactP(8, 4, 4), 1);
  strictEqual(differ(samples(1, 2, 3), samples(4, 5, 6)), false);
  strictEqual(differ(samples(1, 2, 3, 4), samples(5, 6, 7, 8)), true);
  // {1, 2} and {2, 3} have U = 0.5; so have 2 of the 6 ways to deal 1, 2, 2, 3 out, and none has less.
  const { above, equal, ties } = pool(samples(1, 2), samples(2, 3));
  deepStrictEqual({ above, equal, ties }, { above: 0, equal: 1, ties: [1, 2, 1] });
  near(tiedProbability(1, ties, 2), 2 / 6);
  near(tiedProbability(0, ties, 2), 0);
  near(tiedProbability(8, ties, 2), 1);
  strictEqual(differ(samples(5, 5, 5, 5), samples(5, 5, 5, 5)), false);

  // Six a side cannot reach p < 0.002 (2 / 924), seven can (2 / 3432); a tenth more is not over 1.1 times.
  const upTo = (n: number, from: number) =>
    Float64Array.from({ length: n }, (_, index) => from + index / 1000);
  strictEqual(asvFlags(upTo(6, 1), upTo(6, 2)), false);
  strictEqual(asvFlags(upTo(7, 1), upTo(7, 2)), true);
  strictEqual(asvFlags(upTo(7, 1), upTo(7, 1.1)), false);

  deepStrictEqual(
    [4, 30, 39, 40, 59, 199, 200].map(critical),
    [2.776, 2.042, 2.042, 2.021, 2.009, 1.984, 1.96],
  );
  // t = 1 / sqrt(2 / 3) and 3 / sqrt(2 / 3), against 2.776.
  strictEqual(pyperfFlags(samples(1, 2, 3), samples(2, 3, 4)), false);
  strictEqual(pyperfFlags(samples(1, 2, 3), samples(4, 5, 6)), true);
  strictEqual(pyperfFlags(samples(4, 5, 6), samples(1, 2, 3)), false);
  strictEqual(pyperfFlags(samples(1, 2, 3), samples(2.001, 2)), true);

  // Means 2 and 3 of variance 1: 50 % with a standard error of sqrt(1/3 * 9 + 1/3 * 4) / 4, times t = 4.303 of 2 degrees.
  const { low, high } = relativeDifference(samples(1, 2, 3), samples(2, 3, 4));
  near((low + high) / 2, 0.5);
  strictEqual(((high - low) / 2).toFixed(3), '2.239');
  strictEqual(tachometerFlags(samples(1, 2, 3), samples(2, 3, 4)), false);
  strictEqual(tachometerFlags(samples(9, 10, 11), samples(19, 20, 21)), true);

  const onNights = (nights: number[], head: number) =>
    everyWay(
      samples(head),
      samples(head),
      nights.map((night) => samples(night)),
    );
  deepStrictEqual(
    githubActionBenchmark.flags([onNights([9, 1], 2), onNights([9, 1], 2.01), onNights([], 9)]),
    [false, true, false],
  );
  deepStrictEqual(lastNightOverFivePercent.flags([onNights([100], 105), onNights([100], 105.1)]), [
    false,
    true,
  ]);
  deepStrictEqual(codspeed.flags([onNights([90], 99.9), onNights([90], 100.1)]), [false, true]);
  // Mean 2, deviation sqrt(2 / 3), t(0.99) of 2 degrees 6.965: a limit of 7.687.
  deepStrictEqual(
    bencher.flags([onNights([1, 2, 3], 7.68), onNights([1, 2, 3], 7.69), onNights([2, 2, 2], 9)]),
    [false, true, false],
  );
  // Steps of 0, 1 and 1.5 away from the means before: deviation 0.764 around a mean of 2.
  deepStrictEqual(conbench.flags([onNights([1, 2, 3], 5.8), onNights([1, 2, 3], 5.83)]), [false, true]);
  // To and fro between 100 and 101: changes of 1 % and 0.99 %, quartiles the same, a fence of 1.03 %.
  const toAndFro = Array.from({ length: 30 }, (_, night) => 100 + (night % 2));
  deepStrictEqual(rustcPerf.flags([onNights(toAndFro, 101 * 1.0102), onNights(toAndFro, 101 * 1.0104)]), [
    false,
    true,
  ]);
  deepStrictEqual(rustcPerf.flags([onNights([100], 100.1), onNights([100], 100.3)]), [false, true]);
}

/** A standard normal value (Box and Muller 1958). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Rows of each kind. */
const ROWS = 1000;
const SIZES = [6, 7, 8, 10, 12, 16, 20, 21, 25, 26, 30, 40, 50, 51, 60];

/** Right-skewed samples around 1, a coefficient of variation of 0.5 to 8 %; a third of the rows rounded, so that they tie. */
function* unchangedRows(seed: number): Generator<PeerSamples, never> {
  const random = uniformSource(seed);
  for (;;) {
    const size = SIZES[Math.floor(random() * SIZES.length)] ?? 10;
    const spread = 0.005 + 0.075 * random();
    const step = random() < 1 / 3 ? spread / 4 : 0;
    const draw = () => {
      const value = Math.exp(spread * normal(random));
      return step === 0 ? value : Math.round(value / step) * step;
    };
    // A run of the head was lost.
    const lost = size > 6 && random() < 0.1 ? 1 : 0;
    yield everyWay(
      Float64Array.from({ length: size }, draw),
      Float64Array.from({ length: size - lost }, draw),
    );
  }
}

const slower = ({ baseline, head }: PeerSamples, factor: number): PeerSamples =>
  everyWay(
    baseline,
    head.map((value) => value * factor),
  );

/** The same row a hair below and a hair above the factor from which on a rule flags it. */
function edges(row: PeerSamples, flags: TwoSampleRule): PeerSamples[] {
  let [below, above] = [0.5, 3];
  for (let halving = 0; halving < 32; halving++) {
    const factor = (below + above) / 2;
    const { baseline, head } = slower(row, factor);
    if (flags(baseline, head)) above = factor;
    else below = factor;
  }
  return [slower(row, below), slower(row, above)];
}

const TWO_SAMPLE_RULES: Readonly<Record<string, TwoSampleRule>> = {
  benchstat: benchstatFlags,
  pyperf: pyperfFlags,
  asv: asvFlags,
};

/** @returns rows for a table, and how many answers differ */
function compareWithPrograms(seed: number): { readonly table: string[][]; readonly differing: number } {
  const table = [['program', 'rows', 'n', 'flagged', 'same answer', 'program, rows/s', 'rule, rows/s']];
  let differing = 0;
  for (const peer of programs().installed) {
    const rule = TWO_SAMPLE_RULES[peer.name];
    if (rule === undefined) continue;
    const rows = unchangedRows(seed);
    const random = uniformSource(seed + 1);
    const kinds = {
      unchanged: Array.from({ length: ROWS }, () => rows.next().value),
      changed: Array.from({ length: ROWS }, () => slower(rows.next().value, 0.9 + 0.35 * random())),
      edge: Array.from({ length: ROWS / 2 }, () => edges(rows.next().value, rule)).flat(),
    };
    for (const [kind, batch] of Object.entries(kinds)) {
      const [own, ownRate] = timed(batch.length, () => peer.flags(batch));
      const [ours, ourRate] = timed(batch.length, () =>
        batch.map(({ baseline, head }) => rule(baseline, head)),
      );
      const same = ours.filter((flag, index) => flag === own[index]).length;
      const flagged = own.filter(Boolean).length;
      differing += batch.length - same;
      const share = `${((100 * same) / batch.length).toFixed(1)} %`;
      table.push([peer.source, kind, `${batch.length}`, `${flagged}`, share, rate(ownRate), rate(ourRate)]);
    }
  }
  return { table, differing };
}

function timed<Result>(count: number, work: () => Result): readonly [Result, number] {
  const start = performance.now();
  const result = work();
  return [result, (1000 * count) / (performance.now() - start)];
}

const rate = (perSecond: number): string => Math.round(perSecond).toLocaleString('en');

/** Rules on rows as a simulation has them: 30 pairs, 30 nights. */
function speeds(seed: number): string[][] {
  const random = uniformSource(seed);
  const side = () => Float64Array.from({ length: 30 }, () => 1 + 0.02 * normal(random));
  const rows = Array.from({ length: 5000 }, () =>
    everyWay(
      side(),
      side(),
      Array.from({ length: 30 }, () => side()),
    ),
  );
  return [
    ['rule', 'flagged of 5,000 unchanged', 'rows/s'],
    ...RULES.map((peer) => {
      const [flags, perSecond] = timed(rows.length, () => peer.flags(rows));
      return [peer.name, `${flags.filter(Boolean).length}`, rate(perSecond)];
    }),
  ];
}

const seed = Number(process.argv[2] ?? 1);
checkByHand();
console.log('The tables done by hand hold.\n');
for (const { name, reason } of programs().missing) console.log(`${name} is not installed: ${reason}`);
const { table, differing } = compareWithPrograms(seed);
console.log(markdownTable(table));
console.log();
console.log(markdownTable(speeds(seed)));
if (differing > 0) process.exitCode = 1;
