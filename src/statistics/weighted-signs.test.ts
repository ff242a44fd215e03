import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nearlyNormalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';
import { judgeFamily } from './sequential.ts';
import { weighedLook, weightedEstimate, type WeighedPairs } from './weighted-signs.ts';

interface Runs {
  readonly baseline: readonly number[];
  readonly head: readonly number[];
}

const pairsOf = ({ baseline, head }: Runs): WeighedPairs => ({
  differences: Float64Array.from(head, (value, i) => value - baseline[i]!),
  levels: Float64Array.from(head, (value, i) => (value + baseline[i]!) / 2),
});

/** The same runs with the sides of some pairs swapped, which the null hypothesis makes as likely. */
const swapped = ({ baseline, head }: Runs, mask: number): Runs => ({
  baseline: baseline.map((value, i) => (((mask >> i) & 1) === 1 ? head[i]! : value)),
  head: head.map((value, i) => (((mask >> i) & 1) === 1 ? baseline[i]! : value)),
});

/** p of every one of the 2^n sessions that are as likely, in order. */
const everyP = (runs: Runs): Float64Array =>
  Float64Array.from(
    { length: 2 ** runs.head.length },
    (_, mask) => weighedLook(pairsOf(swapped(runs, mask))).test(0).greater,
  ).sort();

/** A machine that is busy in some pairs, on a grid if `ticks` is given, so that there are ties and zeros. */
function drawnRuns(n: number, random: () => number, ticks?: number): Runs {
  const grid = (value: number) => (ticks === undefined ? value : Math.round(value * ticks) / ticks);
  const busy = Array.from({ length: n }, () => [0, 0, 0.3, 1][Math.floor(4 * random())] ?? 0);
  const value = (by: number) => grid(by + 0.2 * (random() - 0.5) * (1 + 4 * by));
  return { baseline: busy.map(value), head: busy.map(value) };
}

const STOP_SOON = { numRuns: 20, endOnFailure: true };

/** Logarithms of such a machine. */
const logarithms = (n: number) =>
  fc.integer({ min: 0, max: 1e9 }).map((seed) => drawnRuns(n, uniformSource(seed)));

test.each([
  [6, undefined, 10],
  [9, undefined, 10],
  [12, undefined, 3],
  [8, 64, 10],
  [10, 16, 5],
])('by brute force over all swaps of %d pairs (grid %p) p is exact', (n, ticks, sessions) => {
  const random = uniformSource(n);
  for (let session = 0; session < sessions; session++) {
    const runs = drawnRuns(n, random, ticks);
    const all = everyP(runs);
    const zeros = runs.head.filter((value, i) => value === runs.baseline[i]).length;
    let wrong = 0;
    for (let last = 0; last < all.length; last++) {
      // Equal p but for the last bits.
      if ((all[last + 1] ?? Infinity) <= all[last]! * (1 + 1e-12)) continue;
      const share = (last + 1) / all.length;
      if (Math.abs(all[last]! - share) > 1e-9) wrong++;
    }
    expect([zeros === n ? 0 : wrong, n]).toEqual([0, n]);
  }
});

test('p is the share of the signs whose sum of weights is as large', () => {
  // All levels are equal and no size is clipped, so the weights are the sizes: 4, 3, 2 and -1.
  const pairs = { differences: Float64Array.of(0.04, 0.03, 0.02, -0.01), levels: undefined };
  // +-4 +-3 +-2 +-1 is 8 or more in two of sixteen: all plus, and all but the 1.
  expect(weighedLook(pairs).test(0)).toEqual({ greater: 2 / 16, less: 15 / 16 });
});

test('a pair of a busy moment counts for less', () => {
  const random = uniformSource(4);
  const normal = nearlyNormalFrom(random);
  const busy = Array.from({ length: 30 }, (_, i) => i % 3 === 0);
  // Quiet pairs say +2 %; the busy ones say -20 % or +20 %.
  const differences = Float64Array.from(
    busy,
    (is, i) => (is ? (i % 2 === 0 ? 0.2 : -0.22) : 0.02) + 0.004 * normal(),
  );
  const levels = Float64Array.from(busy, (is) => (is ? 0.5 : 0) + 0.01 * normal());
  const weighed = weighedLook({ differences, levels });
  expect(weighed.test(0).greater).toBeLessThan(1e-4);
  expect(weighed.test(0).greater).toBeLessThan(
    weighedLook({ differences, levels: undefined }).test(0).greater,
  );
  expect(weighed.centre()).toBeCloseTo(0.02, 2);
});

test('a p that is not computed, and given as 1, is above the level', () => {
  const level = 0.01;
  fc.assert(
    fc.property(logarithms(14), (runs) => {
      const look = weighedLook(pairsOf(runs));
      const [whole, cut] = [look.test(0), look.test(0, level)];
      for (const side of ['greater', 'less'] as const)
        if (cut[side] !== whole[side]) expect([cut[side], whole[side] > 3 / 32]).toEqual([1, true]);
    }),
    STOP_SOON,
  );
});

