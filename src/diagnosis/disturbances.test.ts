import { describe, expect, test } from '@jest/globals';
import type { Noise } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { disturbances } from './disturbances.ts';
import { twoSided } from '../session/session.test-support.ts';

/** 24 runs of 0.5 s that use 0.4 s of a processor on two, each with what the function says of it. */
function observed(
  noiseOf: (index: number) => Noise,
  { cores = 2, cpu = 0.4, repetitions = 1 }: { cores?: number; cpu?: number; repetitions?: number } = {},
): Session {
  const whole = twoSided({});
  return {
    ...whole,
    machine: { ...whole.machine, cores },
    workload: { ...whole.workload, repetitions: { a: repetitions } },
    runs: whole.runs.map((run, index) => ({
      ...run,
      metrics: { wall_time_s: 0.5, cpu_time_s: cpu },
      noise: noiseOf(index),
    })),
  };
}
const all = (noise: Noise) => observed(() => noise);

test.each<[string, Noise, object[]]>([
  ['below every threshold', { steal_s: 0.01, throttled_s: 0.01, cpu_pressure_s: 0.1, other_cpu_s: 0.15 }, []],
  ['steal', { steal_s: 0.07 }, [{ kind: 'steal', runs: 24, of: 24, size: 0.14 }]],
  ['throttling', { throttled_s: 0.05 }, [{ kind: 'throttling', runs: 24, of: 24, size: 0.1 }]],
  ['tasks that wait', { cpu_pressure_s: 0.2 }, [{ kind: 'waiting', runs: 24, of: 24, size: 0.4 }]],
  ['other processes', { other_cpu_s: 0.4 }, [{ kind: 'others', runs: 24, of: 24, size: 0.8 }]],
])('%s', (_, noise, expected) => {
  expect(disturbances(all(noise))).toEqual(expected);
});

test('the size is the median of the runs beyond the threshold, and runs that cannot tell are not counted', () => {
  const steal = (index: number): Noise =>
    index < 4 ? {} : index < 9 ? { steal_s: (index - 3) / 16 } : { steal_s: 0 };
  expect(disturbances(observed(steal, { cpu: 0.1 }))).toEqual([
    { kind: 'steal', runs: 5, of: 20, size: 0.375 },
  ]);
});

test('a session whose runs have only the load, or no time, is not called quiet', () => {
  expect(disturbances(all({ load_1m: 0.1 }))).toBeUndefined();
  const failed = all({ steal_s: 1 });
  expect(
    disturbances({
      ...failed,
      runs: failed.runs.map((run) => ({ ...run, outcome: 'nonzero' as const, metrics: {} })),
    }),
  ).toBeUndefined();
});

test('lost time is a part of all repetitions, at most 100 %', () => {
  const once = disturbances(observed(() => ({ steal_s: 0.1 }), { repetitions: 10 }));
  // 0.1 s of 5 s.
  expect(once).toEqual([]);
  const many = disturbances(observed(() => ({ steal_s: 4 }), { cores: 64, cpu: 16 }));
  expect(many).toEqual([{ kind: 'steal', runs: 24, of: 24, size: 0.2 }]);
});

describe('other processes count', () => {
  const size = (other: number, cores: number, cpu: number) =>
    disturbances(observed(() => ({ other_cpu_s: other }), { cores, cpu }))?.[0]?.size;
  test.each([
    // Of 63 free processors the scheduler finds one beside ten busy ones.
    ['not where they leave room', 5, 64, 0.5, undefined],
    ['where they do not', 10, 64, 0.5, 20],
    ['where the run itself needs all processors', 0.06, 2, 1, 0.12],
    ['but not what the engine and the kernel always take', 0.04, 2, 1, undefined],
  ])('%s', (_, other, cores, cpu, expected) => {
    expect(size(other, cores, cpu)).toBe(expected);
  });

  test('nor a value below the resolution of the kernel’s ticks, in a short run', () => {
    const short = observed(() => ({ other_cpu_s: 0.04 }), { cpu: 0.1 });
    const runs = short.runs.map((run) => ({ ...run, metrics: { wall_time_s: 0.1, cpu_time_s: 0.1 } }));
    expect(disturbances({ ...short, runs })).toEqual([]);
  });
});

describe('the frequency', () => {
  const at = (...gigahertz: readonly number[]) =>
    disturbances(observed((index) => ({ frequency_hz: (gigahertz[index % gigahertz.length] ?? 0) * 1e9 })));

  test('that falls by one step of the turbo is ignored', () => {
    expect(at(3.5, 3.4, 3.5, 3.4)).toEqual([]);
  });

  test('is held against the session’s best, so that a machine which gets hot early is seen', () => {
    // A quarter of the runs were before it was hot.
    expect(at(4, 4, 3, 3, 3, 3, 3, 3)).toEqual([{ kind: 'frequency', runs: 18, of: 24, size: 0.25 }]);
  });

  test('of one moment is not the best', () => {
    const once = observed((index) => ({ frequency_hz: index === 0 ? 5e9 : 3e9 }));
    expect(disturbances(once)).toEqual([]);
  });
});
