import { expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { drawn, type Drawn } from '../session/session.test-support.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import { renderMarkdown } from './markdown.ts';
import { notJudged } from './not-judged.ts';

const METRICS: Readonly<Record<string, Drawn>> = {
  wall_time_s: { level: 0.4, change: 0, spread: 0.01 },
  cpu_time_s: { level: 0.4, change: 0, spread: 0.01 },
  max_rss_bytes: { level: 2e7, change: 0, spread: 0.002 },
  user_time_s: { level: 0.3, change: 0, spread: 0.005 },
  // Certainly more, but by less than the limit.
  system_time_s: { level: 0.1, change: 0.05, spread: 0.01 },
  page_faults_minor: { level: 9000, change: 0.2, spread: 0.01 },
  page_faults_major: { level: 0, change: 0, spread: 0 },
  startup_time_s: { level: 0.02, change: -0.1, spread: 0.01 },
};

const compared = (variants: number) => {
  const names = Array.from({ length: variants }, (_, index) => `v${index}`);
  const session = drawn(Object.fromEntries(names.map((name) => [name, METRICS])), {
    blocks: 30,
    seed: 1,
    metrics: BUILT_IN_METRICS,
  });
  return { session, comparison: compareSession(session) };
};
const groups = (variants: number) => {
  const { rows } = compared(variants).comparison;
  return notJudged(rows.filter(({ verdict }) => verdict === 'info')).map(({ title, rows: some }) => [
    title,
    [...new Set(some.map(({ metric }) => metric))],
    some.length,
  ]);
};

test('a few rows are one table', () => {
  expect(groups(2)).toEqual([
    [
      'Measured, not judged',
      ['user_time_s', 'system_time_s', 'page_faults_minor', 'page_faults_major', 'startup_time_s'],
      10,
    ],
  ]);
});

test('of many, changed metrics come first, and those that are zero on both sides are left out', () => {
  expect(groups(3)).toEqual([
    ['Measured, not judged: seems to have moved', ['page_faults_minor', 'startup_time_s'], 6],
    ['Measured, not judged: no clear change', ['user_time_s', 'system_time_s'], 6],
  ]);
  const { session, comparison } = compared(3);
  const text = renderMarkdown(comparison, session);
  expect(text).toContain('<details><summary>Measured, not judged: seems to have moved (6)</summary>');
  expect(text).toContain('<details><summary>Measured, not judged: no clear change (6)</summary>');
});