describe('estimate and interval', () => {
  test('the estimate lies in its interval, and swapping the sides mirrors both', () => {
    fc.assert(
      fc.property(logarithms(16), (runs) => {
        const { centre, low, high } = weightedEstimate(pairsOf(runs), 0.95);
        expect(low).toBeLessThanOrEqual(centre);
        expect(high).toBeGreaterThanOrEqual(centre);
        const mirrored = weightedEstimate(pairsOf({ baseline: runs.head, head: runs.baseline }), 0.95);
        expect(mirrored.centre).toBeCloseTo(-centre, 9);
        expect(mirrored.low).toBeCloseTo(-high!, 9);
        expect(mirrored.high).toBeCloseTo(-low!, 9);
      }),
      STOP_SOON,
    );
  });

  test('a shift of the head shifts them, and another unit changes nothing', () => {
    fc.assert(
      fc.property(logarithms(16), fc.double({ min: -3, max: 3, noNaN: true }), ({ baseline, head }, by) => {
        const plain = weightedEstimate(pairsOf({ baseline, head }), 0.95);
        const shifted = weightedEstimate(pairsOf({ baseline, head: head.map((x) => x + by) }), 0.95);
        expect(shifted.centre).toBeCloseTo(plain.centre + by, 9);
        const scaled = weightedEstimate(
          pairsOf({ baseline: baseline.map((x) => x + by), head: head.map((x) => x + by) }),
          0.95,
        );
        expect(scaled.centre).toBeCloseTo(plain.centre, 9);
      }),
      STOP_SOON,
    );
  });

  test('too few pairs have no bounds', () => {
    const of = (n: number) =>
      weightedEstimate(
        { differences: Float64Array.from({ length: n }, (_, i) => i + 1), levels: undefined },
        0.95,
      );
    expect(of(5)).toMatchObject({ low: null, high: null });
    expect(of(6)).toMatchObject({ low: 1, high: 6 });
  });

  test('equal differences have no spread', () => {
    const same = { differences: new Float64Array(12).fill(0.25), levels: undefined };
    expect(weightedEstimate(same, 0.95)).toEqual({ centre: 0.25, low: 0.25, high: 0.25 });
    const zeros = { differences: new Float64Array(12), levels: undefined };
    expect(weighedLook(zeros).test(0)).toEqual({ greater: 1, less: 1 });
    expect(weightedEstimate(zeros, 0.95)).toEqual({ centre: 0, low: 0, high: 0 });
  });

  test('mostly zeros: the others decide, and the estimate is zero', () => {
    const differences = Float64Array.from({ length: 30 }, (_, i) => (i < 7 ? 0.1 + i / 1000 : 0));
    expect(weighedLook({ differences, levels: undefined }).test(0).greater).toBe(2 ** -7);
    expect(weighedLook({ differences, levels: undefined }).centre()).toBeCloseTo(0, 12);
  });
});

test("a regression's interval never spans zero", () => {
  const random = uniformSource(11);
  const normal = nearlyNormalFrom(random);
  let regressed = 0;
  for (let session = 0; session < 200; session++) {
    const busy = Array.from({ length: 30 }, () => (random() < 0.2 ? 6 : 1));
    const differences = Float64Array.from(busy, (by) => 0.04 + 0.06 * by * normal());
    const levels = Float64Array.from(busy, (by) => 0.1 * by + 0.02 * normal());
    // One test, so that alpha is larger than the error of the interval.
    const looks = [{ blocks: 30, weight: 1 }];
    const [outcome] = judgeFamily([{ worse: differences, levels, limit: 0.03 }], {
      ...{ alpha: 0.05, looks, tests: 1, method: 2 },
    });
    if (outcome?.decision !== 'regressed') continue;
    regressed++;
    expect(weightedEstimate({ differences, levels }, 0.95).low).toBeGreaterThanOrEqual(0);
  }
  expect(regressed).toBeGreaterThan(50);
});

test('more pairs than are counted have nearly the p that counting gives', () => {
  const normal = nearlyNormalFrom(uniformSource(5));
  const differences = Float64Array.from({ length: 401 }, () => 0.006 + 0.05 * normal());
  const levels = differences.map(() => 0.02 * normal());
  const approximate = weighedLook({ differences, levels }, 401).test(0).greater;
  const counted = weighedLook({ differences, levels }, 400).test(0).greater;
  expect(counted / approximate).toBeGreaterThan(0.5);
  expect(counted / approximate).toBeLessThan(2);
});

test('values that are not finite are refused', () => {
  const of = (differences: number[], levels?: number[]) => () =>
    weighedLook({ differences, levels: levels && Float64Array.from(levels) });
  expect(of([1, Number.NaN])).toThrow(RangeError);
  expect(of([1, 2], [1, Number.POSITIVE_INFINITY])).toThrow(RangeError);
  expect(of([1, 2], [1])).toThrow(RangeError);
});
