import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { blocksNeeded, capOf, firstReachable, looksFor, PROFILES } from './looks.ts';

test('the balanced looks', () => {
  expect(looksFor('balanced', 30).map(({ blocks, weight }) => [blocks, weight])).toEqual([
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
] as const)('%s with at most %d blocks looks at %j, the last with %d', (profile, cap, blocks, last) => {
  const looks = looksFor(profile, cap);
  expect(looks.map((look) => look.blocks)).toEqual(blocks);
  expect(looks.at(-1)?.weight).toBeCloseTo(last, 12);
});

test('whatever the cap, the looks grow and their weights never spend more than alpha', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PROFILES), fc.integer({ min: 1, max: 200 }), (profile, cap) => {
      const looks = looksFor(profile, cap);
      const spent = looks.reduce((sum, { weight }) => sum + weight, 0);
      expect(spent).toBeLessThanOrEqual(1);
      expect(spent).toBeGreaterThan(0.6);
      expect(looks.at(-1)?.blocks).toBe(cap);
      for (const [index, { blocks, weight }] of looks.entries()) {
        expect(blocks).toBeGreaterThan(looks[index - 1]?.blocks ?? 0);
        expect(weight).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('every profile can find something among seven variants and three metrics', () => {
  for (const profile of PROFILES)
    expect(firstReachable(looksFor(profile, capOf(profile)), 21, 0.05)).toBeDefined();
});

test('a look without weight reaches nothing, however many blocks it has', () => {
  expect(firstReachable([{ blocks: 1000, weight: 0 }], 1, 0.05)).toBeUndefined();
});

test('the first look that can reach significance is the first whose smallest p is below its share', () => {
  // 2^-12 is 0.000244, and 21 tests leave the look at 12 blocks 0.05 x 0.105 / 21 = 0.00025.
  expect(firstReachable(looksFor('balanced', 30), 21, 0.05)).toBe(12);
  // 22 tests leave it 0.00024.
  expect(firstReachable(looksFor('balanced', 30), 22, 0.05)).toBe(16);
  expect(firstReachable(looksFor('balanced', 8), 21, 0.05)).toBeUndefined();
  expect(blocksNeeded(21, 0.05, 0.105)).toBe(12);
});
