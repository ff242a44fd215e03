import { describe, expect, test } from '@jest/globals';
import { defaultRule, type MetricPattern } from '../session/metric.ts';
import { parseSession } from '../session/read.ts';
import type { Run, Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { namesOfShard } from '../session/shard.ts';
import { parseTimings, renderTimings } from '../session/timings.ts';
import { compareSession, compareTimings } from './compare.ts';
import { compareParts } from './merge.ts';
import { ruledBy } from './ruled-session.ts';
import { assembleParts } from './parts.ts';
import { image, night, session } from '../session/session.test-support.ts';

/** What patterns do to verdicts: sessions whose runs report benchmarks, each side its own. */

const ANY: MetricPattern = { pattern: '*', gate: true, limit: 0.05 };

/** Name to head / baseline. */
type Benchmarks = Readonly<Record<string, number>>;

interface Made {
  readonly patterns?: readonly MetricPattern[];
  readonly blocks?: number;
  /** Variant -> side -> what it does not report. */
  readonly missing?: Readonly<Record<string, Partial<Record<Side, readonly string[]>>>>;
  /** Variants of which a side's warm-up died. */
  readonly died?: readonly string[];
}

function made(
  variants: Readonly<Record<string, Benchmarks>>,
  { patterns = [ANY], blocks = 12, missing = {}, died = [] }: Made = {},
): Session {
  const names = Object.keys(variants);
  const runs = Object.entries(variants).flatMap(([variant, benchmarks]) =>
    Array.from({ length: blocks + 1 }, (_, block) =>
      (['baseline', 'head'] as const).map((side, place): Run => {
        const dead = block === 0 && side === 'head' && died.includes(variant);
        const own = Object.entries(benchmarks).filter(
          ([name]) => missing[variant]?.[side]?.includes(name) !== true,
        );
        return {
          ...{ side, variant, block, position: place === 0 ? 0 : 1, attempt: 0 },
          started: '2026-01-01T00:00:00.000Z',
          outcome: dead ? 'nonzero' : 'ok',
          metrics: dead
            ? {}
            : Object.fromEntries(
                own.map(([name, ratio]) => [
                  name,
                  (side === 'head' ? ratio : 1) * (1 + ((block * 7 + place * 3) % 5) / 1000),
                ]),
              ),
          noise: {},
          exitStatus: dead ? 1 : 0,
        };
      }),
    ).flat(),
  );
  const whole = session([{ ...defaultRule('wall_time_s', true), gate: false }]);
  return ruledBy(
    {
      ...whole,
      variants: names,
      images: names.flatMap((name) => [image(name, 'baseline', 'b'), image(name, 'head', 'h')]),
      warmup: runs.filter(({ block }) => block === 0),
      runs: runs.filter(({ block, variant }) => block > 0 && !died.includes(variant)),
      failures: died.map((variant) => ({
        ...{ variant, side: 'head', stage: 'workload', message: `${variant} died` },
      })),
    },
    { ...whole.rules, blocks, patterns: [...patterns] },
  );
}
const verdicts = (judged: Session) =>
  Object.fromEntries(
    compareSession(judged).rows.map(({ variant, metric, verdict }) => [`${variant} ${metric}`, verdict]),
  );

test('a suite is judged without a list of its benchmarks, and the file gives the same verdict', () => {
  const live = made({ a: { test_sort: 1.3, test_scan: 1 } });
  const comparison = compareSession(live);
  expect(verdicts(live)).toEqual({ 'a test_sort': 'regressed', 'a test_scan': 'unchanged' });
  expect(comparison).toMatchObject({ family: { tests: 2 }, warnings: [] });
  expect(compareSession(parseSession(JSON.stringify(live), 'session.json'))).toEqual(comparison);
});

test('a metric that only one side reports is shown, not judged, with a remark', () => {
  const missing = { a: { head: ['gone'], baseline: ['new'] } };
  const one = made({ a: { kept: 1, gone: 1, new: 1 } }, { missing });
  expect(verdicts(one)).toEqual({ 'a kept': 'unchanged', 'a gone': 'info', 'a new': 'info' });
  expect(compareSession(one)).toMatchObject({
    verdict: 'unchanged',
    family: { tests: 1 },
    warnings: [
      'Only the baseline reports gone (a): shown and not judged, because there is nothing to compare it with.',
      'Only the head reports new (a): shown and not judged, because there is nothing to compare it with.',
    ],
  });
  // Nobody asked for it: no word on it.
  expect(compareSession(made({ a: { kept: 1, gone: 1 } }, { missing, patterns: [] })).warnings).toEqual([]);
});

test('a suite of which nothing is left on both sides has no data: it is not green', () => {
  const none = made({ a: { old: 1, new: 1 } }, { missing: { a: { head: ['old'], baseline: ['new'] } } });
  const { verdict, rows } = compareSession(none);
  expect(verdict).toBe('no_data');
  expect(rows.find(({ metric }) => metric === '*')).toMatchObject({
    verdict: 'no_data',
    warnings: [expect.stringMatching(/^it matches no metric that the workload reported on both sides/)],
  });
});

test('a variant whose head died has failed although none of its benchmarks is known', () => {
  const dead = made({ a: { x: 1 }, b: { x: 1 } }, { died: ['b'] });
  expect(verdicts(dead)).toMatchObject({ 'a x': 'unchanged', 'b *': 'failed' });
  expect(compareSession(dead).warnings).toEqual([]);
});

test('variants whose sides are one image are unchanged, all of them together too', () => {
  const same = made({ a: { x: 1 } }, { blocks: 0 });
  const identical = ruledBy(
    { ...same, warmup: [], images: [image('a', 'baseline', 'same'), image('a', 'head', 'same')] },
    same.rules,
  );
  expect(compareSession(identical)).toMatchObject({ verdict: 'unchanged', family: { tests: 0 } });
});

test('a family that the blocks can never decide is reported with the numbers', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`test_${index}`, 1]));
  const { warnings, rows } = compareSession(made({ a: many }, { blocks: 8 }));
  expect(warnings).toContain(
    'With the matches of the patterns there are 40 tests, among which 8 blocks can never find a change: they share alpha 0.05, which leaves p <= 0.0013 at the last look, and 8 blocks give at best 0.0039. Set at least 10 blocks (rules.blocks), or judge fewer metrics.',
  );
  expect(rows).toHaveLength(40);
  expect(compareSession(made({ a: many }, { blocks: 30 })).warnings).toEqual([]);
});

