import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MetricRule } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { isConfirmed } from '../statistics/confirmation.ts';
import { compareSession } from './compare.ts';
import { variantsToConfirm } from './confirm.ts';
import { exitStatus } from './exit-status.ts';
import { compareParts } from './merge.ts';
import { assembleParts } from './parts.ts';
import { cutTo, drawn, type Drawn } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

const RULES: readonly MetricRule[] = [
  metricRule('wall_time_s'),
  metricRule('tasks', { unit: 'tasks', better: 'higher' }),
];

const quiet = (change: number): Drawn => ({ level: 1, change, spread: 0.002 });
const sessionOf = (
  changes: Readonly<Record<string, { readonly wall: number; readonly tasks: number }>>,
  blocks: number,
  seed = 1,
) =>
  drawn(
    Object.fromEntries(
      Object.entries(changes).map(([name, { wall, tasks }]) => [
        name,
        { wall_time_s: quiet(wall), tasks: quiet(tasks) },
      ]),
    ),
    { blocks, seed, metrics: RULES },
  );

const first = sessionOf({ a: { wall: 0.051, tasks: 0 }, b: { wall: 0, tasks: -0.06 } }, 12);
/** What a second job would have written: the first one's rules, eight blocks, another machine. */
const second = (
  changes: Parameters<typeof sessionOf>[0],
  change: Partial<Session> = {},
  blocks = 8,
): Session => ({
  ...sessionOf(changes, blocks, 2),
  id: 'second',
  purpose: 'confirmation',
  rules: first.rules,
  machine: { ...first.machine, cpuModel: 'another' },
  ...change,
});
const judged = (...sessions: readonly Session[]) =>
  compareParts(assembleParts(sessions.map((session) => ({ session, file: `${session.id}.json` }))));
const rowOf = (comparison: ReturnType<typeof judged>, variant: string, metric: string) =>
  comparison.rows.find((row) => row.variant === variant && row.metric === metric);

test.each([
  ['at the limit', { centre: Math.log(1.03), blocks: 8, limit: 0.03 }, true],
  ['below the limit', { centre: Math.log(1.0299), blocks: 8, limit: 0.03 }, false],
  ['in too few blocks', { centre: 1, blocks: 7, limit: 0.03 }, false],
  ['an improvement', { centre: -1, blocks: 30, limit: 0.03 }, false],
  ['nothing measured', { centre: Number.NaN, blocks: 0, limit: 0.03 }, false],
])('a second look %s: %j confirms %s', (_, look, expected) => {
  expect(isConfirmed(look)).toBe(expected);
});

test('a second session measures only the regressed variants', () => {
  expect(variantsToConfirm(compareSession(first))).toEqual(['a', 'b']);
  expect(variantsToConfirm(compareSession(sessionOf({ a: { wall: 0, tasks: 0 } }, 30)))).toEqual([]);
});

test('a regression that is there again is confirmed and blocks, whichever way its metric is better', () => {
  const both = judged(first, second({ a: { wall: 0.048, tasks: 0 }, b: { wall: 0, tasks: -0.05 } }));
  expect(both.verdict).toBe('regressed');
  expect(rowOf(both, 'a', 'wall_time_s')).toMatchObject({
    verdict: 'regressed',
    confirmation: { session: 'second', confirmed: true, blocks: 8, sameMachine: false },
  });
  expect(rowOf(both, 'a', 'wall_time_s')?.confirmation?.estimate).toBeCloseTo(0.048, 2);
  expect(rowOf(both, 'b', 'tasks')).toMatchObject({
    verdict: 'regressed',
    confirmation: { confirmed: true },
  });
  expect(rowOf(both, 'b', 'tasks')?.confirmation?.estimate).toBeCloseTo(-0.05, 2);
  expect(both.warnings).toEqual([
    'A second session measured again 2 regressed rows: 2 confirmed, 0 not confirmed.',
  ]);
  // The first session's own figures are those of the row.
  expect(rowOf(both, 'a', 'wall_time_s')?.change).toEqual(
    rowOf(compareSession(first), 'a', 'wall_time_s')?.change,
  );
});

