import { expect, test } from '@jest/globals';
import { judgedMetric } from './verdict-wording.ts';

test.each([
  ['wall_time_s', 0.03, 'balanced', 'wall time'],
  ['wall_time_s', 0.05, 'balanced', 'wall time (limit 5 %)'],
  // A reader of `unchanged` must see a limit of 500 %.
  ['test_a', 5, 'balanced', 'test_a (limit 500 %)'],
  ['test_a', 0.0005, 'balanced', 'test_a (limit 0.05 %)'],
  // The defaults of a profile and of a metric are not printed.
  ['wall_time_s', 0.05, 'loose', 'wall time'],
  ['wall_time_s', 0.03, 'loose', 'wall time (limit 3 %)'],
  ['image_size_bytes', 0.05, 'strict', 'image size'],
] as const)('%s with the limit %d in profile %s is called %s', (metric, limit, profile, words) => {
  expect(judgedMetric({ metric, limit, gated: true }, { profile })).toBe(words);
  expect(judgedMetric({ metric, limit, gated: false }, { profile })).not.toContain('limit');
});

test('the size of a warning is shown next to the limit', () => {
  const row = { metric: 'wall_time_s', warn: 0.02, gated: true };
  expect(judgedMetric({ ...row, limit: 0.05 }, undefined)).toBe('wall time (limit 5 %, warning from 2 %)');
  expect(judgedMetric({ ...row, limit: 0.03 }, undefined)).toBe('wall time (warning from 2 %)');
  expect(judgedMetric({ ...row, limit: 0.03, gated: false }, undefined)).toBe('wall time');
});