test('a pattern matches at most its maximum, and the excess is reported', () => {
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`t${index}`, 1]));
  const { verdict, warnings, family } = compareSession(made({ a: many }, { blocks: 1 }));
  expect({ verdict, family }).toMatchObject({ verdict: 'no_data', family: { tests: 1 } });
  expect(warnings[0]).toMatch(/^\* matches 501 metrics, and at most 500 are judged, so none of them is\./);
});

test('the rules of a base are resolved by the warm-up of the session that they judge', () => {
  const measured = made({ a: { test_x: 1.3, other: 1.3 } }, { patterns: [ANY] });
  const base = { ...measured.rules, patterns: [{ ...ANY, pattern: 'test_*', limit: 0.5 }] };
  expect(verdicts(ruledBy(measured, base))).toEqual({ 'a test_x': 'unchanged', 'a other': 'info' });
});

test('by stored nights a head’s own benchmarks are judged, and those that it lost are reported', () => {
  const head = made({ a: { kept: 1, new: 1 } });
  const alone = {
    ...head,
    sides: ['head' as const],
    images: [image('a', 'head', 'h')],
    warmup: head.warmup.filter(({ side }) => side === 'head'),
    runs: head.runs.filter(({ side }) => side === 'head'),
    nights: Array.from({ length: 14 }, (_, index) => ({
      ...{ session: night(index, 1).id, started: `2026-01-${index + 10}T00:00:00.000Z`, sameMachine: true },
      ...{ changedFiles: null, residuals: {}, centres: {} },
      medians: { a: { kept: 1 + (index % 5) / 1000, gone: 1, wall_time_s: 1 } },
    })),
  };
  const judged = ruledBy(alone, { ...head.rules, evidence: 'stored' });
  expect(verdicts(judged)).toMatchObject({ 'a kept': 'unchanged', 'a new': 'no_baseline' });
  expect(compareSession(judged).warnings).toContain(
    'The last stored night has gone (a), which the head does not report: nothing judges it.',
  );
});

