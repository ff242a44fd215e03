import { expect, test } from '@jest/globals';
import { looksFor } from './looks.ts';
import { blocksToDecide } from './outlook.ts';
import { detectableEffect, detectionRate, resample } from './power.ts';
import { nearlyNormalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';
import { judgeFamily } from './sequential.ts';

const looks = looksFor('balanced', 30, 1);
const row = { limit: 0.03, alpha: 0.05, looks, tests: 21 };

const normals = (seed: number, n: number) => Array.from({ length: n }, nearlyNormalFrom(uniformSource(seed)));

test('without any noise the smallest change that counts is found, and nothing smaller', () => {
  expect(detectableEffect({ sessions: [[0]] }, row, uniformSource(1))).toBe(0.03);
});

test('more noise needs a larger change, and too much finds none', () => {
  const noise = (spread: number) => ({ sessions: [normals(3, 60).map((x) => x * spread)] });
  const found = [0.01, 0.03, 0.1].map((spread) => detectableEffect(noise(spread), row, uniformSource(1)));
  expect(found[0]).toBeGreaterThanOrEqual(0.03);
  expect(found[1]!).toBeGreaterThan(found[0]!);
  expect(found[2]!).toBeGreaterThan(found[1]!);
  expect(detectableEffect(noise(2), row, uniformSource(1))).toBeNull();
});

test('the change it names is found in 80 of 100 sessions of fresh noise', () => {
  const spread = 0.03;
  const effect = detectableEffect(
    { sessions: [normals(5, 400).map((x) => x * spread)] },
    row,
    uniformSource(2),
  )!;
  const fresh = normals(6, 30 * 400).map((x) => x * spread);
  const series = Array.from({ length: 400 }, (_, k) => ({
    worse: Float64Array.from(fresh.slice(30 * k, 30 * k + 30)),
    levels: undefined,
  }));
  // 400 tries at 80 %: a standard error of 2 points.
  expect(detectionRate(series, effect, row)).toBeGreaterThan(0.73);
  expect(detectionRate(series, effect, row)).toBeLessThan(0.87);
});

test('a session keeps the noise of one night: busy and quiet nights are not mixed', () => {
  const series = resample(
    {
      sessions: [
        [1, 2],
        [100, 200],
      ],
    },
    looks,
    uniformSource(3),
    50,
  );
  for (const { worse } of series) expect(new Set([...worse].map((x) => x >= 100)).size).toBe(1);
  expect(new Set(series.map(({ worse }) => worse[0]! >= 100)).size).toBe(2);
});

test.each([0.01, 0.0283, 0.04])(
  'with a spread of %d unchanged rows are decided about when predicted',
  (spread) => {
    const night = normals(8, 200).map((x) => x * spread);
    const expected = blocksToDecide({ sessions: [night] }, 0, row, uniformSource(1))!;
    const draws = normals(9, 30 * 300).map((x) => x * spread);
    const decided = Array.from({ length: 300 }, (_, k) => {
      const [outcome] = judgeFamily([{ worse: draws.slice(30 * k, 30 * k + 30), limit: 0.03 }], row);
      return outcome!.decision === 'unchanged' && outcome!.blocks <= expected;
    }).filter(Boolean).length;
    expect(decided / 300).toBeGreaterThan(0.65);
  },
);

test('a change that no look can decide is reported as out of reach', () => {
  const noise = (spread: number) => ({ sessions: [normals(8, 200).map((x) => x * spread)] });
  expect(blocksToDecide(noise(0.5), 0, row, uniformSource(1))).toBeUndefined();
  expect(blocksToDecide(noise(0.03), 0.2, row, uniformSource(1))).toBe(12);
});
