import { expect, test } from '@jest/globals';
import { twoSided } from '../session/session.test-support.ts';
import { compareSession } from '../verdict/compare.ts';
import type { Comparison, Row } from '../verdict/comparison.ts';
import { headline } from './headline.ts';
import { probableWords } from './probable-loss.ts';

const [like] = compareSession(twoSided({ wall_time_s: [1, 1] })).rows;
const row = (change: Partial<Row>): Row => ({
  ...like!,
  ...{ verdict: 'inconclusive', change: { low: 0.02, estimate: 0.12, high: 0.262 } },
  ...change,
});
const said = (...rows: readonly Row[]) => {
  const comparison: Comparison = {
    ...{ verdict: 'inconclusive', family: { tests: rows.length, alpha: 0.05 }, warnings: [] },
    rows: [...rows],
  };
  return headline(comparison, (text) => text);
};

test.each([
  ['s', 'lower', ', probably slower'],
  ['ms', 'lower', ', probably slower'],
  ['bytes', 'lower', ', probably larger'],
  ['MiB', 'lower', ', probably larger'],
  ['faults', 'lower', ', probably higher'],
  ['', 'lower', ', probably higher'],
  // With higher is better, growth is a gain.
  ['requests/s', 'higher', ''],
] as const)('a row in %j with %s is better: %j', (unit, direction, words) =>
  expect(probableWords(row({ unit, direction }))).toBe(words),
);

test('a headline with a probable loss begins with it, and does not report “no loss”', () => {
  expect(said(row({}))).toBe(
    'probably slower: a wall time +2.0 to +26.2 %, not proven to be 3 %; the one check inconclusive',
  );
  const fewer = { metric: 'requests', unit: 'requests/s', direction: 'higher' } as const;
  const change = { low: -0.2, estimate: -0.1, high: -0.01 };
  expect(said(row({ ...fewer, change }))).toBe(
    'probably lower: a requests −1.0 to −20.0 %, not proven to be 3 %; the one check inconclusive',
  );
  expect(said(row({}), row({ ...fewer, change, limit: 0.05 }))).toBe(
    'probably worse: a wall time +2.0 to +26.2 %, a requests −1.0 to −20.0 %, not proven to be as large as the limit; 2 of 2 checks inconclusive',
  );
});

test('of many the largest is named', () => {
  const rows = [0.1, 0.3, 0.2, 0.15].map((estimate, index) =>
    row({ variant: `v${index}`, change: { low: 0.02, estimate, high: estimate * 2 } }),
  );
  expect(said(...rows)).toBe(
    'probably slower in 4 of 4 checks, most of all v1 wall time +2.0 to +60.0 %, not proven to be 3 %; 4 of 4 checks inconclusive',
  );
});

test('an interval that contains zero, a count without an interval and another verdict are not a probable loss', () => {
  for (const other of [
    row({ change: { low: -0.01, estimate: 0.1, high: 0.2 } }),
    row({ change: { low: 0.0004, estimate: 0.1, high: 0.2 } }),
    row({ change: { low: null, estimate: 0.1, high: null } }),
    row({ evidence: 'counted' }),
    row({ verdict: 'unchanged' }),
  ])
    expect(probableWords(other)).toBe('');
  expect(said(row({ change: { low: -0.01, estimate: 0.1, high: 0.2 } }))).toBe(
    'no regression found, but the one check inconclusive',
  );
});

test('a regression that a second session did not confirm is not a probable loss, and another row is', () => {
  const confirmation = { session: 's', confirmed: false, sameMachine: false, estimate: 0, blocks: 8 };
  expect(said(row({ confirmation }), row({ variant: 'b' }))).toBe(
    '1 of 2 checks regressed in one session and not in a second; probably slower: b wall time +2.0 to +26.2 %, not proven to be 3 %; 1 inconclusive',
  );
});
