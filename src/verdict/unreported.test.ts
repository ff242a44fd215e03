import { expect, test } from '@jest/globals';
import type { MetricRule } from '../session/metric.ts';
import { twoSided } from '../session/session.test-support.ts';
import { compareSession } from './compare.ts';
import { unreported } from './unreported.ts';
import { metricRule } from '../session/metric.test-support.ts';

const judged = (name: string, change: Partial<MetricRule> = {}): MetricRule => ({
  ...metricRule(name, { unit: '' }),
  ...change,
});
const warmed = (rules: readonly MetricRule[], metrics: Readonly<Record<string, number>>) => {
  const whole = twoSided({}, rules);
  const warmup = whole.runs.slice(0, 2).map((run) => ({ ...run, block: 0, metrics }));
  return { ...whole, runs: [], warmup };
};

test('a judged metric that no side reports is an error after the warm-up, with the reported names and the likely one', () => {
  const session = warmed([judged('latency_p99_s')], { wall_time_s: 1, latency_p9_s: 0.1, tasks: 4 });
  const [failure, ...rest] = unreported(session);
  expect(rest).toEqual([]);
  expect(failure).toMatchObject({ variant: 'a', stage: 'metrics' });
  expect(failure?.message.split('\n').slice(0, 2)).toEqual([
    'a: the configuration judges latency_p99_s, but no run of the warm-up reported it (did you mean latency_p9_s?)',
    'The workload reported: latency_p9_s, tasks.',
  ]);
  const { verdict, rows } = compareSession({ ...session, failures: [failure!] });
  expect(verdict).toBe('no_data');
  expect(rows[0]?.warnings[0]).toContain('did you mean latency_p9_s?');
});

test.each<[string, MetricRule[], Record<string, number>]>([
  ['one side alone may be what the change is about', [judged('tasks')], { tasks: 4 }],
  ['what nobody judges may be missing', [judged('tasks', { gate: false })], { wall_time_s: 1 }],
  ['the engine’s own may come with the blocks', [judged('anonymous_memory_bytes')], { wall_time_s: 1 }],
  ['a hybrid may be made of these', [judged('per', { formula: 'anonymous_memory_bytes / 2' })], {}],
])('%s', (_, rules, metrics) => {
  expect(unreported(warmed(rules, metrics))).toEqual([]);
});

test('a failed warm-up reports no missing metrics', () => {
  const session = warmed([judged('tasks')], {});
  const warmup = session.warmup.map((run) => ({ ...run, outcome: 'nonzero' as const }));
  expect(unreported({ ...session, warmup })).toEqual([]);
});
