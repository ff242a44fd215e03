import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changePoints } from './change-points.ts';
import { normalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';

const noise = (seed: number) => normalFrom(uniformSource(seed));

const series = (seed: number, n: number, level: (night: number) => number) => {
  const normal = noise(seed);
  return Array.from({ length: n }, (_, night) => 7 + 0.01 * normal() + level(night));
};
const step =
  (at: number, size = 0.03) =>
  (night: number) =>
    night >= at ? size : 0;
const indices = (values: readonly number[]) => changePoints(values).map(({ index }) => index);

describe('change points', () => {
  test('a clean step by hand: the first night of the new level, in levels and as a fraction', () => {
    const values = [...new Array<number>(10).fill(2), ...new Array<number>(10).fill(2 + Math.log(1.5))];
    const random = uniformSource(2);
    // Two of the 184,756 orders part as well, this one and its mirror: none of 999 comes upon them.
    expect(changePoints(values, { random })).toEqual([
      { index: 10, before: 2, after: 2 + Math.log(1.5), change: expect.closeTo(0.5, 12), p: 0.001 },
    ]);
  });

  test.each([
    ['empty', []],
    ['one night', [1]],
    ['nine nights, which hold no two levels of five', [1, 1, 1, 1, 5, 5, 5, 5, 5]],
    ['nights that never moved', new Array<number>(90).fill(3)],
    // 2 of C(10, 5) = 252 orders are as far apart: p is about 0.008.
    ['ten nights, too few for a p of 0.001', [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]],
  ])('none: %s', (_, values) => expect(changePoints(values)).toEqual([]));

  test('the ten nights pass at a level that they can reach', () => {
    expect(changePoints([1, 1, 1, 1, 1, 2, 2, 2, 2, 2], { level: 0.02 })).toMatchObject([{ index: 5 }]);
  });

  test('none in noise, but for the one in a thousand that the level allows', () => {
    let alarms = 0;
    for (let seed = 1; seed <= 300; seed++) if (changePoints(series(seed, 90, () => 0)).length > 0) alarms++;
    // P(more than 3 of 300 at 0.001) is 0.0003.
    expect(alarms).toBeLessThanOrEqual(3);
  });

  test('a step of 3 % in noise of 1 % within two nights', () => {
    let near = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const [found, ...others] = changePoints(series(seed, 90, step(40)));
      if (found && Math.abs(found.index - 40) <= 2 && others.length === 0) near++;
      if (found) expect(Math.abs(found.change - 0.03)).toBeLessThan(0.015);
    }
    expect(near).toBeGreaterThanOrEqual(19);
  });

  test.each([
    ['two steps', (night: number) => step(30)(night) + step(60)(night), [30, 60]],
    ['up and down again', (night: number) => step(40)(night) - step(55)(night), [40, 55]],
    [
      'a step and half of it back',
      (night: number) => step(25, 0.04)(night) - step(60, 0.02)(night),
      [25, 60],
    ],
  ])('%s', (_, level, truth) => {
    let right = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const found = indices(series(seed, 90, level));
      if (found.length === 2 && found.every((index, i) => Math.abs(index - truth[i]!) <= 2)) right++;
    }
    expect(right).toBeGreaterThanOrEqual(7);
  });

  test('ten bad nights in two hundred do not hide', () => {
    const found = indices(series(3, 200, (night) => step(100)(night) - step(110)(night)));
    expect(found).toHaveLength(2);
    expect(Math.abs(found[0]! - 100)).toBeLessThanOrEqual(2);
    expect(Math.abs(found[1]! - 110)).toBeLessThanOrEqual(2);
  });

  test('levels keep the minimum, and the same series gives the same answer', () => {
    const values = series(5, 60, step(52, 0.2));
    expect(indices(values)).toEqual([52]);
    expect(changePoints(values)).toEqual(changePoints(values));
    expect(changePoints(values, { minimum: 10 }).every(({ index }) => index >= 10 && index <= 50)).toBe(true);
  });

  test('do not depend on the unit, mirror with the values, and scale only in size', () => {
    // Whole numbers and powers of two: sums stay exact, so that nothing hangs on rounding.
    const levels = fc.array(fc.tuple(fc.integer({ min: 5, max: 10 }), fc.integer({ min: -40, max: 40 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(
        levels,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: -512, max: 512 }),
        (parts, seed, shift) => {
          const random = uniformSource(seed);
          const values = parts.flatMap(([nights, level]) =>
            Array.from({ length: nights }, () => level + Math.floor(4 * random())),
          );
          const found = changePoints(values);
          const shifted = changePoints(values.map((x) => x + shift));
          expect(shifted.map(({ index, p }) => [index, p])).toEqual(found.map(({ index, p }) => [index, p]));
          expect(shifted.map(({ change }) => change)).toEqual(found.map(({ change }) => change));
          const scaled = changePoints(values.map((x) => x * -4));
          expect(scaled.map(({ index, p }) => [index, p])).toEqual(found.map(({ index, p }) => [index, p]));
          // Adding zero makes a negative zero a plain one.
          expect(scaled.map(({ before }) => before + 0)).toEqual(found.map(({ before }) => -4 * before + 0));
          for (const [i, { index }] of found.entries())
            expect(index - (found[i - 1]?.index ?? 0)).toBeGreaterThanOrEqual(5);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('refuses values that are not numbers, and does not change the series', () => {
    expect(() => changePoints([1, Number.NaN])).toThrow(RangeError);
    for (const rules of [{ minimum: 1 }, { minimum: 5.5 }, { level: 0 }, { level: 1 }])
      expect(() => changePoints([1, 2], rules)).toThrow(RangeError);
    const values = Object.freeze(series(1, 40, step(20)));
    expect(indices(values)).toHaveLength(1);
  });
});