test('a CSV has no warm-up: its patterns are resolved by the metrics of its runs on both sides', () => {
  const measured = made({ a: { kept: 1.3, gone: 1 } }, { missing: { a: { head: ['gone'] } } });
  const runs = parseTimings(renderTimings(measured), 'timings.csv');
  const rules = { ...measured.rules, metrics: [] };
  const { rows, family } = compareTimings(runs, { sameMachine: false, rules });
  expect(family.tests).toBe(1);
  expect(rows.map(({ metric, verdict }) => [metric, verdict])).toEqual([
    ['kept', 'regressed'],
    ['gone', 'info'],
  ]);
});

test('a session of a version without patterns is read, and judged as it was', () => {
  const old = made({ a: { x: 1.3 } }, { patterns: [] });
  delete old.rules.patterns;
  expect(compareSession(parseSession(JSON.stringify(old), 'session.json'))).toMatchObject({
    family: { tests: 0 },
    warnings: [],
  });
  expect(verdicts(old)).toEqual({ 'a x': 'info' });
});

describe('shards', () => {
  const suite = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`test_${index}`, index === 0 ? 1.3 : 1]));
  const variants = { a: suite(2), b: suite(3), c: suite(2) };
  const shard = (index: number) => {
    const names = namesOfShard(Object.keys(variants), { index, of: 2 });
    const whole = made(Object.fromEntries(names.map((name) => [name, variants[name as 'a']])));
    const part = { index, of: 2, tests: 0, variants: Object.keys(variants) };
    return ruledBy({ ...whole, id: `shard-${index}`, shard: part }, whole.rules);
  };
  const together = (...shards: readonly Session[]) =>
    compareParts(assembleParts(shards.map((one) => ({ session: one, file: `${one.id}.json` }))));

  test('take the others to have their own benchmarks; the merge counts those that each has', () => {
    // Shard 1 has a and c with two benchmarks each, shard 2 has b with three.
    expect([shard(1), shard(2)].map((one) => one.shard?.tests)).toEqual([6, 9]);
    expect(compareSession(shard(1)).family.tests).toBe(6);
    const merged = together(shard(2), shard(1));
    expect(merged.family.tests).toBe(7);
    expect(merged.rows.map(({ variant, metric, verdict }) => `${variant} ${metric} ${verdict}`)).toEqual([
      ...['a test_0 regressed', 'a test_1 unchanged'],
      ...['b test_0 regressed', 'b test_1 unchanged', 'b test_2 unchanged'],
      ...['c test_0 regressed', 'c test_1 unchanged'],
    ]);
  });

  test('one that is missing leaves its variants without data, and counts as the largest that is there', () => {
    const { verdict, rows, family } = together(shard(1));
    expect(rows.filter(({ variant }) => variant === 'b')).toMatchObject([
      { metric: '*', verdict: 'no_data' },
    ]);
    expect({ verdict, tests: family.tests }).toEqual({ verdict: 'regressed', tests: 6 });
  });

  test('with other patterns are not shards of one gate', () => {
    const other = ruledBy(shard(2), { ...shard(2).rules, patterns: [{ ...ANY, limit: 0.1 }] });
    expect(() => together(shard(1), other)).toThrow(/the rule patterns: shard-1\.json has .*0\.05.*0\.1/);
  });
});
