import { describe, expect, test } from '@jest/globals';
import type { Measuring, MeasuringTrial } from '../session/measuring.ts';
import type { MetricRule } from '../session/metric.ts';
import { parseSession } from '../session/read.ts';
import type { Run, Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { compareSession } from './compare.ts';
import { exitStatus } from './exit-status.ts';
import { compareParts } from './merge.ts';
import { assembleParts } from './parts.ts';
import { ruledBy } from './ruled-session.ts';
import { patternWarnings } from './patterns.ts';
import { drawn, session, twoSided } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

/** What a change removes from the measurement: what the report says about it, and when the gate fails. */

const REMOVED: Measuring = { changes: [{ kind: 'variant_removed', variant: 'b' }], trials: [] };
const measured = (
  head: number,
  measuring: Measuring | undefined,
  changedMeasurement?: 'report' | 'fail',
): Session => {
  const observed = twoSided({ wall_time_s: [1, head] });
  return {
    ...observed,
    ...(measuring === undefined ? {} : { measuring }),
    rules: { ...observed.rules, ...(changedMeasurement === undefined ? {} : { changedMeasurement }) },
  };
};
const newsOf = (observed: Session) => compareSession(observed).measuring?.news ?? [];

describe('the rule changed-measurement', () => {
  const verdictOf = (observed: Session) => {
    const comparison = compareSession(observed);
    return [comparison.verdict, exitStatus(comparison, observed.rules.failOn)];
  };

  test.each([
    ['report', 'unchanged', 0],
    [undefined, 'unchanged', 0],
    ['fail', 'failed', 1],
  ] as const)('%s: verdict %s, exit status %d', (rule, verdict, status) =>
    expect(verdictOf(measured(1, REMOVED, rule))).toEqual([verdict, status]),
  );

  test('fail refuses a removal, not an addition or another way to build', () => {
    const added: Measuring = {
      changes: [
        { kind: 'variant_added', variant: 'c' },
        { kind: 'variant_edited', variant: 'a', keys: ['PYTHON_VERSION'], starts: false },
      ],
      trials: [],
    };
    expect(verdictOf(measured(1, added, 'fail'))).toEqual(['unchanged', 0]);
    expect(verdictOf(measured(1, undefined, 'fail'))).toEqual(['unchanged', 0]);
    const flags: Measuring = {
      changes: [{ kind: 'variant_edited', variant: 'a', keys: ['flags'], starts: true }],
      trials: [],
    };
    expect(verdictOf(measured(1, flags, 'fail'))).toEqual(['failed', 1]);
  });

  test('a failure still has status 3: a variant that could not be measured takes precedence', () => {
    const failing: Session = {
      ...measured(1, REMOVED, 'fail'),
      runs: [],
      failures: [{ variant: 'a', side: 'head', stage: 'workload', message: 'it died' }],
    };
    expect(verdictOf(failing)).toEqual(['failed', 3]);
    const nothing: Session = { ...failing, failures: [] };
    expect(verdictOf(nothing)).toEqual(['failed', 3]);
    const noRows: Session = { ...nothing, variants: [], images: [] };
    expect(verdictOf(noRows)).toEqual(['failed', 3]);
  });

  test('a regression is still named, and still has status 1', () => {
    const comparison = compareSession(measured(1.3, REMOVED, 'fail'));
    expect(comparison.rows.map(({ verdict }) => verdict)).toEqual(['regressed']);
    expect(comparison.measuring?.refusedOver).toBe('regressed');
    expect(exitStatus(comparison, [])).toBe(1);
  });

  test('a file, read again, gives the same; merged too', () => {
    const observed = measured(1, REMOVED, 'fail');
    const again = parseSession(JSON.stringify(observed), 'session.json');
    expect(compareSession(again)).toEqual(compareSession(observed));
    const parts = compareParts(assembleParts([{ session: observed, file: 'session.json' }]));
    expect([parts.verdict, exitStatus(parts, []), parts.measuring]).toEqual([
      'failed',
      1,
      compareSession(observed).measuring,
    ]);
  });

  test('is for gates: a night with an edited benchmark is not one', () =>
    expect(
      compareSession({ ...measured(1, REMOVED, 'fail'), purpose: 'nightly' }).measuring,
    ).toBeUndefined());
});

describe('two versions of the measuring code', () => {
  const trial = (image: Side, base: number[], head: number[]): MeasuringTrial => ({
    variant: 'a',
    image,
    pairs: base.length,
    base: { wall_time_s: base },
    head: { wall_time_s: head },
    failures: {},
  });
  const sentences = (...trials: MeasuringTrial[]) =>
    newsOf(
      measured(1, { changes: [{ kind: 'files', edited: ['bench.py'], added: [], removed: [] }], trials }),
    ).map(({ sentence }) => sentence);
  const STEADY = [1, 1.01, 0.99, 1.02];
  const times = (factor: number) => STEADY.map((value) => value * factor);

  test('one that slows only the baseline is distinguished from one that does more work on both sides', () => {
    expect(sentences(trial('baseline', STEADY, times(1.4)), trial('head', STEADY, times(1)))[1]).toBe(
      "The two versions of the measuring code disagree in a: with the head's, on the baseline wall time is 40.0 % higher (4 pairs); on the head the figures agree (4 pairs). The edit changes the sides by different amounts, so a difference between them may come only from the measuring code.",
    );
    expect(sentences(trial('baseline', STEADY, times(1.4)), trial('head', STEADY, times(1.38)))[1]).toContain(
      'on the head wall time is 38.0 % higher (4 pairs). The edit changes both sides equally.',
    );
    expect(sentences(trial('baseline', STEADY, STEADY), trial('head', STEADY, times(0.5)))[1]).toContain(
      'on the head wall time is 50.0 % lower (4 pairs). The edit changes the sides by different amounts',
    );
    expect(sentences(trial('baseline', STEADY, times(1.4)))[1]).toContain(
      'A difference between the sides may come only from the measuring code.',
    );
  });

  test.each([
    ['runs that overlap', trial('baseline', [1, 1.3, 1, 1.2], [1.2, 1.5, 1.4, 1.3])],
    ['a difference that is no more than 5 %', trial('baseline', [1, 1, 1, 1], [1.04, 1.04, 1.04, 1.04])],
    ['one pair that is apart by less than half', trial('baseline', [1], [1.4])],
    ['two pairs that are apart by less than a quarter', trial('baseline', [1, 1], [1.2, 1.21])],
    ['three pairs that are apart by less than a quarter', trial('baseline', [1, 1, 1], [1.2, 1.21, 1.22])],
  ])('%s are not a disagreement', (_, one) =>
    expect(sentences(one)[1]).toMatch(
      /^Both versions of the measuring code were tried in a: on the baseline the figures agree/,
    ),
  );

  test('one that does not run is reported with its reason', () => {
    const [, said] = sentences({
      ...trial('head', [], []),
      failures: { base: 'the command ended with status 1' },
    });
    expect(said).toBe(
      "Both versions of the measuring code were tried in a: the base's measuring code does not run on the head (the command ended with status 1).",
    );
  });

  test('a benchmark that the head’s no longer reports counts as taken away, though both sides lack it', () => {
    const one = measured(
      1,
      {
        changes: [],
        trials: [
          {
            ...trial('baseline', STEADY, STEADY),
            base: { test_slow: STEADY, test_x: STEADY },
            head: { test_x: STEADY },
          },
        ],
      },
      'fail',
    );
    const judging: Session = {
      ...one,
      rules: {
        ...one.rules,
        patterns: [{ pattern: 'test_*', gate: true, limit: 0.03 }],
      },
    };
    expect(newsOf(judging)[0]).toEqual({
      sentence:
        "The head's measuring code no longer reports test_slow, which the base's reports on the same image (a): nothing judges it.",
      takesAway: true,
    });
    expect(compareSession(judging).verdict).toBe('failed');
  });
});

test('a benchmark that the baseline reports and the head does not is gone from the head', () => {
  const rule = (name: string): MetricRule => metricRule(name, { unit: '' });
  const warm = (side: Side, metrics: Record<string, number>): Run => ({
    side,
    variant: 'a',
    block: 0,
    position: 0,
    attempt: 0,
    started: '2026-01-01T00:00:00.000Z',
    outcome: 'ok',
    metrics,
    noise: {},
    exitStatus: 0,
  });
  const observed: Session = {
    ...session([rule('test_a'), { ...rule('shown'), gate: false }]),
    warmup: [warm('baseline', { test_a: 1, shown: 1, startup_time_s: 1 }), warm('head', { wall_time_s: 1 })],
  };
  expect(newsOf(observed)).toEqual([
    {
      sentence: 'The head does not report what the baseline does, so nothing judges it: test_a (a).',
      takesAway: true,
    },
  ]);
  const died = { ...observed, warmup: observed.warmup.map((run) => ({ ...run, outcome: 'oom' as const })) };
  expect(newsOf(died)).toEqual([]);
});

test.each<[Measuring['command'], string]>([
  [undefined, '"python -c pass".'],
  [
    { of: 'base' },
    '"python -c pass"; the base\'s was measured, and the new one applies from the next change on.',
  ],
  [
    { of: 'head', reason: 'no bench.py' },
    '"python -c pass"; the head\'s was measured, because the base\'s does not run on the head (no bench.py).',
  ],
])('the command that was measured is reported: %j', (command, end) => {
  const [one] = newsOf(
    measured(1, {
      changes: [{ kind: 'command', base: ['python', 'bench.py'], head: ['python', '-c', 'pass'] }],
      ...(command === undefined ? {} : { command }),
      trials: [],
    }),
  );
  expect(one?.sentence).toBe(`This change edits workload.command from "python bench.py" to ${end}`);
});

test('variants that a change adds take nothing from the tests of the others', () => {
  const names = Array.from({ length: 40 }, (_, n) => `v${n}`);
  const row = (change: number) => ({ wall_time_s: { level: 1, change, spread: 0.002 } });
  const observed: Session = drawn(
    { a: row(1.88), ...Object.fromEntries(names.map((name) => [name, row(0)])) },
    { blocks: 8 },
  );
  const judged = (added: readonly string[]) =>
    compareSession({
      ...observed,
      measuring: { changes: added.map((variant) => ({ kind: 'variant_added', variant })), trials: [] },
    });
  const of = (comparison: ReturnType<typeof judged>) =>
    comparison.rows.find(({ variant }) => variant === 'a');
  // Of eight pairs, one test in 41 can say nothing.
  expect(of(judged([]))?.verdict).not.toBe('regressed');
  const comparison = judged(names);
  expect([of(comparison)?.verdict, comparison.family.tests]).toEqual(['regressed', 1]);
  expect(of(comparison)?.worse.pAdjusted).toBe(of(comparison)?.worse.p);
});

describe('benchmarks that a change adds under a pattern of its base', () => {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `test_new${n}`);
  const OLD = 'test_old';
  /** A suite whose old benchmark is slower by a share; the head's measuring code has new ones, and runs on both sides. */
  function suite(
    added: readonly string[],
    loss: number,
    trials: MeasuringTrial[] = [triedIn('a', [OLD])],
    variants = ['a'],
  ): Session {
    const cell = (change: number) => ({ level: 1, change, spread: 0.01 });
    const row = { [OLD]: cell(loss), ...Object.fromEntries(added.map((name) => [name, cell(0)])) };
    const observed = drawn(Object.fromEntries(variants.map((variant) => [variant, row])), { blocks: 10 });
    const given: Session = {
      ...observed,
      warmup: observed.runs.filter(({ block }) => block === 1).map((run) => ({ ...run, block: 0 })),
      measuring: {
        changes: [{ kind: 'files', edited: ['bench.py'], added: [], removed: [] }],
        trials,
      },
    };
    return ruledBy(given, {
      ...observed.rules,
      metrics: [],
      patterns: [{ pattern: 'test_*', gate: true, limit: 0.03 }],
    });
  }
  function triedIn(variant: string, known: readonly string[]): MeasuringTrial {
    const values = Object.fromEntries(known.map((name) => [name, [1, 1]]));
    return { variant, image: 'baseline', pairs: 2, base: values, head: values, failures: {} };
  }
  const verdictOf = (observed: Session, metric = OLD) =>
    compareSession(observed).rows.find((row) => row.metric === metric)?.verdict;

  test('take nothing from the tests of the others: 200 of them, and a loss of 10 % is still found', () => {
    const observed = suite(names(200), 0.1);
    const comparison = compareSession(observed);
    expect([verdictOf(observed), comparison.family.tests]).toEqual(['regressed', 1]);
    const old = comparison.rows.find(({ metric }) => metric === OLD);
    expect(old?.worse.pAdjusted).toBe(old?.worse.p);
    // One family of 201 can call nothing in ten pairs.
    expect(verdictOf(suite(names(200), 0.1, []))).not.toBe('regressed');
    expect(comparison.measuring?.news.map(({ sentence }) => sentence)).toContain(
      'This change adds the benchmarks test_new0, test_new1, test_new2, test_new3, test_new4 and 195 more: they are judged in a family of their own and do not affect the tests of the others.',
    );
    expect(patternWarnings(observed)).toEqual([]);
    expect(parseSession(JSON.stringify(observed), 'session.json')).toEqual(observed);
  });

  test('are judged among themselves', () => {
    const observed = suite(names(1), 0);
    const slow: Session = {
      ...observed,
      runs: observed.runs.map((run) => ({
        ...run,
        metrics: { ...run.metrics, test_new0: run.side === 'head' ? 1.5 : 1 },
      })),
    };
    expect([verdictOf(slow, 'test_new0'), verdictOf(slow)]).toEqual(['regressed', 'unchanged']);
  });

  test('too many of them do not undo the judgement of the others', () => {
    const observed = suite(names(600), 0.1);
    expect(verdictOf(observed)).toBe('regressed');
    expect(patternWarnings(observed)).toEqual([
      'test_* matches 601 metrics, and at most 500 are judged, so the 600 that this change adds are not.',
    ]);
  });

  test('are found by the trials of another variant if a variant was not tried', () => {
    const observed = suite(names(200), 0.1, [triedIn('a', [OLD])], ['a', 'b']);
    expect(compareSession(observed).family.tests).toBe(2);
  });

  test('are in the size of no family of shards', () => {
    const observed = suite(names(200), 0.1);
    const shard = { index: 1, of: 2, tests: 402, variants: ['a', 'b'] };
    expect(ruledBy({ ...observed, shard }, { ...observed.rules, metrics: [] }).shard?.tests).toBe(2);
    const parts = assembleParts([
      { session: ruledBy({ ...observed, shard }, { ...observed.rules, metrics: [] }), file: 'one.json' },
    ]);
    expect(compareParts(parts).family.tests).toBe(2);
  });
});
