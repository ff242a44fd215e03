import { describe, expect, test } from '@jest/globals';
import { BUILT_IN_METRICS, defaultRule, DESCRIBED_METRICS, METRIC_NAME, unitOfName } from './metric.ts';

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

describe('every built-in metric', () => {
  test.each(DESCRIBED_METRICS.map((metric) => [metric.name, metric] as const))('%s', (name, metric) => {
    expect(name).toMatch(METRIC_NAME);
    // A unit in the name is the unit.
    if (unitOfName(name) !== '') expect(metric.unit).toBe(unitOfName(name));
    for (const sentence of [metric.what, metric.misleads]) {
      expect(sentence).toMatch(/^[A-Z0-9].*\.$/s);
      expect(sentence.length).toBeLessThan(200);
    }
  });

  test('is there once', () => {
    const names = DESCRIBED_METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('goes into a session without its description', () => {
    expect(Object.keys(BUILT_IN_METRICS[0] ?? {})).toEqual(['name', 'unit', 'better', 'gate', 'limit']);
  });

  test('that is judged by default is one of the few that make the family', () => {
    expect(BUILT_IN_METRICS.filter(({ gate }) => gate).map(({ name }) => name)).toEqual([
      'wall_time_s',
      'cpu_time_s',
      'max_rss_bytes',
      'image_size_bytes',
    ]);
  });
});
