import { describe, expect, test } from '@jest/globals';
import type { Creep, History, LevelShift } from '../session/history.ts';
import { metricRule } from '../session/metric.test-support.ts';
import { concernName, concernsOf } from './concerns.ts';

const rules = {
  alpha: 0.01,
  metrics: [
    metricRule('wall_time_s', { limit: 0.03 }),
    metricRule('tasks', { limit: 0.03, better: 'higher' }),
  ],
};
const rate = { nights: 0, low: 0, high: 0.1 };
const quiet: Pick<History, 'alarms' | 'anchor' | 'shifts'> = {
  alarms: { nights: 40, regressed: rate, improved: rate },
  anchor: null,
  shifts: [],
};
const shift = (day: string, change: number, metric = 'wall_time_s'): LevelShift => ({
  ...{ variant: 'a', metric, change, p: 0.001 },
  at: { started: `2026-10-${day}T03:17:00Z`, commit: 'c'.repeat(40) },
});

const names = (shifts: readonly LevelShift[]) =>
  concernsOf({ ...quiet, shifts: [...shifts] }, rules).map(concernName);

test('quiet nights give no concern', () => {
  expect(concernsOf(quiet, rules)).toEqual([]);
});

describe('a level shift', () => {
  test('is one where the row became worse, in its own direction', () => {
    expect(names([shift('01', 0.1), shift('02', -0.1, 'tasks')])).toEqual([
      'shift a wall_time_s 2026-10-01',
      'shift a tasks 2026-10-02',
    ]);
    expect(names([shift('01', -0.1), shift('02', 0.1, 'tasks')])).toEqual([]);
  });

  test('ends if a later one takes most of it back', () => {
    expect(names([shift('01', 0.1), shift('05', -0.08)])).toEqual([]);
    // A tenth of it came back.
    expect(names([shift('01', 0.1), shift('05', -0.01)])).toEqual(['shift a wall_time_s 2026-10-01']);
    // Another row's.
    expect(names([shift('01', 0.1), shift('05', 0.5, 'tasks')])).toEqual(['shift a wall_time_s 2026-10-01']);
    // An earlier one takes nothing back.
    expect(names([shift('01', -0.3), shift('05', 0.1)])).toEqual(['shift a wall_time_s 2026-10-05']);
  });

  test('of which the second of two steps was taken back leaves the first', () => {
    expect(names([shift('01', 0.1), shift('05', 0.2), shift('09', -0.166)])).toEqual([
      'shift a wall_time_s 2026-10-01',
    ]);
  });
});

test('creep is a concern for each row', () => {
  const creep: Creep = {
    ...{ variant: 'a', metric: 'wall_time_s', now: 0.02, p: 0, kind: 'slope', size: 0.003 },
    since: { started: '2026-09-01T00:00:00Z', commit: 'c' },
  };
  const anchor = { commit: 'c', sessions: 3, first: creep.since, last: creep.since, creeps: [creep] };
  expect(concernsOf({ ...quiet, anchor }, rules)).toEqual([{ kind: 'creep', creep }]);
});

test('false alarms are a concern where their interval lies above alpha, and improvements are not counted', () => {
  const often = { nights: 4, low: 0.028, high: 0.237 };
  expect(concernsOf({ ...quiet, alarms: { nights: 40, regressed: often, improved: rate } }, rules)).toEqual([
    { kind: 'alarms', nights: 4, of: 40, low: 0.028, high: 0.237, promised: 0.01 },
  ]);
  expect(
    concernsOf(
      {
        ...quiet,
        alarms: { nights: 40, regressed: { nights: 1, low: 0.0006, high: 0.13 }, improved: often },
      },
      rules,
    ),
  ).toEqual([]);
});
