import { expect, test } from '@jest/globals';
import type { TimedRun } from '../session/timings.ts';
import { uniformSource } from '../statistics/random.ts';
import { compareTimings } from './compare.ts';

/** A row of 30 pairs; `head` and `baseline` give the value of a pair from its number and its noise. */
function rowOf(
  baseline: (pair: number, noise: number) => number,
  head: (pair: number, noise: number) => number,
) {
  const random = uniformSource(3);
  const runs = Array.from({ length: 30 }, (_, pair) =>
    (['baseline', 'head'] as const).map((side): TimedRun => {
      const noise = 1 + 0.02 * (random() - 0.5);
      return {
        side,
        session: 's',
        variant: 'a',
        block: pair + 1,
        position: side === 'baseline' ? 0 : 1,
        outcome: 'ok',
        metrics: { wall_time_s: (side === 'head' ? head : baseline)(pair, noise) },
      };
    }),
  ).flat();
  const [row] = compareTimings(runs, { sameMachine: false }).rows;
  return row!;
}

const steady = (_: number, noise: number) => noise;

test('one zero in sixty runs leaves the row its answer', () => {
  const row = rowOf(steady, (pair, noise) => (pair === 4 ? 0 : noise));
  expect(row.verdict).toBe('unchanged');
  expect(row.change.estimate).toBeCloseTo(0, 2);
  expect(row.warnings[0]).toMatch(/^1 of \d+ pairs have a value that is not positive/);
});

test('a zero on the base side, in a row that is slower, does not hide the loss', () => {
  const row = rowOf(
    (pair, noise) => (pair === 0 ? 0 : noise),
    (_, noise) => 1.1 * noise,
  );
  expect(row.verdict).toBe('regressed');
  expect(row.change.low).toBeGreaterThan(0);
});

test('two zeros are a tie, and so are zeros in all pairs', () => {
  expect(
    rowOf(
      (pair, noise) => (pair % 3 === 0 ? 0 : noise),
      (pair, noise) => (pair % 3 === 0 ? 0 : noise),
    ).verdict,
  ).toBe('unchanged');
  expect(
    rowOf(
      () => 0,
      () => 0,
    ).verdict,
  ).toBe('unchanged');
});

test('if most pairs go from zero to a positive value the row is worse, without an estimate', () => {
  const row = rowOf(
    (pair, noise) => (pair % 10 === 9 ? noise : 0),
    (_, noise) => noise,
  );
  expect(row.verdict).toBe('regressed');
  expect(row.change.estimate).toBeNull();
});

test('a change of sign is the largest change in its direction', () => {
  const row = rowOf(steady, (pair, noise) => (pair % 10 === 9 ? noise : -noise));
  expect(row.verdict).toBe('improved');
});

test('only if every pair has a zero on one side is the row no_data', () => {
  const row = rowOf(() => 0, steady);
  expect(row.verdict).toBe('no_data');
  expect(row.warnings[0]).toMatch(/^every pair of wall_time_s has a value that is not positive/);
});
