import { describe, expect, test } from '@jest/globals';
import { fixedPlanner } from '../planning/planner.ts';
import { planOf } from '../plan/plan.test-support.ts';
import type { Run, Side } from '../session/run.ts';
import type { Image } from '../session/session.ts';
import type { Engine, RunRequest, RunResult, Runnable } from './engine.ts';
import { measureSession, type LoopRequest, type ProgressEvent } from './loop.ts';
import { scheduleBlocks } from './schedule.ts';
import { metricRule } from '../session/metric.test-support.ts';

const plan = (extra = '') =>
  planOf({
    workload: `{ command: [python, bench.py], timeout: 10s ${extra} }`,
    variants: '{ a: { interpreter: host, python: python3 }, b: { interpreter: host, python: python4 } }',
    rules: '{ blocks: 8 }',
  });

const runnable = (variant: string, side: 'baseline' | 'head'): Runnable => ({
  image: { variant, side, engine: 'host' } as Image,
  python: '/usr/bin/python3',
  flags: [],
  env: {},
  workingDirectory: '/',
  filesFrom: '/',
});

const OK: RunResult = {
  outcome: 'ok',
  metrics: { wall_time_s: 1, cpu_time_s: 1 },
  declared: {},
  noise: {},
  exitStatus: 0,
  message: undefined,
};
const bad = (outcome: RunResult['outcome'], message: string): RunResult => ({
  ...OK,
  outcome,
  metrics: {},
  exitStatus: null,
  message,
});

/** A scripted engine under a clock of its own: each run takes as long as it says. */
function scripted(
  answer: (request: RunRequest, call: number) => RunResult,
  seconds: number | ((variant: string) => number) = 1,
) {
  const calls: string[] = [];
  const journal: string[] = [];
  const events: ProgressEvent[] = [];
  let now = 0;
  const engine: Engine = {
    run: async (request) => {
      const { variant, side } = request.runnable.image;
      now += (typeof seconds === 'number' ? seconds : seconds(variant)) * request.repetitions;
      calls.push(`${variant}.${side}`);
      return await Promise.resolve(answer(request, calls.length));
    },
    facts: async () => await Promise.reject(new Error('not asked here')),
    cleanUp: async () => await Promise.resolve(),
  };
  const request: LoopRequest = {
    plan: plan(),
    seed: 7,
    variants: ['a', 'b'].map((variant) => ({
      variant,
      sides: { baseline: runnable(variant, 'baseline'), head: runnable(variant, 'head') },
    })),
    secondsLeft: 1000,
    engines: { container: engine, host: engine },
    journal: {
      append: async ({ variant, side, block }: Run, warmup) => {
        journal.push(`${warmup ? 'w' : block} ${variant}.${side}`);
        await Promise.resolve();
      },
      describe: () => Promise.resolve(),
      trouble: () => undefined,
      close: async () => await Promise.resolve(),
    },
    pause: async () => await Promise.resolve(),
    clock: () => new Date(now * 1000),
    onProgress: (event) => void events.push(event),
    planner: fixedPlanner(8),
  };
  return { calls, journal, events, request };
}

const never = new AbortController().signal;

test('a warm-up of each side, then blocks of pairs back to back in the scheduled order', async () => {
  const { calls, journal, request } = scripted(() => OK);
  const result = await measureSession(request, never);
  expect(calls.slice(0, 4)).toEqual(['a.baseline', 'a.head', 'b.baseline', 'b.head']);
  const expected = scheduleBlocks(['a', 'b'], ['baseline', 'head'], 8, 7).flatMap((block) =>
    block.flatMap(({ variant, order }) => order.map((side) => `${variant}.${side}`)),
  );
  expect(calls.slice(4)).toEqual(expected);
  expect(result.runs).toHaveLength(32);
  expect(result.warmup).toHaveLength(4);
  expect(new Set(result.runs.map(({ block }) => block))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
  // Each run is in the journal as soon as it has ended, in the order in which it ran.
  expect(journal.slice(4).map((line) => line.split(' ')[1])).toEqual(calls.slice(4));
});

test('a hybrid is worked out run by run and is in the run as any other metric; a run that lacks a part has none', async () => {
  const { request } = scripted(({ runnable: { image } }) =>
    image.variant === 'a' ? { ...OK, metrics: { ...OK.metrics, cpu_time_s: 6, tasks: 4 } } : OK,
  );
  const hybrid = metricRule('cpu_per_task', { unit: 's' });
  const metrics = [{ ...hybrid, formula: 'cpu_time_s / tasks' }];
  const { runs, warmup } = await measureSession(
    { ...request, plan: { ...request.plan, rules: { ...request.plan.rules, metrics } } },
    never,
  );
  for (const run of [...warmup, ...runs])
    expect(run.metrics).toEqual(
      run.variant === 'a'
        ? { wall_time_s: 1, cpu_time_s: 6, tasks: 4, cpu_per_task: 1.5 }
        : { wall_time_s: 1, cpu_time_s: 1 },
    );
});

describe('a server’s load', () => {
  const loads = async (served: string, sides: readonly Side[]) => {
    const seen = new Set<string>();
    const { request } = scripted(({ runnable: { image }, load }) => {
      seen.add(`${image.side} <- ${load?.image.side ?? 'none'}`);
      return OK;
    });
    const variants = request.variants.map((one) => ({
      ...one,
      sides: Object.fromEntries(sides.map((side) => [side, one.sides[side]])),
    }));
    await measureSession({ ...request, variants, plan: plan(served) }, never);
    return [...seen].sort();
  };
  const SERVED = ', server: { ready: 8000, load: [python, load.py] }';

  test('is the baseline’s on both sides', async () => {
    expect(await loads(SERVED, ['baseline', 'head'])).toEqual(['baseline <- baseline', 'head <- baseline']);
  });
  test('belongs to the side itself if there is only one', async () => {
    expect(await loads(SERVED, ['head'])).toEqual(['head <- head']);
  });
  test('belongs to no side if there is no server', async () => {
    expect(await loads('', ['baseline', 'head'])).toEqual(['baseline <- none', 'head <- none']);
  });

  test('that is short is not repeated, and a time limit’s advice names both limits', async () => {
    const { request } = scripted((_, call) =>
      call < 6 ? { ...OK, metrics: { wall_time_s: 0.01 } } : bad('timeout', 'not ready'),
    );
    const { repetitions, failures } = await measureSession({ ...request, plan: plan(SERVED) }, never);
    expect(repetitions).toEqual({ a: 1, b: 1 });
    expect(failures[0]?.message).toMatch(
      /raise workload\.timeout for a round of load, workload\.server\.start-timeout/,
    );
  });
});

test('the plan with its minutes comes after the warm-up and before the first block', async () => {
  const { events, request } = scripted(() => OK);
  await measureSession(request, never);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.indexOf('plan')).toBe(4);
  expect(events[4]).toMatchObject({ blocks: 8, blocksPlanned: 8, seconds: 32, secondsAtMost: 32 });
});

