import { expect, test } from '@jest/globals';
import type { Engine, Runnable } from '../measure/engine.ts';
import { measureSession, type ProgressEvent } from '../measure/loop.ts';
import { planOf, WALL_ALONE } from '../plan/plan.test-support.ts';
import type { Side } from '../session/run.ts';
import type { Image, Session } from '../session/session.ts';
import { parseSession } from '../session/read.ts';
import { sessionText } from '../session/write.ts';
import { uniformSource } from '../statistics/random.ts';
import { compareSession } from '../verdict/compare.ts';
import { ruledBy } from '../verdict/ruled-session.ts';
import { sequentialPlanner } from './planner.ts';
import { image, session } from '../session/session.test-support.ts';

/** Sessions measured by the real loop, looked at by the real planner, in a world whose truth is known. */

interface Truth {
  /** head / baseline. */
  readonly ratio: number;
  /** Half the width of a run's uniform noise. */
  readonly noise: number;
}

async function measured(
  truths: Readonly<Record<string, Truth>>,
  { secondsLeft = 100_000, seed = 5, rules = '{ budget: 100h }', benchmarks = 0 } = {},
): Promise<{ readonly session: Session; readonly events: readonly ProgressEvent[] }> {
  const plan = planOf({
    workload: '{ command: [python, bench.py], repetitions: 1 }',
    variants: `{ ${Object.keys(truths)
      .map((name, index) => `${name}: { interpreter: host, python: python${index} }`)
      .join(', ')} }`,
    metrics: `{ ${WALL_ALONE}${benchmarks > 0 ? ", 'test_*': {}" : ''} }`,
    rules,
  });
  const random = uniformSource(seed);
  let now = 0;
  const engine: Engine = {
    run: ({ runnable }) => {
      const { variant, side } = runnable.image;
      const { ratio, noise } = truths[variant]!;
      now += 1;
      const value = () => (side === 'head' ? ratio : 1) * (1 + noise * (2 * random() - 1));
      const suite = Array.from({ length: benchmarks }, (_, index) => [`test_${index}`, value()] as const);
      return Promise.resolve({
        outcome: 'ok',
        metrics: { wall_time_s: value(), ...Object.fromEntries(suite) },
        declared: {},
        noise: {},
        exitStatus: 0,
        message: undefined,
      });
    },
    facts: () => Promise.reject(new Error('not asked here')),
    cleanUp: () => Promise.resolve(),
  };
  const variants = Object.keys(truths);
  const blank: Session = {
    ...session(),
    variants,
    rules: plan.rules,
    seed,
    images: variants.flatMap((name) => [image(name, 'baseline', 'b'), image(name, 'head', 'h')]),
  };
  const runnable = (variant: string, side: Side): Runnable => ({
    image: { variant, side, engine: 'host' } as Image,
    python: '/usr/bin/python3',
    flags: [],
    env: {},
    workingDirectory: '/',
    filesFrom: '/',
  });
  const events: ProgressEvent[] = [];
  const result = await measureSession(
    {
      plan,
      seed,
      variants: variants.map((variant) => ({
        variant,
        sides: { baseline: runnable(variant, 'baseline'), head: runnable(variant, 'head') },
      })),
      secondsLeft,
      engines: { container: engine, host: engine },
      journal: {
        append: () => Promise.resolve(),
        describe: () => Promise.resolve(),
        trouble: () => undefined,
        close: () => Promise.resolve(),
      },
      pause: async () => await Promise.resolve(),
      clock: () => new Date(now * 1000),
      onProgress: (event) => void events.push(event),
      planner: sequentialPlanner(({ warmup, runs, failures, blocksPlanned }) =>
        ruledBy(
          {
            ...blank,
            warmup: [...warmup],
            runs: [...runs],
            failures: [...failures],
            budget: { ...blank.budget, ...(blocksPlanned === undefined ? {} : { blocksPlanned }) },
          },
          plan.rules,
        ),
      ),
    },
    new AbortController().signal,
  );
  const { blocksPlanned, blocksLeftOut, secondsLeftOut, stopped } = result;
  return {
    session: ruledBy(
      {
        ...blank,
        warmup: [...result.warmup],
        runs: [...result.runs],
        failures: [...result.failures],
        budget: {
          ...blank.budget,
          blocksPlanned,
          blocksLeftOut,
          secondsLeftOut,
          stopped: [...(stopped ?? [])],
        },
      },
      plan.rules,
    ),
    events,
  };
}

