import { describe, expect, test } from '@jest/globals';
import { looksFor } from './looks.ts';
import { boundOutcome, signTest } from './sign-test.ts';

test.each([
  [0, 0, 1],
  [0, 5, 1],
  [5, 5, 1 / 32],
  [4, 5, 6 / 32],
  [9, 12, 299 / 4096],
])('%d of %d values above: p = %d, counted by hand', (above, n, p) =>
  expect(signTest(above, n)).toBeCloseTo(p, 12),
);

test('all signs of up to ten values, one by one, give the same p', () => {
  for (let n = 1; n <= 10; n++)
    for (let above = 0; above <= n; above++) {
      let found = 0;
      for (let signs = 0; signs < 2 ** n; signs++)
        if (signs.toString(2).replaceAll('0', '').length >= above) found++;
      expect(signTest(above, n)).toBeCloseTo(found / 2 ** n, 12);
    }
});

test('long sessions do not lose it in rounding', () => {
  expect(signTest(1001, 2001)).toBeCloseTo(0.5, 9);
  expect(signTest(5000, 5000)).toBe(0);
});

test.each([
  [-1, 3],
  [4, 3],
  [0.5, 3],
])('%d of %d is not a count', (above, n) => expect(() => signTest(above, n)).toThrow(RangeError));

describe('a bound, at the looks of the balanced profile', () => {
  const looks = looksFor('balanced', 30, 2);
  const of = (beyond: (run: number) => boolean, runs = 30, tests = 1) =>
    boundOutcome(
      Array.from({ length: runs }, (_, run) => beyond(run)),
      looks,
      { share: 0.05 / tests, alpha: 0.05 },
    );

  test('is exceeded where all runs are beyond it, from twelve on: 2^-12 is below 0.105 x 0.05 / 21', () => {
    expect(of(() => true, 12, 21)).toBe('beyond');
    expect(of(() => true, 12, 22)).toBe('open');
    expect(of(() => true, 11)).toBe('open');
  });

  test('is kept where all of eight runs are within it, and later runs do not change that', () => {
    expect(of(() => false, 8)).toBe('within');
    expect(of((run) => run >= 8)).toBe('within');
  });

  test('is open where half of the runs are beyond it', () => expect(of((run) => run % 2 === 0)).toBe('open'));
});
