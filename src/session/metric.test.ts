import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  BUILT_IN_METRICS,
  defaultRule,
  DESCRIBED_METRICS,
  isTested,
  METRIC_KINDS,
  METRIC_NAME,
  metricRuleSchema,
  unitOfName,
} from './metric.ts';
import { metricRule } from './metric.test-support.ts';

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
    kind: 'paired',
  });
});

describe('a metric’s kind', () => {
  const written = { name: 'm', unit: '', better: 'lower', gate: true, limit: 0.03 } as const;
  test.each([
    ['paired', {}],
    ['exact', { deterministic: true }],
    ['once', { deterministic: true, once: true }],
    ['counted', { deterministic: true, counted: true }],
  ] as const)('%s is written as the flags %j, and read from them', (kind, flags) => {
    expect(z.encode(metricRuleSchema, metricRule('m', { kind }))).toEqual({ ...written, ...flags });
    expect(metricRuleSchema.parse({ ...written, ...flags })).toEqual(metricRule('m', { kind }));
  });

  test.each([
    [{ deterministic: false }, 'paired'],
    [{ deterministic: false, once: true }, 'paired'],
    [{ deterministic: true, once: false, counted: false }, 'exact'],
  ])('of a file with the flags %j is %s', (flags, kind) => {
    expect(metricRuleSchema.parse({ ...written, ...flags }).kind).toBe(kind);
  });

  test('is tested where it is judged and paired', () => {
    expect(METRIC_KINDS.filter((kind) => isTested({ gate: true, kind }))).toEqual(['paired']);
    expect(isTested({ gate: false, kind: 'paired' })).toBe(false);
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
    expect(Object.keys(BUILT_IN_METRICS[0] ?? {})).toEqual([
      'name',
      'unit',
      'better',
      'gate',
      'limit',
      'kind',
    ]);
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
