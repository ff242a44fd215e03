import { describe, expect, test } from '@jest/globals';
import type { RunResult } from '../measure/engine.ts';
import { runnableOf } from '../measure/runnable.test-support.ts';
import type { Workload } from '../plan/plan.ts';
import { planOf } from '../plan/plan.test-support.ts';
import type { MeasuringChange } from '../session/measuring.ts';
import type { Side } from '../session/run.ts';
import { tryMeasuringCode, type MeasuringRequest, type TriedMeasuringCode } from './measuring-trials.ts';
import type { SingleRun } from './ports.ts';
import { portsWith } from './ports.test-support.ts';

/** The trials of two versions of the measuring code, with scripted runs of known length. */

/** The properties of a run that the scripts read. */
interface Asked {
  /** The side of the image. */
  readonly image: Side;
  /** The side of the measuring code. */
  readonly code: 'base' | 'head';
  readonly command: readonly string[];
  /** The number of the run on this image with this code; run 1 is the warm-up. */
  readonly time: number;
}
type Answer = Partial<Pick<RunResult, 'outcome' | 'message'>> & { readonly seconds?: number };

const PLAN = planOf({
  workload: '{ files: [bench.py], command: [python, bench.py], timeout: 60s, repetitions: 1 }',
});
const WORKLOAD = PLAN.workload;
const EDITED: MeasuringChange = { kind: 'files', edited: ['bench.py'], added: [], removed: [] };

interface Setting {
  readonly changes?: readonly MeasuringChange[];
  readonly head?: Workload;
  readonly base?: Workload;
  readonly trees?: MeasuringRequest['base']['trees'];
  readonly variants?: readonly string[];
  readonly secondsLeft?: number;
  /** Cancels at this run. */
  readonly cancelAt?: number;
}

async function tried(
  answer: (asked: Asked) => Answer,
  {
    changes = [EDITED],
    head = WORKLOAD,
    base = WORKLOAD,
    trees = { baseline: '/base/baseline', head: '/base/head' },
    variants = ['official'],
    secondsLeft = 600,
    cancelAt = Infinity,
  }: Setting = {},
): Promise<TriedMeasuringCode & { readonly asked: readonly Asked[]; readonly warnings: readonly string[] }> {
  const asked: Asked[] = [];
  const warnings: string[] = [];
  const cancel = new AbortController();
  let now = 0;
  const runOnce = ({ runnable, workload }: SingleRun): Promise<RunResult> => {
    const { side } = runnable.image;
    const code = runnable.filesFrom.startsWith('/base/') ? 'base' : 'head';
    const time = asked.filter((one) => one.image === side && one.code === code).length + 1;
    const one: Asked = { image: side, code, command: workload.command, time };
    asked.push(one);
    if (asked.length >= cancelAt) cancel.abort();
    const { seconds = 1, outcome = 'ok', message } = answer(one);
    now += seconds * 1000;
    return Promise.resolve({
      outcome,
      message,
      metrics: outcome === 'ok' ? { wall_time_s: seconds } : {},
    } as RunResult);
  };
  const ports = portsWith({
    runOnce,
    clock: () => new Date(now),
    log: {
      step: () => undefined,
      info: () => undefined,
      warn: (text: string) => warnings.push(text),
    },
  });
  const runnable = (variant: string, side: Side) => runnableOf(variant, side, { filesFrom: `/head/${side}` });
  const result = await tryMeasuringCode(
    { changes, head, base: { workload: base, trees } },
    {
      plan: { ...PLAN, workload: base },
      variants: variants.map((variant) => ({
        variant,
        sides: { baseline: runnable(variant, 'baseline'), head: runnable(variant, 'head') },
      })),
      secondsLeft,
    },
    ports,
    cancel.signal,
  );
  return { ...result, asked, warnings };
}

const dead = (message: string): Answer => ({ outcome: 'nonzero', message: `${message}\nTraceback` });

