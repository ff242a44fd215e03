import { describe, expect, test } from '@jest/globals';
import signrankCdf from '@stdlib/stats-base-dists-signrank-cdf';
import fc from 'fast-check';
import { hodgesLehmann } from './hodges-lehmann.ts';
import { holm } from './holm.ts';
import { normalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';
import { predict } from './prediction.ts';
import { blocksNeeded } from './looks.ts';
import { signedRank, signedRankGreater, walshBoundRank } from './signed-rank.ts';

describe('the signed-rank p', () => {
  test.each([
    // Ranks 1 2 3, all positive: one of 2^3 sign patterns reaches 6.
    [[1, 2, 3], 1 / 8],
    // Ranks 2 and 3 positive, sum 5: patterns 2+3, 1+2+3 reach it.
    [[-1, 2, 3], 2 / 8],
    [[-1, -2, -3], 1],
    // Mid-ranks 1.5 1.5 3: sums reaching 4.5 are {1.5+3 twice, 1.5+1.5+3}.
    [[-1, 1, 3], 3 / 8],
    // The zero takes rank 1, the others 2 and 3: two coins, one pattern.
    [[0, 1, 2], 1 / 4],
    [[0, 0], 1],
    [[], 1],
  ])('of %j is %d', (differences, p) => expect(signedRankGreater(differences)).toBeCloseTo(p, 12));

  /** All 2^n sign patterns of the non-zero differences, ranks by counting: nothing shared with the code. */
  const bruteForce = (differences: readonly number[]): number => {
    const rankOf = (d: number) =>
      differences.filter((other) => Math.abs(other) < Math.abs(d)).length +
      (differences.filter((other) => Math.abs(other) === Math.abs(d)).length + 1) / 2;
    const ranks = differences.filter((d) => d !== 0).map(rankOf);
    const found = differences.filter((d) => d > 0).reduce((sum, d) => sum + rankOf(d), 0);
    let reached = 0;
    for (let pattern = 0; pattern < 2 ** ranks.length; pattern++)
      if (ranks.reduce((sum, r, i) => sum + ((pattern >> i) & 1 ? r : 0), 0) >= found) reached++;
    return reached / 2 ** ranks.length;
  };

  test('equals brute force over all sign patterns, ties and zeros included', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 12 }), (d) => {
        expect(signedRankGreater(d)).toBeCloseTo(bruteForce(d), 12);
      }),
    );
  });

  test('equals the published distribution without ties', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.boolean()), (n, signs) => {
        const d = Array.from({ length: n }, (_, i) => (signs.next().value ? i + 1 : -(i + 1)));
        const sum = d.filter((x) => x > 0).reduce((a, b) => a + b, 0);
        expect(signedRankGreater(d)).toBeCloseTo(1 - signrankCdf(sum - 1, n), 10);
      }),
    );
  });

  test('does not change with the scale, and its mirror is the other side’s', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 15 }), (d) => {
        const p = signedRankGreater(d);
        expect(signedRankGreater(d.map((x) => x * 8))).toBe(p);
        // Both tails together hold everything, and the value found twice.
        expect(p + signedRankGreater(d.map((x) => -x))).toBeGreaterThanOrEqual(1 - 1e-12);
      }),
    );
  });

  test('both directions, a centre and a part of the sample give the same as separate computations', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: -3, max: 3 }),
        fc.nat(),
        (d, centre, cut) => {
          const n = 1 + (cut % d.length);
          const { greater, less } = signedRank(d, centre, n);
          const part = d.slice(0, n).map((x) => x - centre);
          expect(greater).toBeCloseTo(bruteForce(part), 12);
          expect(less).toBeCloseTo(bruteForce(part.map((x) => -x)), 12);
        },
      ),
    );
  });

  test('refuses values that are not numbers', () => {
    expect(() => signedRankGreater([1, Number.NaN])).toThrow(RangeError);
    expect(() => signedRankGreater([Infinity])).toThrow(RangeError);
  });
});

