import { expect, test } from '@jest/globals';
import { percent } from '../report/verdict-wording.ts';
import { compareSession } from './compare.ts';
import { exitStatus } from './exit-status.ts';
import { night, session, twoSided } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

/** What the sides say of a metric decides whether their figures can be compared at all. */

const PARSE = metricRule('parse');
const rowOf = (comparison: ReturnType<typeof compareSession>) =>
  comparison.rows.find(({ metric }) => metric === 'parse');

test('a metric whose runs have different units is no_data, comes first, and never passes', () => {
  const conflict = 'the baseline of a reports it in ms and the head of a in MB';
  const judged = compareSession({
    ...twoSided({ parse: [900, 1.2] }, [PARSE]),
    declaredMetrics: { parse: { unit: 'ms', conflict } },
  });
  expect(rowOf(judged)).toMatchObject({
    verdict: 'no_data',
    change: { estimate: null },
    warnings: [`parse cannot be compared: ${conflict}`],
  });
  expect(judged.warnings).toContain(`parse cannot be compared: ${conflict}.`);
  expect(exitStatus(judged, ['regressed'])).toBe(3);
});

const stored = (unit: string, value: number, declared: Parameters<typeof night>[2] = {}) =>
  Array.from({ length: 20 }, (_, index) => ({
    ...night(index, 1, declared),
    session: `night-${index}`,
    started: new Date(Date.UTC(2026, 0, 1 + index)).toISOString(),
    sameMachine: true,
    changedFiles: null,
    residuals: {},
    centres: {},
    medians: { a: { parse: value * (1 + (index % 5) / 1000) } },
    declared: { parse: { unit } },
  }));
const headIn = (unit: string, value: number, nights: ReturnType<typeof stored>) => {
  const whole = session([PARSE]);
  const both = twoSided({ parse: [value, value] }, [PARSE]);
  return compareSession({
    ...whole,
    sides: ['head'],
    rules: { ...whole.rules, evidence: 'stored' },
    runs: both.runs.filter(({ side }) => side === 'head'),
    images: [],
    declaredMetrics: { parse: { unit } },
    nights,
  });
};

test.each([
  ['us', 900, 'ms', 1.2, 'regressed', 1 / 3],
  ['ms', 1.2, 'us', 900, 'improved', -0.25],
] as const)(
  'nights in %s (%d) judge a head in %s (%d): %s',
  (unit, before, other, value, verdict, change) => {
    const row = rowOf(headIn(other, value, stored(unit, before)));
    expect(row?.verdict).toBe(verdict);
    expect(row?.change.estimate).toBeCloseTo(change, 1);
  },
);

test('nights in another kind of unit are no_data', () => {
  expect(rowOf(headIn('MB', 1.2, stored('ms', 1.2)))).toMatchObject({
    verdict: 'no_data',
    warnings: [
      'parse cannot be compared: the stored sessions have it in ms and the head in MB, and one cannot be converted into the other',
    ],
  });
});

test('a night with another name for a benchmark still counts', () => {
  const nights = stored('ms', 1.2).map((one) => ({
    ...one,
    medians: { a: { t_parse: 1.2 } },
    declared: { t_parse: { unit: 'ms', full: 't.py_parse#12345678' } },
  }));
  const whole = session([PARSE]);
  const both = twoSided({ parse: [1, 1] }, [PARSE]);
  const judged = compareSession({
    ...whole,
    sides: ['head'],
    rules: { ...whole.rules, evidence: 'stored' },
    runs: both.runs.filter(({ side }) => side === 'head'),
    images: [],
    declaredMetrics: { parse: { unit: 'ms', full: 't.py_parse#12345678' } },
    nights,
  });
  expect(rowOf(judged)?.stored?.sessions).toBe(20);
});

test('the largest float against a half is a finite change, in the text too', () => {
  const judged = compareSession(twoSided({ parse: [0.5, 1.7e308] }, [PARSE]));
  const row = rowOf(judged);
  expect(row?.verdict).toBe('regressed');
  expect(row?.change.estimate).toBe(Number.MAX_VALUE);
  expect(Number.isFinite(row?.head.median)).toBe(true);
  expect(percent(row?.change.estimate ?? null)).toBe('over +1000000 %');
  expect(rowOf(compareSession(twoSided({ parse: [1.7e308, 0.5] }, [PARSE])))?.change.estimate).toBeCloseTo(
    -1,
  );
});

test.each([
  ['walltime', 'walltime is judged, but no run has it. Did you mean wall_time_s?'],
  ['wall_time', 'wall_time is judged, but no run has it. Did you mean wall_time_s?'],
  ['parsse', 'parsse is judged, but no run has it. Did you mean parse?'],
  ['throughput', 'throughput is judged, but no run has it.'],
])('%s, which no run reports, is named at the top', (name, sentence) => {
  const both = twoSided({ parse: [1, 1], wall_time_s: [1, 1] }, [{ ...PARSE, name }]);
  const judged = compareSession({ ...both, warmup: both.runs.slice(0, 2) });
  expect(judged.warnings).toContain(sentence);
});

test('a short name that two benchmarks have is reported with their names', () => {
  const both = twoSided({ t_A_same: [1, 1], t_B_same: [1, 1] }, [{ ...PARSE, name: 'same' }]);
  const judged = compareSession({
    ...both,
    warmup: both.runs.slice(0, 2),
    declaredMetrics: { t_A_same: { short: 'same' }, t_B_same: { short: 'same' } },
  });
  expect(judged.warnings).toContain(
    "same is the name of 2 benchmarks, and nothing is judged under it. Name one of them: t_A_same, t_B_same; or use a pattern, such as 'same*'.",
  );
});
