import { describe, expect, test } from '@jest/globals';
import type { Session } from '../session/session.ts';
import { twoSided } from '../session/session.test-support.ts';
import { chooseShards, MOST_SHARDS } from './shards.ts';

/** The number of jobs of a gate, from the time that its variants take. */

/** A night in which a pair of each variant took some seconds, and each side was built in some seconds. */
function night(
  costs: Readonly<Record<string, { readonly pair: number; readonly build: number }>>,
  started = '2026-01-01T00:00:00.000Z',
): Session {
  const base = twoSided({ wall_time_s: [1, 1] });
  const [run] = base.runs;
  const [image] = base.images;
  if (run === undefined || image === undefined) throw new Error('no run');
  let clock = Date.parse(started);
  const variants = Object.keys(costs);
  const runs = Object.entries(costs).flatMap(([variant, { pair }]) =>
    ([1, 2, 3] as const).flatMap((block) =>
      (['baseline', 'head'] as const).map((side) => {
        const at = new Date(clock).toISOString();
        clock += (pair / 2) * 1000;
        return { ...run, variant, side, block, started: at, metrics: { wall_time_s: pair / 2 - 0.1 } };
      }),
    ),
  );
  const images = Object.entries(costs).flatMap(([variant, { build }]) =>
    (['baseline', 'head'] as const).map((side) => ({ ...image, variant, side, buildSeconds: build })),
  );
  return {
    ...base,
    ...{ started, variants, runs, images },
    workload: { ...base.workload, repetitions: Object.fromEntries(variants.map((name) => [name, 1])) },
  };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
const each = (count: number, pair: number, build = 10) =>
  night(Object.fromEntries(names(count).map((name) => [name, { pair, build }])));

const settings = { blocks: 30, budgetSeconds: 1200, most: 8 };

describe('the smallest number with which each job has time for its builds and all blocks', () => {
  test.each([
    // 2 * 10 s of building and 31 pairs of 4 s are 144 s: eight variants are 1152 s.
    [8, 4, 1],
    [9, 4, 2],
    [16, 4, 2],
    [17, 4, 3],
    // 2 * 10 + 31 * 40 = 1260 s: no number is enough for one variant.
    [3, 40, 3],
  ])('%i variants with pairs of %d s: %i', (count, pair, shards) => {
    const choice = chooseShards(names(count), [each(count, pair)], settings);
    expect(choice.shards).toBe(shards);
    expect(choice.costs[0]).toMatchObject({ variant: 'v0', build: 20, assumed: false });
    expect(choice.costs[0]?.pair).toBeCloseTo(pair, 1);
  });
});

test('a smaller budget needs more jobs, and fewer blocks need fewer', () => {
  const nights = [each(8, 4)];
  expect(chooseShards(names(8), nights, { ...settings, budgetSeconds: 600 }).shards).toBe(2);
  expect(chooseShards(names(16), [each(16, 4)], { ...settings, blocks: 10 }).shards).toBe(1);
});

test('it is at least one, and at most the limit, the number of variants and what GitHub takes', () => {
  const costs = { ...settings, budgetSeconds: 1 };
  expect(chooseShards(names(20), [each(20, 60)], { ...costs, most: 5 }).shards).toBe(5);
  expect(chooseShards(names(3), [each(3, 60)], costs).shards).toBe(3);
  expect(chooseShards(names(300), [], { ...costs, most: 1000 }).shards).toBe(MOST_SHARDS);
  expect(chooseShards(names(3), [each(3, 60)], { ...costs, most: 1 }).shards).toBe(1);
});

test('the longest job decides: two slow variants do not share one if their positions differ', () => {
  const slow = { pair: 20, build: 0 };
  const fast = { pair: 1, build: 0 };
  // Every second variant is slow, so two shards have all slow ones in one job: 4 * 620 s.
  const choice = chooseShards(['a', 'b', 'c', 'd'], [night({ a: slow, b: fast, c: slow, d: fast })], {
    ...settings,
    budgetSeconds: 700,
  });
  expect(choice.shards).toBe(3);
  expect(choice.seconds).toBeCloseTo(651, -1);
});

describe('a variant that no night has', () => {
  test('has the same cost as the others', () => {
    const { costs } = chooseShards(['v0', 'new'], [each(1, 4)], settings);
    expect(costs[1]).toMatchObject({ variant: 'new', build: 20, assumed: true });
    expect(costs[1]?.pair).toBeCloseTo(4, 1);
  });
  test('costs runs of two seconds if there is no night', () => {
    // 60 s of building and 31 pairs of 5 s.
    expect(chooseShards(names(5), [], settings)).toMatchObject({ shards: 1, seconds: 5 * 215 });
    expect(chooseShards(names(6), [], settings)).toMatchObject({ shards: 2, seconds: 3 * 215 });
  });
});

test('the newest night with a variant counts', () => {
  const [before, after] = [
    night({ a: { pair: 2, build: 1 } }, '2026-01-01T00:00:00.000Z'),
    night({ a: { pair: 9, build: 2 } }, '2026-01-02T00:00:00.000Z'),
  ];
  for (const nights of [
    [before, after],
    [after, before],
  ])
    expect(chooseShards(['a'], nights, settings).costs[0]?.pair).toBeCloseTo(9, 1);
});
