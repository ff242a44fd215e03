import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';
import { twoModes } from './two-modes.ts';

const noise = (seed: number) => normalFrom(uniformSource(seed));

describe('two modes', () => {
  test('are reported with their centres and sizes, in any order of the values', () => {
    const found = twoModes([100, 120, 101, 121, 100.5, 119, 99, 120.5, 100, 101, 99.5, 120]);
    expect(found).toEqual({
      low: { centre: expect.closeTo(100, 9), n: 7 },
      high: { centre: expect.closeTo(120, 9), n: 5 },
    });
  });

  test.each([
    ['one value', [5]],
    ['five values', [1, 1, 2, 2, 2]],
    ['values that never moved', new Array<number>(20).fill(7)],
    ['a smooth range', Array.from({ length: 20 }, (_, i) => 100 + i)],
    ['two odd values of twelve', [100, 101, 99, 100, 101, 99, 100, 101, 99, 100, 150, 151]],
    ['three odd values of thirty: 10 %', Array.from({ length: 30 }, (_, i) => (i < 3 ? 150 : 100) + (i % 3))],
    // Two ticks of a clock of 10 ms at 5 s: no noise within, and nothing between.
    ['neighbouring ticks', Array.from({ length: 20 }, (_, i) => 5000 + 10 * (i % 2))],
  ])('not in %s', (_, values) => expect(twoModes(values)).toBeUndefined());

  test('two levels without any noise within are found from three values each', () => {
    expect(twoModes([10, 10, 10, 11, 11, 11])).toEqual({
      low: { centre: expect.closeTo(10, 9), n: 3 },
      high: { centre: expect.closeTo(11, 9), n: 3 },
    });
  });

  test('the unit and the order change nothing', () => {
    const values = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 6, maxLength: 40 });
    fc.assert(
      fc.property(values, (sample) => {
        const found = twoModes(sample);
        expect(twoModes([...sample].reverse())).toEqual(found);
        const scaled = twoModes(sample.map((x) => x * 1000));
        if (found === undefined) expect(scaled).toBeUndefined();
        else {
          expect(found.low.n + found.high.n).toBe(sample.length);
          expect(found.low.centre).toBeLessThan(found.high.centre);
          expect([scaled?.low.n, scaled?.high.n]).toEqual([found.low.n, found.high.n]);
          expect(scaled?.low.centre).toBeCloseTo(1000 * found.low.centre, 6);
        }
      }),
    );
  });

  test.each([12, 20, 30])('a false flag is rare with one mode, n = %d', (n) => {
    const normal = noise(n);
    const random = uniformSource(1000 + n);
    let [plain, skewed] = [0, 0];
    for (let round = 0; round < 1000; round++) {
      if (twoModes(Array.from({ length: n }, () => Math.exp(0.02 * normal())))) plain++;
      const outlier = () => (random() < 0.05 ? -5 * Math.log(1 - random()) : 0);
      if (twoModes(Array.from({ length: n }, () => Math.exp(0.02 * (normal() + outlier()))))) skewed++;
    }
    // 0.4 and at most 0.8 % of 10,000; here three standard errors more.
    expect(plain / 1000).toBeLessThan(0.011);
    expect(skewed / 1000).toBeLessThan(0.017);
  });

  test('levels 5 % apart in noise of 1 % are mostly found by 30 values', () => {
    const normal = noise(5);
    const random = uniformSource(6);
    let found = 0;
    for (let round = 0; round < 500; round++)
      if (twoModes(Array.from({ length: 30 }, () => (random() < 0.5 ? 1 : 1.05) * Math.exp(0.01 * normal()))))
        found++;
    expect(found / 500).toBeGreaterThan(0.87);
  });

  test('refuses values without a logarithm', () => {
    for (const bad of [0, -1, Number.NaN, Infinity])
      expect(() => twoModes([1, 2, 3, 4, 5, bad])).toThrow(RangeError);
  });
});
