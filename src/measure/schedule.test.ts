import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scheduleBlocks } from './schedule.ts';

const SIDES = ['baseline', 'head'] as const;

test('the same seed gives the same order, another seed another', () => {
  const order = (seed: number) => JSON.stringify(scheduleBlocks(['a', 'b', 'c'], SIDES, 20, seed));
  expect(order(1)).toBe(order(1));
  expect(order(1)).not.toBe(order(2));
});

test('each block holds a pair of every variant, and both sides of every pair', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, blocks) => {
      const variants = ['a', 'b', 'c', 'd'];
      const schedule = scheduleBlocks(variants, SIDES, blocks, seed);
      expect(schedule).toHaveLength(blocks);
      for (const block of schedule) {
        expect(block.map(({ variant }) => variant).sort()).toEqual(variants);
        for (const { order } of block) expect([...order].sort()).toEqual(['baseline', 'head']);
      }
    }),
  );
});

test('after each four blocks of a variant either side was first equally often', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 4, max: 40 }), (seed, blocks) => {
      const schedule = scheduleBlocks(['a', 'b'], SIDES, blocks, seed);
      for (const variant of ['a', 'b']) {
        const first = schedule.map((block) => block.find((pair) => pair.variant === variant)?.order[0]);
        for (let end = 4; end <= blocks; end += 4)
          expect(first.slice(0, end).filter((side) => side === 'head')).toHaveLength(end / 2);
        const heads = first.filter((side) => side === 'head').length;
        expect(Math.abs(2 * heads - blocks)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('which side is first looks like chance: neither side leads over many seeds', () => {
  let heads = 0;
  for (let seed = 0; seed < 400; seed++)
    if (scheduleBlocks(['a'], SIDES, 1, seed)[0]?.[0]?.order[0] === 'head') heads++;
  // 400 fair coins: 200 with a standard deviation of 10.
  expect(Math.abs(heads - 200)).toBeLessThan(50);
});