describe('two versions of the measuring code', () => {
  test('each runs on both images, in turns, four pairs after a warm-up', async () => {
    const { measuring, workload, asked } = await tried(({ code }) => ({ seconds: code === 'base' ? 1 : 2 }));
    const values = { base: { wall_time_s: [1, 1, 1, 1] }, head: { wall_time_s: [2, 2, 2, 2] }, failures: {} };
    expect(measuring.trials).toEqual([
      { variant: 'official', image: 'baseline', pairs: 4, ...values },
      { variant: 'official', image: 'head', pairs: 4, ...values },
    ]);
    expect(workload.command).toEqual(WORKLOAD.command);
    const turns = asked.filter(({ image, time }) => image === 'head' && time > 1).map(({ code }) => code);
    expect(turns).toEqual(['base', 'head', 'head', 'base', 'base', 'head', 'head', 'base']);
  });

  test('one that slows only the baseline is detected only in that image', async () => {
    const { measuring } = await tried(({ image, code }) => ({
      seconds: image === 'baseline' && code === 'head' ? 3 : 1,
    }));
    expect(measuring.trials.map(({ image, head }) => [image, head['wall_time_s']?.[0]])).toEqual([
      ['baseline', 3],
      ['head', 1],
    ]);
  });

  test('one that dies is named with its first line, and no pair is made on that image', async () => {
    const { measuring, asked } = await tried(({ image, code }) =>
      image === 'baseline' && code === 'head' ? dead('no module named fast') : {},
    );
    expect(measuring.trials).toMatchObject([
      { image: 'baseline', pairs: 0, base: {}, head: {}, failures: { head: 'no module named fast' } },
      { image: 'head', pairs: 4, failures: {} },
    ]);
    expect(measuring.trials[0]?.failures.base).toBeUndefined();
    expect(asked.filter(({ image }) => image === 'baseline')).toHaveLength(2);
  });

  test('both that die are both named', async () => {
    const { measuring } = await tried(({ code }) => dead(`${code} died`));
    expect(measuring.trials.map(({ pairs, failures }) => [pairs, failures])).toEqual([
      [0, { base: 'base died', head: 'head died' }],
      [0, { base: 'base died', head: 'head died' }],
    ]);
  });

  test('one that dies later ends the pairs of its image and keeps those that ended well', async () => {
    const { measuring } = await tried(({ image, code, time }) =>
      image === 'head' && code === 'head' && time === 4 ? dead('the third') : {},
    );
    expect(measuring.trials.map(({ image, pairs }) => [image, pairs])).toEqual([
      ['baseline', 4],
      ['head', 2],
    ]);
  });

  test('an engine error is not evidence about either version', async () => {
    const { measuring } = await tried(() => ({ outcome: 'engine', message: 'the engine is away' }));
    expect(measuring.trials).toEqual([]);
  });

  test('a fifth of the budget that is left bounds them; a first pair is made in any case', async () => {
    // The trials have 20 s: two warm-ups on two images take 4 s, and each round of two pairs 4 s.
    const some = await tried(() => ({}), { secondsLeft: 100 });
    expect(some.measuring.trials.map(({ pairs }) => pairs)).toEqual([4, 4]);
    const few = await tried(() => ({}), { secondsLeft: 60 });
    expect(few.measuring.trials.map(({ pairs }) => pairs)).toEqual([2, 2]);
    const none = await tried(() => ({}), { secondsLeft: 0, variants: ['official', 'debian'] });
    expect(none.measuring.trials.map(({ variant, pairs }) => [variant, pairs])).toEqual([
      ['official', 1],
      ['official', 1],
    ]);
  });

  test('a cancellation in the middle keeps the pairs that ended, and asks for no further run', async () => {
    const { measuring, asked } = await tried(() => ({}), { cancelAt: 9 });
    expect(asked).toHaveLength(9);
    expect(measuring.trials.map(({ pairs }) => pairs)).toEqual([1, 1]);
  });

  test('where nothing that starts the workload is edited nothing is run', async () => {
    const { asked, measuring } = await tried(() => ({}), {
      changes: [{ kind: 'variant_removed', variant: 'debian' }],
    });
    expect(asked).toEqual([]);
    expect(measuring.trials).toEqual([]);
  });
});

describe('a command that the change edits', () => {
  const head: Workload = { ...WORKLOAD, command: ['python', '-c', 'pass'] };
  const changes: MeasuringChange[] = [
    { kind: 'command', base: WORKLOAD.command as string[], head: [...head.command] },
  ];

  test('the base’s is measured where it runs on the head', async () => {
    const { workload, measuring } = await tried(() => ({}), { changes, head });
    expect(workload.command).toEqual(WORKLOAD.command);
    expect(measuring.command).toEqual({ of: 'base' });
  });

  test('it stays the base’s where a change that moves no file breaks it, and the baseline runs the head’s', async () => {
    const breaks = ({ image, command }: Asked) =>
      image === 'head' && command === WORKLOAD.command ? dead('bench.py is gone') : {};
    const { measuring, warnings } = await tried(breaks, { changes, head });
    expect(measuring.command).toEqual({ of: 'base' });
    expect(warnings).toEqual([]);
  });

  test('the head’s is measured where the change moves the measuring code too', async () => {
    const breaks = ({ image, code, command }: Asked) =>
      image === 'head' && code === 'head' && command === WORKLOAD.command ? dead('bench.py is gone') : {};
    const { workload, measuring, warnings } = await tried(breaks, { changes: [...changes, EDITED], head });
    expect(workload.command).toEqual(head.command);
    expect(measuring.command).toEqual({ of: 'head', reason: 'bench.py is gone' });
    expect(warnings).toEqual([
      "The base's command does not run on the head (bench.py is gone), so the head's is measured.",
    ]);
  });
});
