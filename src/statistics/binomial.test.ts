import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clopperPearson, lowerBound, upperBound } from './binomial.ts';

/** P(X = k) for X binomial: products alone, nothing shared with the code. */
function probability(k: number, n: number, p: number): number {
  let value = (1 - p) ** (n - k);
  for (let i = 1; i <= k; i++) value *= ((n - k + i) / i) * p;
  return value;
}

const counts = fc
  .integer({ min: 1, max: 400 })
  .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));

describe('the exact interval', () => {
  test.each([1, 5, 30, 2500])('of 0 in %d ends where (1 - p)^n = 0.025', (n) => {
    const { low, high } = clopperPearson(0, n);
    expect(low).toBe(0);
    expect(high).toBeCloseTo(1 - 0.025 ** (1 / n), 12);
    expect(clopperPearson(n, n)).toEqual({ low: expect.closeTo(0.025 ** (1 / n), 12), high: 1 });
  });

  test.each([
    // Published tables: Clopper and Pearson's chart as tabulated by Zar, Biostatistical Analysis, and R's binom.test.
    [1, 10, 0.0025, 0.445],
    [2, 10, 0.0252, 0.5561],
    [5, 10, 0.1871, 0.8129],
    [10, 100, 0.049, 0.1762],
  ])('of %d in %d is %d to %d', (successes, trials, low, high) => {
    const interval = clopperPearson(successes, trials);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('of no trials is 0 to 1', () => expect(clopperPearson(0, 0)).toEqual({ low: 0, high: 1 }));

  test('gives a one-sided bound: the rule of three, 3 / n', () => {
    expect(upperBound(0, 300)).toBeCloseTo(1 - 0.05 ** (1 / 300), 12);
    expect(Math.abs(upperBound(0, 300) - 3 / 300)).toBeLessThan(1e-4);
    expect(lowerBound(0, 300)).toBe(0);
    expect(upperBound(300, 300)).toBe(1);
  });

  test('leaves out exactly its share of each tail', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 40 })
          .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n))),
        fc.constantFrom(0.8, 0.95, 0.99),
        ([k, n], confidence) => {
          const { low, high } = clopperPearson(k, n, confidence);
          const tail = (from: number, to: number, p: number) =>
            Array.from({ length: to - from + 1 }, (_, i) => probability(from + i, n, p)).reduce(
              (a, b) => a + b,
              0,
            );
          if (k > 0) expect(tail(k, n, low)).toBeCloseTo((1 - confidence) / 2, 9);
          if (k < n) expect(tail(0, k, high)).toBeCloseTo((1 - confidence) / 2, 9);
        },
      ),
    );
  });

  test.each([1, 2, 5, 10, 20])('covers every truth at least as often as it says, n = %d', (n) => {
    for (const confidence of [0.8, 0.95]) {
      const intervals = Array.from({ length: n + 1 }, (_, k) => clopperPearson(k, n, confidence));
      for (let truth = 0.005; truth < 1; truth += 0.005) {
        let covered = 0;
        for (const [k, { low, high }] of intervals.entries())
          if (low <= truth && truth <= high) covered += probability(k, n, truth);
        expect(covered).toBeGreaterThanOrEqual(confidence - 1e-9);
      }
    }
  });

  test('contains the observed rate, mirrors with the failures and shrinks with the trials', () => {
    fc.assert(
      fc.property(counts, ([k, n]) => {
        const { low, high } = clopperPearson(k, n);
        expect(low).toBeLessThanOrEqual(k / n);
        expect(high).toBeGreaterThanOrEqual(k / n);
        const mirrored = clopperPearson(n - k, n);
        expect(mirrored.low).toBeCloseTo(1 - high, 9);
        expect(mirrored.high).toBeCloseTo(1 - low, 9);
        const doubled = clopperPearson(2 * k, 2 * n);
        expect(doubled.high - doubled.low).toBeLessThan(high - low);
      }),
    );
  });

  test('refuses counts and confidences out of range', () => {
    for (const [k, n] of [
      [-1, 10],
      [11, 10],
      [1.5, 10],
      [1, Number.NaN],
    ] as const)
      for (const bound of [clopperPearson, lowerBound, upperBound])
        expect(() => bound(k, n)).toThrow('is not a count');
    for (const confidence of [0, 1, Number.NaN])
      for (const bound of [clopperPearson, lowerBound, upperBound])
        expect(() => bound(1, 10, confidence)).toThrow('it must be between 0 and 1');
  });
});
