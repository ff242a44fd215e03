import { expect, test } from '@jest/globals';
import { centreOf, hodgesLehmann } from './hodges-lehmann.ts';
import { uniformSource } from './random.ts';
import { EXACT_UP_TO, signedRank } from './signed-rank.ts';

/** Samples that no gate measures and that a file may hold. */

const sample = (n: number, shift: number) => {
  const random = uniformSource(7);
  return Float64Array.from({ length: n }, () => random() - 0.5 + shift);
};

/** Every Walsh average, sorted. */
function averages(values: Float64Array): Float64Array {
  const all: number[] = [];
  for (const [i, a] of values.entries()) for (let j = 0; j <= i; j++) all.push((a + (values[j] ?? 0)) / 2);
  return Float64Array.from(all).sort();
}

test('the centre of a large sample is the median of its Walsh averages', () => {
  for (const n of [EXACT_UP_TO + 1, EXACT_UP_TO + 2, EXACT_UP_TO + 3]) {
    const values = sample(n, 0.1);
    const all = averages(values);
    const half = all.length >> 1;
    const median = all.length % 2 === 1 ? all[half]! : (all[half - 1]! + all[half]!) / 2;
    expect(centreOf(values)).toBeCloseTo(median, 12);
  }
});

test('where the approximation begins it is the exact test, nearly', () => {
  const values = sample(EXACT_UP_TO + 1, 0.03);
  const exact = signedRank(values, 0, EXACT_UP_TO);
  const { greater, less } = signedRank(values);
  expect(Math.abs(Math.log(greater / exact.greater))).toBeLessThan(0.3);
  expect(less).toBeCloseTo(exact.less, 2);
  const [few, many] = [hodgesLehmann(values, 0.95, EXACT_UP_TO), hodgesLehmann(values, 0.95)];
  expect(many.low).toBeCloseTo(few.low!, 2);
  expect(many.high).toBeCloseTo(few.high!, 2);
});

test('ties and zeros of a large sample weigh as in a small one', () => {
  expect(signedRank(new Float64Array(1000))).toEqual({ greater: 1, less: 1 });
  const tied = Float64Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 1 : -1));
  const { greater, less } = signedRank(tied);
  expect(greater).toBeCloseTo(less, 10);
  expect(greater).toBeGreaterThan(0.5);
});

test('a hundred thousand pairs take no longer than they must', () => {
  const values = sample(1e5, 0.01);
  const begun = process.cpuUsage();
  expect(centreOf(values)).toBeCloseTo(0.01, 1);
  expect(signedRank(values).greater).toBeLessThan(1e-6);
  // The cube of them would be years.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(10);
});
