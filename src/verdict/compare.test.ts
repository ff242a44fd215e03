import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSession } from '../session/read.ts';
import { parseTimings } from '../session/timings.ts';
import type { Session } from '../session/session.ts';
import type { Verdict } from '../session/rules.ts';
import { compareSession, compareTimings } from './compare.ts';
import { exitStatus } from './exit-status.ts';
import { comparisonJson } from './comparison-json.ts';
import { withNights } from '../evidence/nights.ts';
import { image, night, session, twoSided } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

const HEADER = 'session,side,variant,block,position,metric,value,outcome\n';

/** A CSV with one pair a block from values of both sides. */
const csv = (metrics: Record<string, readonly (readonly [number, number])[]>, head = 's1') =>
  HEADER +
  Object.entries(metrics)
    .flatMap(([metric, pairs]) =>
      pairs.flatMap(([baseline, value], block) => [
        `s1,baseline,a,${block + 1},0,${metric},${baseline},ok`,
        `${head},head,a,${block + 1},1,${metric},${value},ok`,
      ]),
    )
    .join('\n');

const compareCsv = (text: string, sameMachine = false) =>
  compareTimings(parseTimings(text, 'timings.csv'), { sameMachine });

test('a handwritten CSV gives the numbers calculated by hand', () => {
  // All levels are equal, so the weights are the sizes. Ratios of wall time are 2^1 … 2^6: all six signs are positive,
  // p = 2^-6. In units of ln 2 no size about the median 3.5 is beyond 2.97 times the middle one, 1.5, so the estimate is
  // the mean 3.5. The extremes are 1 and 6.
  // Ratios of CPU time are 2^-1, 2^2 … 2^6: of the weights 1 to 6 the 1 is negative, and 2 of 64 patterns reach the sum of
  // 20. The mean is 19 / 6. Six pairs bound it by their extremes, and that interval spans zero: no regression.
  // Holm: 2 x 1/64 for the smaller p; the other is 1 x 2/64, and not below the first.
  const apart = (k: number) => [2 ** (-k / 2), 2 ** (k / 2)] as const;
  const text = csv({
    wall_time_s: [1, 2, 3, 4, 5, 6].map(apart),
    cpu_time_s: [-1, 2, 3, 4, 5, 6].map(apart),
  });
  const [low, high] = [(2 ** -1.5 + 2 ** -2) / 2, (2 ** 1.5 + 2 ** 2) / 2];
  const json = JSON.parse(JSON.stringify(comparisonJson(compareCsv(text)))) as {
    verdict: string;
    family: unknown;
    results: { change: { estimate: number; low: number; high: number } }[];
  };
  expect(json.verdict).toBe('regressed');
  expect(json.family).toEqual({ tests: 2, alpha: 0.05 });
  expect(json.results).toEqual([
    {
      variant: 'a',
      metric: 'wall_time_s',
      unit: 's',
      gated: true,
      verdict: 'regressed',
      evidence: 'paired',
      baseline: { median: expect.closeTo(low, 12), n: 6 },
      head: { median: expect.closeTo(high, 12), n: 6 },
      change: {
        estimate: expect.closeTo(2 ** 3.5 - 1, 9),
        low: expect.closeTo(1, 9),
        high: expect.closeTo(63, 9),
      },
      worse: { p: 1 / 64, pAdjusted: 2 / 64 },
      better: { p: 1, pAdjusted: 1 },
      blocks: 6,
      detectable: null,
      confirmation: null,
      stored: null,
      warnings: [],
    },
    expect.objectContaining({
      metric: 'cpu_time_s',
      verdict: 'inconclusive',
      head: { median: expect.closeTo(high, 12), n: 6 },
      change: {
        estimate: expect.closeTo(2 ** (19 / 6) - 1, 9),
        low: expect.closeTo(-0.5, 9),
        high: expect.closeTo(63, 9),
      },
      worse: { p: 2 / 64, pAdjusted: 2 / 64 },
      // The mirror: only the smallest magnitude is negative, 63 of 64 patterns reach its sum of 1.
      better: { p: 63 / 64, pAdjusted: 1 },
    }),
  ]);
});

