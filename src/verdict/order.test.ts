import { expect, test } from '@jest/globals';
import type { TimedRun } from '../session/timings.ts';
import { uniformSource } from '../statistics/random.ts';
import { compareTimings } from './compare.ts';

/** A row of 30 unchanged pairs with a noise of 2 %, in which the second run is `slower`. */
function rowWith(slower: number, order: (pair: number) => boolean = (pair) => pair % 2 === 0, seed = 3) {
  const random = uniformSource(seed);
  const runs = Array.from({ length: 30 }, (_, pair) =>
    (['baseline', 'head'] as const).map((side): TimedRun => {
      const position = (side === 'head') === order(pair) ? 1 : 0;
      return {
        side,
        session: 's',
        variant: 'a',
        block: pair + 1,
        position,
        outcome: 'ok',
        metrics: { wall_time_s: (1 + 0.07 * (random() - 0.5)) * (position === 1 ? 1 + slower : 1) },
      };
    }),
  ).flat();
  const [row] = compareTimings(runs, { sameMachine: false }).rows;
  return row!;
}

const about = (warnings: readonly string[]) => warnings.filter((text) => text.includes('second run'));

test('a second run that is slower by more than the limit is reported with its interval', () => {
  const [text] = about(rowWith(0.1).warnings);
  const found = /is ([\d.]+) % worse than the first \(([\d.]+) % to ([\d.]+) %\)/.exec(text ?? '');
  const [estimate, low, high] = found!.slice(1).map(Number);
  expect(Math.abs(estimate! - 10)).toBeLessThan(2);
  expect(low).toBeLessThan(10);
  expect(high).toBeGreaterThan(10);
});

test('a second run that is faster is reported as better', () => {
  expect(about(rowWith(-0.1).warnings)).toEqual([expect.stringContaining('better than the first')]);
});

test('an order without effect is not reported, nor one below the limit', () => {
  for (let seed = 0; seed < 20; seed++) {
    expect(about(rowWith(0, undefined, seed).warnings)).toEqual([]);
    expect(about(rowWith(0.01, undefined, seed).warnings)).toEqual([]);
  }
});

test('where the head always runs second the order cannot be separated from a loss, and none is reported', () => {
  const row = rowWith(0.1, () => true);
  expect(row.verdict).toBe('regressed');
  expect(about(row.warnings)).toEqual([]);
});