describe('an engine’s fault', () => {
  test('repeats the whole pair, and both tries are kept', async () => {
    const { calls, request } = scripted((_, call) => (call === 6 ? bad('engine', 'no daemon') : OK));
    const result = await measureSession(request, never);
    expect(calls).toHaveLength(4 + 32 + 2);
    expect(result.failures).toEqual([]);
    expect(result.runs.filter(({ outcome }) => outcome === 'engine')).toHaveLength(1);
    expect(result.runs.filter(({ attempt }) => attempt === 1)).toHaveLength(2);
  });

  test('is not repeated after three attempts with growing waits, and the other variant continues', async () => {
    const { request } = scripted(({ runnable: { image } }, call) =>
      image.variant === 'a' && call > 4 ? bad('engine', 'no daemon') : OK,
    );
    const waits: number[] = [];
    const pause = (seconds: number) => (waits.push(seconds), Promise.resolve());
    const result = await measureSession({ ...request, pause }, never);
    // A daemon that is restarted takes some seconds to be back.
    expect(waits).toEqual([1, 4, 10]);
    expect(result.failures).toEqual([
      expect.objectContaining({
        variant: 'a',
        stage: 'engine',
        // Of this machine's own interpreter: docker has nothing to say.
        message: expect.stringMatching(/: no daemon\nThis was tried 4 times, with waits between\.$/),
      }),
    ]);
    expect(result.runs.filter(({ variant }) => variant === 'a').map(({ attempt }) => attempt)).toEqual([
      0, 1, 2, 3,
    ]);
    expect(result.runs.filter(({ variant }) => variant === 'b')).toHaveLength(16);
  });
});

test('a workload that dies is not repeated: it has failed, and the other variant continues', async () => {
  const { request } = scripted(({ runnable: { image } }, call) =>
    image.variant === 'b' && image.side === 'head' && call > 4 ? bad('oom', 'memory limit') : OK,
  );
  const result = await measureSession(request, never);
  expect(result.failures).toEqual([
    {
      variant: 'b',
      side: 'head',
      stage: 'workload',
      message: 'b (head, block 1): memory limit\nIf it is meant to take that much, raise workload.memory.',
    },
  ]);
  expect(result.runs.filter(({ outcome }) => outcome === 'oom')).toHaveLength(1);
  expect(result.runs.filter(({ variant }) => variant === 'a')).toHaveLength(16);
});

test('a variant that no block can judge stops after the warm-up, and the other continues', async () => {
  const { request, calls } = scripted(() => OK);
  const failure = { variant: 'a', side: 'head', stage: 'metrics', message: 'a: nothing of p99' } as const;
  const planner = { ...fixedPlanner(8), hopeless: () => [failure] };
  const result = await measureSession({ ...request, planner }, never);
  expect(result.failures).toEqual([failure]);
  expect(calls.filter((call) => call.startsWith('a.'))).toEqual(['a.baseline', 'a.head']);
  expect(result.runs.filter(({ variant }) => variant === 'b')).toHaveLength(16);
});