describe('paired verdicts', () => {
  const flat = (ratio: number, n = 12) =>
    Array.from({ length: n }, (_, i) => [1 + i / 1000, ratio * (1 + i / 1000)] as const);
  test.each<[string, number, Verdict]>([
    ['+20 %', 1.2, 'regressed'],
    ['-20 %', 1 / 1.2, 'improved'],
    ['no change', 1, 'unchanged'],
    ['+2.9 %, below what counts', 1.029, 'unchanged'],
    ['+3.1 %, above what counts', 1.031, 'regressed'],
  ])('%s', (_, ratio, verdict) => {
    expect(compareCsv(csv({ wall_time_s: flat(ratio) })).verdict).toBe(verdict);
  });

  test('a real change in too few blocks is inconclusive, and the row gives the number that is needed', () => {
    const { rows, verdict } = compareCsv(csv({ wall_time_s: flat(1.5, 4) }));
    expect(verdict).toBe('inconclusive');
    expect(rows[0]?.warnings[0]).toContain(
      '4 pairs are too few to find a change among 1 checks; it takes at least 5',
    );
    expect(rows[0]?.change).toEqual({ estimate: expect.closeTo(0.5, 9), low: null, high: null });
  });

  test('noise on both sides of zero is inconclusive, not unchanged', () => {
    const noisy = Array.from({ length: 12 }, (_, i) => [1, i % 2 === 0 ? 1.15 : 0.9] as const);
    expect(compareCsv(csv({ wall_time_s: noisy })).verdict).toBe('inconclusive');
  });

  test('a rate is better when it is higher', () => {
    const observed = twoSided({ tasks: [100, 70] }, [
      metricRule('tasks', { unit: 'tasks', better: 'higher' }),
    ]);
    const { rows } = compareSession(observed);
    expect(rows[0]).toMatchObject({ metric: 'tasks', verdict: 'regressed' });
    expect(rows[0]?.change.estimate).toBeCloseTo(-0.3, 9);
  });

  test('values without a logarithm are no_data, and two zeros are no difference', () => {
    expect(compareCsv(csv({ drops: Array.from({ length: 8 }, () => [0, 3] as const) })).verdict).toBe(
      'no_data',
    );
    expect(compareCsv(csv({ drops: Array.from({ length: 8 }, () => [0, 0] as const) })).verdict).toBe(
      'unchanged',
    );
  });

  test('equal ratios are ties, whichever side is the larger', () => {
    // 124 / 93 and 120 / 90 are both 4 / 3: the middle ranks of a tie, not the last bit of a logarithm.
    const pairs = [
      [90, 91],
      [124, 93],
      [90, 91],
      [90, 91],
      [90, 120],
      [90, 95],
      [90, 120],
      [90, 95],
    ] as const;
    const { rules } = session();
    const ranked = (of: readonly (readonly [number, number])[]) =>
      compareTimings(parseTimings(csv({ wall_time_s: of }), 'timings.csv'), {
        sameMachine: false,
        rules: { ...rules, method: 1 },
      }).rows[0]!;
    const straight = ranked(pairs);
    const swapped = ranked(pairs.map(([a, b]) => [b, a] as const));
    expect(straight.worse).toEqual(swapped.better);
    expect(straight.better).toEqual(swapped.worse);
    // Ranks 2 2 2 4.5 4.5 7 7 7, one of the sevens below zero: 19 of the 256 subsets sum to 7 or less.
    expect(straight.worse.p).toBeCloseTo(19 / 256, 12);
    // Weighted signs mirror each other, too.
    const weighted = compareCsv(csv({ wall_time_s: pairs })).rows[0]!;
    const mirrored = compareCsv(csv({ wall_time_s: pairs.map(([a, b]) => [b, a] as const) })).rows[0]!;
    expect(weighted.worse).toEqual(mirrored.better);
  });

  test('swapped sides mirror the verdict and negate the estimate, and a scale changes neither', () => {
    const mirror: Partial<Record<Verdict, Verdict>> = { regressed: 'improved', improved: 'regressed' };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 90, max: 130 }), fc.integer({ min: 90, max: 130 })), {
          minLength: 6,
          maxLength: 20,
        }),
        (pairs) => {
          const straight = compareCsv(csv({ wall_time_s: pairs }));
          const swapped = compareCsv(csv({ wall_time_s: pairs.map(([a, b]) => [b, a] as const) }));
          const scaled = compareCsv(csv({ wall_time_s: pairs.map(([a, b]) => [a * 4, b * 4] as const) }));
          expect(swapped.verdict).toBe(mirror[straight.verdict] ?? straight.verdict);
          expect(scaled.verdict).toBe(straight.verdict);
          const estimate = Math.log1p(straight.rows[0]!.change.estimate!);
          expect(Math.log1p(swapped.rows[0]!.change.estimate!)).toBeCloseTo(-estimate, 9);
        },
      ),
    );
  });
});

