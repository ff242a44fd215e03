import { expect, test } from '@jest/globals';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { judgeRanking } from './unjudged-rows.ts';
import { rankPlanner } from './planner.ts';
import { noisyValues, rankingSession } from './rank.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

const TIME = metricRule('wall_time_s');

/** Runs block after block as the measurement would, and stops each variant that the planner reports as decided. */
function live(whole: Session) {
  const planner = rankPlanner(
    ({ runs, failures, declaredMetrics }) => ({
      ...whole,
      runs: [...runs],
      failures: [...failures],
      declaredMetrics,
    }),
    'a',
  );
  const progress = (runs: readonly Run[], failures: Session['failures'] = []) =>
    planner.progress({ warmup: [], runs, failures, blocksPlanned: whole.rules.blocks, declaredMetrics: {} });
  let runs: readonly Run[] = [];
  let decided: ReadonlySet<string> = progress([]).decided;
  for (let block = 1; block <= whole.rules.blocks; block++) {
    runs = [...runs, ...whole.runs.filter((run) => run.block === block && !decided.has(run.variant))];
    decided = progress(runs).decided;
  }
  return { planner, progress, decided, session: { ...whole, runs: [...runs] } };
}

const whole = rankingSession(
  ['a', 'far', 'alike', 'near'],
  noisyValues(
    {
      a: { wall_time_s: 1 },
      far: { wall_time_s: 1.3 },
      alike: { wall_time_s: 1 },
      near: { wall_time_s: 1.04 },
    },
    { noise: 0.015, block: 0.05, seed: 3 },
  ),
  { blocks: 30, metrics: [TIME] },
);

test('a variant stops at the look that decides it, the reference with the last, and the file gives the same', () => {
  const { session } = live(whole);
  const blocks = Object.fromEntries(
    session.variants.map((variant) => [
      variant,
      session.runs.filter((run) => run.variant === variant).length,
    ]),
  );
  expect(blocks['far']).toBe(12);
  expect(blocks['alike']).toBeLessThan(30);
  expect(blocks['a']).toBe(Math.max(blocks['far']!, blocks['alike']!, blocks['near']!));
  const words = (of: Session) =>
    [...judgeRanking([of], 'a').outcomes.values()].map(({ decision, blocks: used, centre }) => [
      decision,
      used,
      centre,
    ]);
  // What would have been measured after that changes nothing.
  expect(words(session)).toEqual(words(whole));
});

test('without the reference nothing is worth a run; a variant that failed is decided', () => {
  const { progress } = live(whole);
  const failure = (variant: string) => ({ variant, side: 'head', stage: 'workload', message: '' }) as const;
  expect([...progress([], [failure('a')]).decided]).toEqual(whole.variants);
  expect([...progress([], [failure('far')]).decided]).toEqual(['far']);
});

test('the time is shared out to whole blocks, with some kept for runs that are slower than the warm-up', () => {
  const { planner, progress } = live(whole);
  expect(
    planner.cap(
      new Map([
        ['a', 2],
        ['far', 3],
      ]),
      100,
      { warmup: [], failures: [], declaredMetrics: {} },
    ),
  ).toBe(18);
  expect(progress([]).expected('a')).toBe(30);
  expect(progress(whole.runs.slice(0, 4)).expected('a')).toBe(0);
  expect(progress([]).expected('near')).toBe(30);
});