test('the budget ends the session between two blocks, and the note names what is left out', async () => {
  const { request, events } = scripted(() => OK);
  // The warm-up takes 4 s and a block 4 s: three blocks fit into 17 s.
  const result = await measureSession({ ...request, secondsLeft: 17 }, never);
  expect(result.runs).toHaveLength(12);
  expect(result).toMatchObject({ blocksLeftOut: 5, secondsLeftOut: 20 });
  expect(events.find(({ kind }) => kind === 'plan')).toMatchObject({ blocks: 3, blocksPlanned: 8 });
});

test('if the budget ends before the last warm-up, measuring stops, and the note names what is left out', async () => {
  const { request, calls } = scripted(() => OK);
  const result = await measureSession({ ...request, secondsLeft: 2 }, never);
  expect(calls).toEqual(['a.baseline', 'a.head']);
  // Eight blocks of both variants, b taken to be like a.
  expect(result).toMatchObject({ runs: [], blocksLeftOut: 8, secondsLeftOut: 32, failures: [] });
});

test('a short command is repeated inside its run, equally often on both sides', async () => {
  const short = { ...OK, metrics: { wall_time_s: 0.05, cpu_time_s: 0.05 } };
  const seen = new Set<number>();
  const { request } = scripted((asked, call) => {
    if (call > 4) seen.add(asked.repetitions);
    return short;
  }, 0.05);
  const result = await measureSession(request, never);
  expect(result.repetitions).toEqual({ a: 10, b: 10 });
  expect([...seen]).toEqual([10]);
});

test('variants that are decided take no part in later blocks', async () => {
  const { request } = scripted(() => OK);
  const result = await measureSession(
    {
      ...request,
      planner: {
        cap: () => 8,
        progress: ({ runs }) => ({
          decided: new Set(runs.some(({ block }) => block === 3) ? ['a'] : []),
          expected: () => 8,
        }),
      },
    },
    never,
  );
  expect(result.runs.filter(({ variant }) => variant === 'a')).toHaveLength(6);
  expect(result.runs.filter(({ variant }) => variant === 'b')).toHaveLength(16);
});

test('a cancelled session keeps the finished runs and not the interrupted one', async () => {
  const controller = new AbortController();
  const { request } = scripted((_, call) => {
    if (call === 9) controller.abort();
    return OK;
  });
  const result = await measureSession(request, controller.signal);
  expect(result.interrupted).toBe(true);
  expect(result.runs).toHaveLength(4);
  expect(result.blocksLeftOut).toBe(0);
});

describe('variants that a change adds', () => {
  const slowB = (variant: string) => (variant === 'b' ? 100 : 1);
  const counted = (runs: readonly Run[]) =>
    Object.fromEntries(
      ['a', 'b'].map((name) => [name, runs.filter(({ variant }) => variant === name).length]),
    );

  test('come after the others, which have all the time there is', async () => {
    const { request, events } = scripted(() => OK, slowB);
    const measured = async (added: string[], secondsLeft: number) =>
      await measureSession({ ...request, added: new Set(added), secondsLeft }, never);
    // Two runs of the warm-up and eight pairs take 18 s: what is left is too short for a pair of 200 s.
    const result = await measured(['b'], 30);
    expect(counted(result.runs)).toEqual({ a: 16, b: 0 });
    expect(result.warmup.map(({ variant }) => variant)).toEqual(['a', 'a', 'b', 'b']);
    expect(result).toMatchObject({ blocksPlanned: 8, addedBlocksPlanned: 0, blocksLeftOut: 8 });
    expect(events.filter(({ kind }) => kind === 'budget')).toHaveLength(1);
    // Of a variant of the base that is as slow the other has nothing.
    expect(counted((await measured([], 30)).runs)).toEqual({ a: 0, b: 0 });
  });

  test('have the rest of the budget, in their own blocks', async () => {
    const { request } = scripted(() => OK, slowB);
    const { runs, ...result } = await measureSession(
      { ...request, added: new Set(['b']), secondsLeft: 18 + 200 + 3 * 200 },
      never,
    );
    expect(counted(runs)).toEqual({ a: 16, b: 6 });
    expect(runs.filter(({ variant }) => variant === 'b').map(({ block }) => block)).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
    expect(result).toMatchObject({ blocksPlanned: 8, addedBlocksPlanned: 3 });
  });

  test('are not begun where the others have taken all of it', async () => {
    const { request, calls } = scripted(() => OK);
    const { runs, warmup, secondsLeftOut } = await measureSession(
      { ...request, added: new Set(['b']), secondsLeft: 8 },
      never,
    );
    expect([counted(runs), warmup.length]).toEqual([{ a: 6, b: 0 }, 2]);
    expect(calls.some((call) => call.startsWith('b'))).toBe(false);
    expect(secondsLeftOut).toBeGreaterThan(0);
  });

  test('alone are measured as any others', async () => {
    const { request } = scripted(() => OK);
    const all = await measureSession({ ...request, added: new Set(['a', 'b']) }, never);
    const none = await measureSession({ ...scripted(() => OK).request }, never);
    expect({ ...all, ...{ runs: all.runs.map((run) => run.variant) } }).toMatchObject({
      runs: none.runs.map((run) => run.variant),
      blocksPlanned: 8,
    });
    expect(all.addedBlocksPlanned).toBeUndefined();
  });
});