describe('decided outside the test', () => {
  const failure = (stage: 'build' | 'engine' | 'workload', side: 'baseline' | 'head') => ({
    variant: 'a',
    side,
    stage,
    message: 'what happened\nlast lines',
  });
  const headRun = { ...twoSided({ wall_time_s: [1, 1] }).runs[1]!, block: 0 };
  test.each<[string, Partial<Session>, Verdict]>([
    ['the head does not build', { runs: [], failures: [failure('build', 'head')] }, 'failed'],
    ['the head dies', { failures: [failure('workload', 'head')] }, 'failed'],
    ['the engine fails', { failures: [failure('engine', 'head')] }, 'no_data'],
    [
      'the baseline does not build, and the head runs',
      { runs: [], warmup: [headRun], failures: [failure('build', 'baseline')] },
      'no_baseline',
    ],
    [
      'the baseline does not build, and nobody knows whether the head runs',
      { runs: [], failures: [failure('build', 'baseline')] },
      'no_data',
    ],
    [
      'the baseline dies after runs that ended well',
      { failures: [failure('workload', 'baseline')] },
      'no_data',
    ],
    ['no block has the metric on both sides', { runs: [] }, 'no_data'],
    [
      'the budget left no block',
      { runs: [], budget: { seconds: 60, spentSeconds: 60, blocksLeftOut: 20, secondsLeftOut: 300 } },
      'no_data',
    ],
  ])('%s', (_, change, verdict) => {
    expect(compareSession({ ...twoSided({ wall_time_s: [1, 1] }), ...change }).verdict).toBe(verdict);
  });

  test('a formula metric that no run has is no_data, and the message names its parts', () => {
    const rule = metricRule('per_task', { unit: 's' });
    const { rows } = compareSession(twoSided({}, [{ ...rule, formula: 'cpu_time_s / tasks' }]));
    expect(rows[0]).toMatchObject({
      verdict: 'no_data',
      warnings: ['no block has per_task (cpu_time_s / tasks) on both sides'],
    });
  });

  test('identical images are unchanged without a test and outside the family', () => {
    const same = {
      ...twoSided({ wall_time_s: [1, 1] }),
      runs: [],
      images: [image('a', 'baseline', 'same'), image('a', 'head', 'same')],
    };
    const comparison = compareSession(same);
    expect(comparison).toMatchObject({ verdict: 'unchanged', family: { tests: 0 } });
    expect(comparison.rows[0]).toMatchObject({ evidence: 'identical', worse: { p: null } });
  });

  test('one variant that failed leaves the others judged, and the family as planned', () => {
    const slower = twoSided({ wall_time_s: [1, 1.3] });
    const comparison = compareSession({
      ...slower,
      variants: ['a', 'b'],
      failures: [{ ...failure('build', 'head'), variant: 'b' }],
    });
    expect(comparison.rows.map(({ variant, verdict }) => [variant, verdict])).toEqual([
      ['a', 'regressed'],
      ['b', 'failed'],
    ]);
    expect(comparison.family.tests).toBe(2);
    expect(comparison.verdict).toBe('failed');
    expect(exitStatus(comparison, ['regressed'])).toBe(3);
  });
});