test('a regression that is not confirmed is reported with both figures and does not fail the job', () => {
  const both = judged(first, second({ a: { wall: 0.004, tasks: 0 }, b: { wall: 0, tasks: 0 } }));
  expect(rowOf(both, 'a', 'wall_time_s')).toMatchObject({
    verdict: 'inconclusive',
    confirmation: { confirmed: false },
    warnings: [
      expect.stringMatching(
        /^regressed by \+5\.\d % in the first session and not in the second \(\+0\.\d %, another machine\): reported; it does not fail the job$/,
      ),
    ],
  });
  expect(exitStatus(both, ['regressed'])).toBe(0);
  expect(exitStatus(both, ['inconclusive'])).toBe(1);
});

test('the same kind of machine is reported as that', () => {
  const both = judged(
    first,
    second({ a: { wall: 0, tasks: 0 }, b: { wall: 0, tasks: -0.06 } }, { machine: first.machine }),
  );
  expect(rowOf(both, 'a', 'wall_time_s')?.warnings[0]).toContain('the same kind of machine');
  expect(rowOf(both, 'b', 'tasks')?.confirmation).toMatchObject({ confirmed: true, sameMachine: true });
});

test('a second session that could not measure changes nothing: the regression stays', () => {
  const cut = second({ a: { wall: 0, tasks: 0 }, b: { wall: 0, tasks: 0 } });
  for (const dead of [cutTo(cut, { a: 7, b: 7 }), { ...cut, runs: [] }]) {
    const both = judged(first, dead);
    expect(rowOf(both, 'a', 'wall_time_s')).toMatchObject({
      verdict: 'regressed',
      confirmation: { confirmed: false },
      warnings: [expect.stringContaining('of the 8 blocks that a confirmation needs')],
    });
    expect(exitStatus(both, ['regressed'])).toBe(1);
  }
  // Nor does one that did not look at a variant.
  const partial = judged(first, second({ b: { wall: 0, tasks: 0 } }));
  expect(rowOf(partial, 'a', 'wall_time_s')).toMatchObject({ verdict: 'regressed', confirmation: null });
});

test('the shards of a gate are confirmed as the gate is', () => {
  const shards = ['a', 'b'].map((name, index) => ({
    ...first,
    id: `shard-${name}`,
    shard: { index: index + 1, of: 2, tests: 4, variants: ['a', 'b'] },
    variants: [name],
    images: first.images.filter(({ variant }) => variant === name),
    warmup: first.warmup.filter(({ variant }) => variant === name),
    runs: first.runs.filter(({ variant }) => variant === name),
  }));
  const again = second({ a: { wall: 0.004, tasks: 0 }, b: { wall: 0, tasks: -0.05 } });
  expect(judged(...shards, again).rows.map(({ verdict }) => verdict)).toEqual(
    judged(first, again).rows.map(({ verdict }) => verdict),
  );
});

test('a variant is confirmed only once, because a second confirmation would allow a choice', () => {
  const again = second({ a: { wall: 0, tasks: 0 } });
  expect(() => judged(first, again, { ...again, id: 'third' })).toThrow(
    'a is confirmed twice: in second.json and in third.json; expected: once',
  );
  expect(() => judged(first, second({ z: { wall: 0, tasks: 0 } }))).toThrow(
    'second.json: found z, which the gate does not have; expected: a, b',
  );
});

const changes = fc.record({
  wall: fc.double({ min: -0.2, max: 0.3, noNaN: true }),
  tasks: fc.double({ min: -0.2, max: 0.3, noNaN: true }),
});

test('a confirmation never creates a regression, and changes no other row', () => {
  fc.assert(
    fc.property(changes, changes, fc.integer({ min: 1, max: 12 }), (before, after, blocks) => {
      const gate = sessionOf({ a: before }, 12);
      const alone = compareSession(gate);
      const both = judged(gate, second({ a: after }, { rules: gate.rules }, blocks));
      for (const [index, row] of both.rows.entries()) {
        const was = alone.rows[index]!;
        if (was.verdict === 'regressed') expect(['regressed', 'inconclusive']).toContain(row.verdict);
        else expect(row).toEqual(was);
      }
    }),
    { numRuns: 60 },
  );
});
