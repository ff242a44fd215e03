import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  blocksNeeded,
  capOf,
  firstReachable,
  looksFor,
  METHODS,
  NEWEST_METHOD,
  PROFILES,
  steadyBlocks,
} from './looks.ts';

test('the balanced looks of files of earlier versions', () => {
  expect(looksFor('balanced', 30, 2)).toEqual(looksFor('balanced', 30, 1));
  expect(looksFor('balanced', 30, 1).map(({ blocks, weight }) => [blocks, weight])).toEqual([
    [8, 0],
    [12, 0.105],
    [16, 0.05],
    [20, 0.05],
    [25, 0.15],
    [30, 0.25],
  ]);
});

test.each([
  // The last look takes what the others left: 0.605 - 0.105 - 0.05.
  ['balanced', 20, [8, 12, 16, 20], 0.45],
  // 20 is too near to 22 to be worth its alpha.
  ['balanced', 22, [8, 12, 16, 22], 0.45],
  // Three pairs before the cap a look is worth its alpha still.
  ['balanced', 15, [8, 12, 15], 0.5],
  // The look at 8 spends nothing, so all of alpha is the last one's.
  ['balanced', 12, [8, 12], 1],
  ['balanced', 10, [10], 1],
  ['balanced', 4, [4], 1],
  ['balanced', 40, [8, 12, 16, 20, 25, 40], 0.25],
  ['loose', 20, [8, 12, 16, 20], 0.35],
] as const)(
  'files of earlier versions: %s with at most %d blocks looks at %j, the last with %d',
  (profile, cap, blocks, last) => {
    const looks = looksFor(profile, cap, 2);
    expect(looks.map((look) => look.blocks)).toEqual(blocks);
    expect(looks.at(-1)?.weight).toBeCloseTo(last, 12);
  },
);

test('the balanced looks', () => {
  const looks = looksFor('balanced', 60, 3);
  expect(looks.filter(({ weight }) => weight > 0).map(({ blocks, weight }) => [blocks, weight])).toEqual([
    [12, 0.105],
    [16, 0.1],
    [20, 0.1],
    [26, 0.05],
    [30, 0.05],
    [45, 0.1],
    [60, expect.closeTo(0.1, 12)],
  ]);
  expect(looks.map(({ blocks, unchanged }) => [blocks, unchanged])).toEqual([
    [8, 0.16],
    [10, 0.16],
    [12, 0.16],
    [14, 0.14],
    [16, 0.11],
    [20, 0.05],
    [22, 0.05],
    [26, 0.03],
    [28, 0.03],
    [30, 0.03],
    [45, 0.04],
    [60, expect.closeTo(0.04, 12)],
  ]);
});

test('a lower maximum gives its last look both shares of the looks after it', () => {
  expect(looksFor('balanced', 30, 3).at(-1)).toEqual({
    blocks: 30,
    weight: expect.closeTo(0.25, 12),
    unchanged: expect.closeTo(0.14, 12),
  });
});

test('measurements that no look ends keep to their number of pairs unless the rules name one', () => {
  expect(PROFILES.map((profile) => steadyBlocks(profile, capOf(profile)))).toEqual([30, 60, 20]);
  expect(steadyBlocks('balanced', 40)).toBe(40);
});

test('whatever the cap, the looks grow and their weights never spend more than alpha', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROFILES),
      fc.integer({ min: 1, max: 200 }),
      fc.constantFrom(...METHODS),
      (profile, cap, method) => {
        const looks = looksFor(profile, cap, method);
        const spent = looks.reduce((sum, { weight }) => sum + weight, 0);
        expect(spent).toBeLessThanOrEqual(1);
        expect(spent).toBeGreaterThan(0.6);
        const unchanged = looks.reduce((sum, look) => sum + (look.unchanged ?? 1 / looks.length), 0);
        expect(unchanged).toBeCloseTo(1, 12);
        expect(looks.at(-1)?.blocks).toBe(cap);
        for (const [index, { blocks, weight }] of looks.entries()) {
          expect(blocks).toBeGreaterThan(looks[index - 1]?.blocks ?? 0);
          expect(weight).toBeGreaterThanOrEqual(0);
        }
      },
    ),
  );
});

test('every profile can find something among seven variants and three metrics', () => {
  for (const profile of PROFILES)
    expect(firstReachable(looksFor(profile, capOf(profile), NEWEST_METHOD), 21, 0.05)).toBeDefined();
});

test('a look without weight decides nothing, however many blocks it has', () => {
  expect(firstReachable([{ blocks: 1000, weight: 0 }], 1, 0.05)).toBeUndefined();
});

test('the first look that can reach significance is the first whose smallest p is below its share', () => {
  // 2^-12 is 0.000244, and 21 tests leave the look at 12 blocks 0.05 x 0.105 / 21 = 0.00025.
  expect(firstReachable(looksFor('balanced', 30, 3), 21, 0.05)).toBe(12);
  // 22 tests leave it 0.00024.
  expect(firstReachable(looksFor('balanced', 30, 3), 22, 0.05)).toBe(16);
  expect(firstReachable(looksFor('balanced', 8, 3), 21, 0.05)).toBeUndefined();
  expect(blocksNeeded(21, 0.05, 0.105)).toBe(12);
});