const blocksOf = ({ runs }: Session, variant: string) =>
  runs.filter((run) => run.variant === variant && run.side === 'head').length;
const rowsOf = (whole: Session) =>
  Object.fromEntries(
    compareSession(whole)
      .rows.filter(({ gated }) => gated)
      .map(({ variant, verdict, blocks }) => [variant, { verdict, blocks }]),
  );

test('each variant stops at the look that decides it, and its file gives the same verdict', async () => {
  const { session: whole, events } = await measured({
    quiet: { ratio: 1, noise: 0.005 },
    slower: { ratio: 1.2, noise: 0.005 },
    noisy: { ratio: 1, noise: 0.4 },
  });
  expect(rowsOf(whole)).toEqual({
    quiet: { verdict: 'unchanged', blocks: 8 },
    slower: { verdict: 'regressed', blocks: 12 },
    noisy: { verdict: 'inconclusive', blocks: 60 },
  });
  expect(['quiet', 'slower', 'noisy'].map((variant) => blocksOf(whole, variant))).toEqual([8, 12, 60]);
  expect(
    events.flatMap((event) => (event.kind === 'decided' ? [[event.block, event.variants, event.open]] : [])),
  ).toEqual([
    [8, ['quiet'], 2],
    [12, ['slower'], 1],
  ]);
  const file = parseSession(sessionText(whole), 'session.json');
  expect(compareSession(file)).toEqual(compareSession(whole));
});

test('over many seeds the live run stops where the replay of its file is decided, never earlier or later', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const { session: whole } = await measured(
      {
        a: { ratio: 1, noise: 0.04 },
        b: { ratio: 1.05, noise: 0.04 },
        c: { ratio: 0.97, noise: 0.08 },
      },
      { seed },
    );
    for (const [variant, { verdict, blocks }] of Object.entries(rowsOf(whole))) {
      expect(blocks).toBe(blocksOf(whole, variant));
      if (verdict === 'inconclusive') expect(blocks).toBe(60);
    }
  }
});

test('the benchmarks that match a pattern are in the family from the first block on, live and in the file', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const { session: whole } = await measured(
      { a: { ratio: 1, noise: 0.03 }, b: { ratio: 1.06, noise: 0.03 } },
      { seed, benchmarks: 3 },
    );
    const { family, rows } = compareSession(whole);
    // Two variants, each with its wall time and three benchmarks.
    expect(family.tests).toBe(8);
    for (const variant of ['a', 'b']) {
      const own = rows.filter((row) => row.gated && row.variant === variant);
      expect(own.map(({ metric }) => metric)).toEqual(['wall_time_s', 'test_0', 'test_1', 'test_2']);
      // The variant went on until the last of its rows was decided, and no longer.
      const used = Math.max(...own.map(({ blocks }) => blocks));
      expect(used).toBe(blocksOf(whole, variant));
    }
    const file = parseSession(sessionText(whole), 'session.json');
    expect(compareSession(file)).toEqual(compareSession(whole));
  }
});

test('a budget for half of the variants decides half of them, and the note gives the time for the others', async () => {
  const quiet = { ratio: 1, noise: 0.005 };
  // A pair takes 2 s; the warm-ups 8 s; each variant is expected to be decided after 8 to 12 blocks.
  const { session: whole } = await measured(
    { a: quiet, b: quiet, c: quiet, d: quiet },
    { secondsLeft: 8 + 2 * 22 },
  );
  const rows = rowsOf(whole);
  const verdicts = Object.values(rows).map(({ verdict }) => verdict);
  expect(verdicts.filter((verdict) => verdict === 'unchanged').length).toBeGreaterThanOrEqual(2);
  expect(verdicts).toContain('inconclusive');
  expect(whole.budget.secondsLeftOut).toBeGreaterThan(0);
  expect(compareSession(whole).warnings[0]).toMatch(/The budget left \d rows? undecided/);
});