describe('stored evidence', () => {
  const nights = (n: number, change: Partial<Session> = {}) =>
    Array.from({ length: n }, (_, i) => night(i, 1 + (i % 5) / 200, change));
  const stored = (value: number) => {
    const both = twoSided({ wall_time_s: [1, value] });
    return {
      ...both,
      sides: ['head' as const],
      runs: both.runs.filter(({ side }) => side === 'head'),
      rules: { ...both.rules, evidence: 'stored' as const },
      images: [image('a', 'head', 'h')],
    };
  };
  test.each<[string, number, Session[], Verdict]>([
    ['slower than fourteen nights', 1.2, nights(14), 'regressed'],
    ['faster than fourteen nights', 0.8, nights(14), 'improved'],
    ['like fourteen nights', 1.01, nights(14), 'unchanged'],
    ['thirteen nights are too few', 1.2, nights(13), 'no_baseline'],
    ['no night at all', 1.2, [], 'no_baseline'],
    [
      'another machine',
      1.2,
      nights(20, { machine: { ...session().machine, cpuModel: 'another' } }),
      'incomparable',
    ],
    [
      'another workload',
      1.2,
      nights(20, { workload: { ...session().workload, hash: 'x', files: { 'bench.py': 'other' } } }),
      'incomparable',
    ],
  ])('%s', (_, value, history, verdict) => {
    expect(compareSession(withNights(stored(value), history)).verdict).toBe(verdict);
  });

  test('files that changed are named', () => {
    const changed = nights(14, {
      workload: { ...session().workload, hash: 'x', files: { 'bench.py': 'other', 'data.csv': 'd' } },
    });
    expect(compareSession(withNights(stored(1.2), changed)).rows[0]?.warnings[0]).toContain(
      'bench.py, data.csv changed',
    );
  });

  test('the nights are shown with a pair and do not judge it', () => {
    const { rows, verdict } = compareSession(withNights(twoSided({ wall_time_s: [1, 1.3] }), nights(14)));
    expect(verdict).toBe('regressed');
    expect(rows[0]).toMatchObject({
      evidence: 'paired',
      stored: { sessions: 14, position: 'inside', sameMachine: true },
    });
  });

  test('a session that was read back judges by the nights it carries', () => {
    const live = withNights(stored(1.2), nights(14));
    const file = parseSession(JSON.stringify(live), 'session.json');
    expect(compareSession(file)).toEqual(compareSession(live));
  });

  test('a pair whose baseline cannot be built falls back to the nights', () => {
    const both = stored(1.2);
    const { rows } = compareSession(
      withNights(
        {
          ...both,
          rules: { ...both.rules, evidence: 'auto' },
          failures: [{ variant: 'a', side: 'baseline', stage: 'build', message: 'no' }],
        },
        nights(14),
      ),
    );
    expect(rows[0]).toMatchObject({ evidence: 'stored', verdict: 'regressed' });
  });

  test('a CSV with its sides in two sessions is incomparable unless the user states that it was one machine', () => {
    const text = csv({ wall_time_s: Array.from({ length: 8 }, () => [1, 1.5] as const) }, 's2');
    expect(compareCsv(text).verdict).toBe('incomparable');
    expect(compareCsv(text, true).verdict).toBe('no_baseline');
  });
});

test.each<[Verdict, Verdict[], number]>([
  ['unchanged', ['regressed'], 0],
  ['regressed', ['regressed'], 1],
  ['regressed', [], 0],
  ['inconclusive', ['regressed'], 0],
  ['inconclusive', ['inconclusive'], 1],
  ['failed', [], 3],
  ['no_data', ['regressed'], 3],
  ['no_baseline', ['regressed'], 0],
])('%s with fail-on %j gives exit status %d', (verdict, failOn, status) => {
  expect(exitStatus({ verdict, rows: [], warnings: [], family: { tests: 1, alpha: 0.05 } }, failOn)).toBe(
    status,
  );
});