describe('the Hodges-Lehmann estimate', () => {
  test('of 1, 2, 4 is the median of 1 1.5 2 2.5 3 4', () => {
    expect(hodgesLehmann([4, 1, 2], 0.95)).toEqual({ centre: 2.25, low: null, high: null });
  });

  test('needs six values for a bound at 95 %: 2 x 2^-6 = 0.031', () => {
    expect(hodgesLehmann([1, 2, 3, 4, 5], 0.95).low).toBeNull();
    // The first and last Walsh average: the extremes themselves.
    expect(hodgesLehmann([1, 2, 3, 4, 5, 6], 0.95)).toEqual({ centre: 3.5, low: 1, high: 6 });
  });

  test('bounds by the rank of the tables: k = 4 at n = 8, 9 at n = 10, 53 at n = 20', () => {
    // Hollander and Wolfe, table A.4, upper 0.025 points: T(8) = 33, T(10) = 47, T(20) = 158.
    expect([8, 10, 20].map((n) => walshBoundRank(n, 0.95))).toEqual([4, 9, 53]);
  });

  test('lies in its interval, is negated with the values and scales with them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 6, maxLength: 25 }), (d) => {
        const { centre, low, high } = hodgesLehmann(d, 0.95);
        expect(low).toBeLessThanOrEqual(centre);
        expect(high).toBeGreaterThanOrEqual(centre);
        const mirrored = hodgesLehmann(
          d.map((x) => -x),
          0.95,
        );
        expect(mirrored.centre).toBeCloseTo(-centre, 9);
        expect(mirrored.low).toBeCloseTo(-(high ?? Number.NaN), 9);
        expect(
          hodgesLehmann(
            d.map((x) => x * 4),
            0.95,
          ).centre,
        ).toBeCloseTo(4 * centre, 9);
      }),
    );
  });

  test('covers a known truth in 95 % of seeded samples or more', () => {
    const normal = normalFrom(uniformSource(20_240_601));
    const rounds = 2000;
    let covered = 0;
    for (let round = 0; round < rounds; round++) {
      const { low, high } = hodgesLehmann(
        Array.from({ length: 12 }, () => 0.4 + normal()),
        0.95,
      );
      if (low !== null && high !== null && low <= 0.4 && high >= 0.4) covered++;
    }
    // Exact coverage at n = 12 is 95.8 %; three standard errors of 2,000 rounds are 1.3 %.
    expect(covered / rounds).toBeGreaterThan(0.945);
    expect(covered / rounds).toBeLessThan(0.972);
  });
});

describe('Holm', () => {
  test('by hand: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.5', () => {
    expect(holm([0.03, 0.01, 0.5, 0.02])).toEqual([0.06, 0.04, 0.5, 0.06]);
  });
  test('planned tests that were not made count', () => {
    expect(holm([0.01], 5)).toEqual([0.05]);
    expect(() => holm([0.1, 0.2], 1)).toThrow('a family of 1 cannot hold 2 tests');
  });
  test('never goes below p nor above 1, and keeps the order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (p) => {
        const adjusted = holm(p);
        for (const [i, value] of adjusted.entries()) {
          expect(value).toBeGreaterThanOrEqual(p[i]!);
          expect(value).toBeLessThanOrEqual(1);
          for (const [j, other] of adjusted.entries())
            if (p[i]! < p[j]!) expect(value).toBeLessThanOrEqual(other);
        }
      }),
    );
  });
});

describe('the prediction from earlier sessions', () => {
  test('by hand: 1 2 3 predict 2 ± 4.303 x 1 x sqrt(4/3)', () => {
    const prediction = predict([1, 2, 3], 0.95);
    expect(prediction.centre).toBe(2);
    expect(prediction.high).toBeCloseTo(2 + 4.3027 * Math.sqrt(4 / 3), 3);
    expect(prediction.low).toBeCloseTo(2 - 4.3027 * Math.sqrt(4 / 3), 3);
    // t = 2 with two degrees of freedom: P(T > t) = 1/2 - t / (2 sqrt(2 + t^2)).
    expect(prediction.above(2 + 2 * Math.sqrt(4 / 3))).toBeCloseTo(0.5 - 2 / (2 * Math.sqrt(6)), 10);
    expect(prediction.below(2)).toBeCloseTo(0.5, 12);
    expect(prediction.above(5, 3)).toBeCloseTo(0.5, 12);
  });
  test('two values are enough, one is not', () => {
    expect(predict([1, 3], 0.95).centre).toBe(2);
    expect(() => predict([1], 0.95)).toThrow('a prediction needs at least two earlier values');
  });
  test('values that never moved find anything else impossible', () => {
    const prediction = predict([7, 7, 7], 0.95);
    expect([prediction.above(8), prediction.above(6), prediction.below(7)]).toEqual([0, 1, 0.5]);
    expect([prediction.below(8), prediction.below(6), prediction.above(7)]).toEqual([1, 0, 0.5]);
  });
});

test.each([
  [21, 0.05, 9],
  [1, 0.05, 5],
  [9, 0.05, 8],
  [16, 0.5, 5],
])('%d tests at alpha %d need %d blocks', (tests, alpha, blocks) => {
  expect(blocksNeeded(tests, alpha)).toBe(blocks);
  expect(2 ** -blocks).toBeLessThanOrEqual(alpha / tests);
  expect(2 ** -(blocks - 1)).toBeGreaterThan(alpha / tests);
});
