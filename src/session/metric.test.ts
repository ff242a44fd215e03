import { expect, test } from '@jest/globals';
import { defaultRule, unitOfName } from './metric.ts';

test.each([
  ['wall_time_s', 's'],
  ['max_rss_bytes', 'bytes'],
  ['tasks', ''],
])('the unit of %s is "%s"', (name, unit) => expect(unitOfName(name)).toBe(unit));

test('a built-in metric keeps its own rule, an unknown one is a business metric', () => {
  expect(defaultRule('memory_peak_bytes', true).gate).toBe(false);
  expect(defaultRule('tasks', true)).toEqual({
    name: 'tasks',
    unit: '',
    better: 'lower',
    gate: true,
    limit: 0.03,
  });
});
