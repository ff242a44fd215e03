import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MetricRule } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { familySize, namesOfShard } from '../session/shard.ts';
import { compareSession } from './compare.ts';
import type { Comparison } from './comparison.ts';
import { exitStatus } from './exit-status.ts';
import { compareParts, wholeOf } from './merge.ts';
import { ruledBy } from './ruled-session.ts';
import { assembleParts } from './parts.ts';
import { drawn, twoSided, type Drawn } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

const RULES: readonly MetricRule[] = ['wall_time_s', 'cpu_time_s'].map((name) =>
  metricRule(name, { unit: 's' }),
);
const NAMES = ['a', 'b', 'c', 'd', 'e'];

interface Truth {
  readonly changes: readonly number[];
  readonly blocks: number;
  readonly seed: number;
}

const truths = fc.record({
  changes: fc.array(fc.constantFrom(0, 0.02, 0.05, 0.08, 0.3, -0.1), { minLength: 5, maxLength: 5 }),
  blocks: fc.constantFrom(8, 10, 12, 16, 30),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

function whole({ changes, blocks, seed }: Truth): Session {
  const row = (change: number): Drawn => ({ level: 1, change, spread: 0.02 });
  return drawn(
    Object.fromEntries(
      NAMES.map((name, index) => [
        name,
        { wall_time_s: row(changes[index] ?? 0), cpu_time_s: row(changes[(index + 1) % 5] ?? 0) },
      ]),
    ),
    { blocks, seed, metrics: RULES },
  );
}

/** The session as `of` jobs would have written it. */
function shardsOf(session: Session, of: number): readonly Session[] {
  return Array.from({ length: of }, (_, position) => {
    const index = position + 1;
    const names = namesOfShard(session.variants, { index, of });
    const own = <Thing extends { readonly variant: string }>(things: readonly Thing[]) =>
      things.filter(({ variant }) => names.includes(variant));
    return {
      ...session,
      id: `shard-${index}`,
      shard: {
        index,
        of,
        tests: familySize(session.variants.length, session.rules.metrics),
        variants: session.variants,
      },
      variants: [...names],
      images: own(session.images),
      warmup: own(session.warmup),
      runs: own(session.runs),
    };
  });
}

const named = (sessions: readonly Session[]) =>
  sessions.map((session) => ({ session, file: `${session.id}.json` }));
const together = (sessions: readonly Session[]) => compareParts(assembleParts(named(sessions)));
const verdictsOf = ({ rows }: Comparison) =>
  Object.fromEntries(rows.map(({ variant, metric, verdict }) => [`${variant} ${metric}`, verdict]));
const refusal = (sessions: readonly Session[]) => () => assembleParts(named(sessions));

const slow = whole({ changes: [0, 0.3, 0, 0.05, 0], blocks: 12, seed: 7 });

test('a shard has every n-th variant, and all shards together have each variant once', () => {
  expect(namesOfShard(NAMES, { index: 2, of: 3 })).toEqual(['b', 'e']);
  const all = [1, 2, 3].flatMap((index) => namesOfShard(NAMES, { index, of: 3 }));
  expect([...all].sort()).toEqual(NAMES);
});

test('shards in any order give the same comparison, rows in the order of the plan', () => {
  fc.assert(
    fc.property(truths, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (truth, order) => {
      const shards = shardsOf(whole(truth), 3);
      const comparison = together(order.flatMap((index) => shards[index] ?? []));
      expect(comparison).toEqual(together(shards));
      expect([...new Set(comparison.rows.map(({ variant }) => variant))]).toEqual(NAMES);
    }),
    { numRuns: 15 },
  );
});

test('with one look, the shards of a session have the verdicts and the p of the whole session', () => {
  fc.assert(
    fc.property(truths, fc.integer({ min: 2, max: 5 }), (truth, of) => {
      const one = whole({ ...truth, blocks: 10 });
      const [split, unsplit] = [together(shardsOf(one, of)), compareSession(one)];
      expect(verdictsOf(split)).toEqual(verdictsOf(unsplit));
      expect(split.family).toEqual(unsplit.family);
      expect(split.rows.map(({ worse }) => worse)).toEqual(unsplit.rows.map(({ worse }) => worse));
    }),
    { numRuns: 20 },
  );
});

test('a row that a job has decided stays decided when the shards are merged', () => {
  fc.assert(
    fc.property(truths, fc.integer({ min: 2, max: 5 }), (truth, of) => {
      const shards = shardsOf(whole(truth), of);
      const merged = verdictsOf(together(shards));
      for (const shard of shards)
        for (const [row, verdict] of Object.entries(verdictsOf(compareSession(shard))))
          if (verdict !== 'inconclusive') expect([row, merged[row]]).toEqual([row, verdict]);
    }),
    { numRuns: 20 },
  );
});

test('a row that its own job cannot decide is decided by Holm at the merge', () => {
  const alike = whole({ changes: [0.3, 0.3, 0.3, 0.3, 0.3], blocks: 10, seed: 1 });
  // One of e's ten pairs is a hair better, so its p is 2 / 2^10, in a family of ten 0.0195; the others' are half of it.
  const nearly: Session = {
    ...alike,
    rules: { ...alike.rules, alpha: 0.015 },
    runs: alike.runs.map((run) =>
      run.variant === 'e' && run.block === 1
        ? {
            ...run,
            metrics: {
              wall_time_s: run.side === 'head' ? 0.999 : 1,
              cpu_time_s: run.side === 'head' ? 0.999 : 1,
            },
          }
        : run,
    ),
  };
  const shards = shardsOf(nearly, 5);
  expect(compareSession(shards[4]!).verdict).toBe('inconclusive');
  expect(compareSession(shards[3]!).verdict).toBe('regressed');
  const merged = together(shards);
  expect(new Set(Object.values(verdictsOf(merged)))).toEqual(new Set(['regressed']));
  // Eight p are smaller: 2 are left, and twice 2 / 2^10 is 0.0039, but Holm keeps the order, and the others have 0.0098.
  expect(merged.rows.at(-1)?.worse.p).toBeCloseTo(2 / 1024, 10);
  expect(merged.rows.at(-1)?.worse.pAdjusted).toBeCloseTo(10 / 1024, 10);
});

test('the variants of a missing shard have no data, and the report names it', () => {
  const [first, , third] = shardsOf(slow, 3);
  const comparison = together([third!, first!]);
  expect(exitStatus(comparison, [])).toBe(3);
  expect(comparison.warnings[0]).toBe('Shard 2 of 3 is missing: no data for b, e.');
  expect(comparison.family.tests).toBe(10);
  const missing = comparison.rows.filter(({ verdict }) => verdict === 'no_data');
  expect(missing.map(({ variant, metric }) => `${variant} ${metric}`)).toEqual([
    'b wall_time_s',
    'b cpu_time_s',
    'e wall_time_s',
    'e cpu_time_s',
  ]);
  expect(missing[0]?.warnings).toEqual(['shard 2 of 3 is missing, so there is no data']);
});

test('a single shard is reported as a shard', () => {
  const [first] = shardsOf(slow, 2);
  expect(compareSession(first!).warnings[0]).toContain('This is shard 1 of 2');
});

test('the same session twice counts once: a merged file is next to its parts', () => {
  const shards = shardsOf(slow, 2);
  expect(together([...shards, ...shards])).toEqual(together(shards));
});

test('shards on machines of several kinds are merged', () => {
  const [first, second] = shardsOf(slow, 2);
  const elsewhere = { ...second!, machine: { ...second!.machine, cpuModel: 'another' } };
  expect(verdictsOf(together([first!, elsewhere]))).toEqual(verdictsOf(together([first!, second!])));
});

const [one, two] = shardsOf(slow, 2) as [Session, Session];
const commits = (head: string) => ({
  ...one.source,
  head: { commit: head, dirty: false },
  baseline: { commit: 'base', dirty: false },
});

test.each<[string, readonly Session[], RegExp]>([
  [
    'another commit',
    [
      { ...one, source: commits('aaa') },
      { ...two, source: commits('bbb') },
    ],
    /the head: shard-1\.json has aaa, shard-2\.json has bbb; expected: one/,
  ],
  [
    'another workload',
    [one, { ...two, workload: { ...two.workload, hash: 'v' } }],
    /the workload's hash: shard-1\.json has w, shard-2\.json has v/,
  ],
  [
    'another configuration',
    [one, { ...two, configuration: 'other' }],
    /the configuration: shard-1\.json has pacegate, shard-2\.json has other/,
  ],
  [
    'other rules',
    [one, { ...two, rules: { ...two.rules, alpha: 0.1 } }],
    /the rule alpha: shard-1\.json has 0\.05, shard-2\.json has 0\.1/,
  ],
  [
    'the same shard twice',
    [one, two, { ...two, id: 'again' }],
    /shard 2 of 2 was found twice: in shard-2\.json \(session shard-2\) and in again\.json \(session again\)/,
  ],
  [
    'another number of shards',
    [one, { ...shardsOf(slow, 3)[1]!, id: 'of-three' }],
    /the number of shards: shard-1\.json has 2, of-three\.json has 3/,
  ],
  [
    'variants that are not the shard’s',
    [one, { ...two, shard: { ...two.shard!, index: 1 } }],
    /found the variants b, d; expected for shard 1 of 2: a, c, e/,
  ],
  [
    'a family of another size',
    [one, { ...two, shard: { ...two.shard!, tests: 1 } }],
    /shard-2\.json: found a family of 1 tests; its plan and rules make it 10/,
  ],
  [
    'two gates that are no shards',
    [slow, { ...slow, id: 'other' }],
    /found 2 sessions of a gate, of which this\.json and other\.json are no shard/,
  ],
  ['a night', [one, { ...two, purpose: 'nightly' }], /shard-2\.json: found a session of purpose nightly/],
  ['no gate', [{ ...twoSided({}), purpose: 'confirmation' }], /found no session of a gate/],
  ['a session that was changed', [one, { ...one, seed: 2 }], /both have a session shard-1, and differ/],
])('%s is refused, and both values are named', (_, sessions, message) => {
  expect(refusal(sessions)).toThrow(message);
});

test('other rules make another family, of the same variants', () => {
  const [wall] = RULES;
  const judged = [one, two].map((shard) => ruledBy(shard, { ...shard.rules, metrics: [wall!] }));
  expect(together(judged).family.tests).toBe(5);
});

test('the parts as one session hold all variants, runs, failures and minutes', () => {
  const report = wholeOf(assembleParts(named([two, one])));
  expect(report.variants).toEqual(NAMES);
  expect(report.runs).toHaveLength(slow.runs.length);
  expect(report.shard).toBeUndefined();
  expect(report.budget.seconds).toBe(2 * slow.budget.seconds);
});

test('a shard that was interrupted after one pair: the merge has no data, exit status 3, and no row of it passes', () => {
  const [first, second, third] = shardsOf(whole({ changes: [0, 0, 0, 0, 0], blocks: 12, seed: 3 }), 3);
  const cut: Session = {
    ...second!,
    runs: second!.runs.filter(({ block }) => block === 1),
    interrupted: true,
  };
  for (const sessions of [
    [first!, cut, third!],
    [first!, third!, { ...cut, runs: [] }],
  ]) {
    const merged = together(sessions);
    expect([merged.verdict, exitStatus(merged, ['regressed'])]).toEqual(['no_data', 3]);
    expect(merged.interrupted).toBe(true);
    const own = merged.rows.filter(({ variant }) => cut.variants.includes(variant));
    expect([...new Set(own.map(({ verdict }) => verdict))]).toEqual(['no_data']);
    // What the other jobs measured stands.
    expect(merged.rows.some(({ verdict }) => verdict === 'unchanged')).toBe(true);
  }
});

test('an interrupted shard does not hide a regression of another, and does not pass if nothing fails', () => {
  const [first, second, third] = shardsOf(slow, 3);
  const merged = together([first!, second!, { ...third!, interrupted: true }]);
  expect(merged.rows.some(({ verdict }) => verdict === 'regressed')).toBe(true);
  for (const failOn of [['regressed'], []] as const) expect(exitStatus(merged, [...failOn])).toBe(3);
});

test('the message on sessions that do not belong together is short, however many there are', () => {
  const many = Array.from({ length: 400 }, (_, index) => ({
    ...slow,
    id: `session-${index}`,
    configuration: `${'c'.repeat(50)}-${index}`,
  }));
  expect(refusal(many)).toThrow(/ … and 3\d\d more$/);
  let message = '';
  try {
    refusal(many)();
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message.length).toBeLessThan(6000);
  const nights = many.map((session) => ({ ...session, purpose: 'nightly' as const }));
  expect(refusal(nights)).toThrow(/… and \d+ more$/);
});