test('where time is short the cap is lower and the last look has the alpha that is left', async () => {
  const { session: whole, events } = await measured(
    { a: { ratio: 1.2, noise: 0.005 } },
    { secondsLeft: 2 + 2 * 10 },
  );
  expect(events.find(({ kind }) => kind === 'plan')).toMatchObject({ blocksPlanned: 60 });
  expect(whole.budget.blocksPlanned).toBeLessThanOrEqual(10);
  expect(rowsOf(whole)).toMatchObject({ a: { verdict: 'regressed' } });
});

test('a variant that the rest of the budget cannot decide is stopped, and its minutes go to the others', async () => {
  const truths = {
    hopeless: { ratio: 1, noise: 0.6 },
    a: { ratio: 1.05, noise: 0.05 },
    b: { ratio: 1.05, noise: 0.05 },
  };
  const { session: whole, events } = await measured(truths, { secondsLeft: 110 });
  expect(whole.budget.stopped).toEqual(['hopeless']);
  const { hopeless, a, b } = rowsOf(whole);
  expect(hopeless).toMatchObject({ verdict: 'inconclusive' });
  // All of the time left after the eight pairs of each would have been 29 more.
  expect(hopeless!.blocks).toBeLessThan(14);
  expect([a, b].map((row) => row!.verdict)).toEqual(['regressed', 'regressed']);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'stopped', variants: ['hopeless'] }));
  // The file gives the same verdicts.
  expect(compareSession(parseSession(sessionText(whole), 'session.json'))).toEqual(compareSession(whole));
});

test('with time for all blocks no variant is stopped', async () => {
  const { session: whole } = await measured({ hopeless: { ratio: 1, noise: 0.6 } });
  expect(whole.budget.stopped).toEqual([]);
  expect(rowsOf(whole)).toMatchObject({ hopeless: { blocks: 60 } });
});

test('recent nights give the expected time of a gate before the first block', () => {
  const noisy = { residuals: { a: { wall_time_s: Array.from({ length: 30 }, (_, i) => (i - 14.5) / 100) } } };
  const quiet = {
    residuals: { a: { wall_time_s: Array.from({ length: 30 }, (_, i) => (i - 14.5) / 10_000) } },
  };
  const expected = (residuals: typeof noisy) => {
    const whole: Session = {
      ...session(),
      rules: { ...session().rules, blocks: 30 },
      nights: [
        {
          session: 'n',
          started: '2026-01-01T00:00:00.000Z',
          sameMachine: true,
          changedFiles: null,
          medians: {},
          centres: {},
          ...residuals,
        },
      ],
    };
    return sequentialPlanner(() => whole)
      .progress({ warmup: [], runs: [], failures: [], blocksPlanned: 30, declaredMetrics: {} })
      .expected('a');
  };
  expect(expected(quiet)).toBe(8);
  expect(expected(noisy)).toBe(Infinity);
});

test('deviations of whole nights without a change make a gate longer', () => {
  const residuals = { a: { wall_time_s: Array.from({ length: 30 }, (_, i) => (i - 14.5) / 500) } };
  const expected = (off: number) => {
    const nights = [-1, 1, -1, 1].map((side, index) => ({
      session: `n${index}`,
      started: '2026-01-01T00:00:00.000Z',
      sameMachine: true,
      changedFiles: null,
      medians: {},
      residuals,
      centres: { a: { wall_time_s: side * off } },
    }));
    const whole: Session = { ...session(), rules: { ...session().rules, blocks: 30 }, nights };
    return sequentialPlanner(() => whole)
      .progress({ warmup: [], runs: [], failures: [], blocksPlanned: 30, declaredMetrics: {} })
      .expected('a');
  };
  expect(expected(0)).toBeLessThanOrEqual(12);
  expect(expected(0.03)).toBeGreaterThan(expected(0));
});
