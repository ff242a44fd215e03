import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { metricRule } from '../session/metric.test-support.ts';
import type { MetricRule } from '../session/metric.ts';
import type { Explanation, Profile, ProfiledFunction } from '../session/profile.ts';
import { uniformSource } from '../statistics/random.ts';
import { compareSession } from '../verdict/compare.ts';
import { explain, prominentFunctions, wantedProfiles, type Explained } from './explain.ts';
import { drawn, type Drawn } from '../session/session.test-support.ts';

const one = (name: string, own: number, change: Partial<ProfiledFunction> = {}): ProfiledFunction => ({
  file: 'app.py',
  name,
  line: 1,
  calls: 10,
  own,
  total: own,
  ...change,
});
const profile = (functions: readonly ProfiledFunction[]): Profile => ({
  functions: [...functions],
  own: functions.reduce((sum, { own }) => sum + own, 0),
  processes: 1,
  notes: [],
});
const between = (
  baseline: readonly ProfiledFunction[],
  head: readonly ProfiledFunction[],
  kind: Explanation['kind'] = 'time',
): Explained => {
  const sides = { baseline: profile(baseline), head: profile(head) };
  const explained = explain({ variant: 'a', kind, profiler: 'cprofile', sides, seconds: 1 });
  if (explained === undefined) throw new Error('both sides are there');
  return explained;
};
const names = (explained: Explained) => prominentFunctions(explained).map(({ name }) => name);

/** Functions as a profile of a program has them: a few large ones and a tail, all of one file. */
const program = (seed: number, factor = 1, scatter = 0): ProfiledFunction[] => {
  const random = uniformSource(seed);
  return Array.from({ length: 40 }, (_, index) =>
    one(`f${index}`, (factor * (1 + scatter * (2 * random() - 1))) / (1 + index)),
  );
};
const with_ = (functions: readonly ProfiledFunction[], ...more: readonly ProfiledFunction[]) => [
  ...functions.filter(({ name }) => !more.some((other) => other.name === name)),
  ...more,
];

describe('changes above the noise', () => {
  test('a function that takes twice as long, and one that is new', () => {
    const head = with_(program(1), one('f3', 0.5), one('checked', 0.3));
    expect(names(between(program(1), head))).toEqual(['checked', 'f3']);
  });

  test('nothing, where all take longer by about the same: another interpreter, a busier machine', () => {
    const explained = between(program(1), program(2, 1.3, 0.04));
    expect(names(explained)).toEqual([]);
    expect(explained.common).toBeCloseTo(1.3, 1);
    expect(explained.own.head / explained.own.baseline).toBeCloseTo(1.3, 1);
  });

  test('a function that changed more than the others', () => {
    const head = with_(program(2, 1.3, 0.04), one('f0', 1.3 * 1.5));
    expect(names(between(program(1), head))).toEqual(['f0']);
  });

  test('nothing, where another interpreter slows some functions far more than others', () => {
    const slowed = program(1).map((one, index) => ({
      ...one,
      own: one.own * (index % 7 === 3 ? 4.5 : index % 3 === 0 ? 2.1 : 2.3),
    }));
    const explained = between(program(1), slowed);
    expect(names(explained)).toEqual([]);
    expect(explained.functions.filter(({ standsOut }) => standsOut).length).toBeGreaterThan(2);
  });

  test('next to a large change, less than a tenth of it is noise', () => {
    const head = with_(program(1), one('large', 2), one('small', 0.15), one('other', 0.25));
    expect(names(between(program(1), head))).toEqual(['large', 'other']);
  });

  test('a tenth of the whole, whatever the noise of small functions; but not by the wall clock', () => {
    const baseline = program(1);
    const head = baseline.map((of, index) => ({
      ...of,
      own: of.own * (index === 0 ? 1.6 : ([1, 1.4, 0.72][index % 3] ?? 1)),
    }));
    const whole = baseline.reduce((sum, { own }) => sum + own, 0);
    expect(0.6 / whole).toBeGreaterThan(0.1);
    expect(names(between(baseline, head, 'cpu'))).toEqual(['f0']);
    expect(names(between(baseline, head, 'time'))).toEqual([]);
  });

  test('nothing below 1 % of the whole, however much it grew itself', () => {
    const whole = program(1).reduce((sum, { own }) => sum + own, 0);
    const grown = (share: number) => between(program(1), with_(program(1), one('new', share * whole)));
    expect(names(grown(0.009))).toEqual([]);
    expect(names(grown(0.011))).toEqual(['new']);
  });

  test('a function with nearly all the time is not compared with itself', () => {
    expect(names(between([one('all', 1), one('rest', 0.01)], [one('all', 1.3), one('rest', 0.01)]))).toEqual([
      'all',
    ]);
  });

  test('a function that waits is named if none uses more CPU time', () => {
    const acquire = (own: number) => one("<method 'acquire' of '_thread.lock' objects>", own, { file: '' });
    const baseline = with_(program(1), acquire(0.5));
    expect(names(between(baseline, with_(program(1), acquire(1.5))))).toEqual([acquire(0).name]);
    const worked = between(baseline, with_(program(1), acquire(1.5), one('f1', 1)));
    expect(names(worked)).toEqual(['f1']);
    // A function of the workload's may have any name.
    const own = with_(program(1), acquire(1.5), one('acquire', 1.5));
    expect(names(between(with_(baseline, one('acquire', 0.5)), own))).toEqual(['acquire']);
  });

  test('two profiles of one program in a hundred pairs: a planted function is found, and nothing is made up', () => {
    let [found, invented] = [0, 0];
    for (let seed = 0; seed < 100; seed++) {
      const baseline = program(2 * seed, 1, 0.06);
      const head = program(2 * seed + 1, 1.1, 0.06);
      invented += names(between(baseline, head)).length;
      const planted = with_(head, one('f2', (head.find(({ name }) => name === 'f2')?.own ?? 0) + 0.4));
      found += names(between(baseline, planted))[0] === 'f2' ? 1 : 0;
    }
    expect(found).toBeGreaterThanOrEqual(98);
    expect(invented).toBeLessThanOrEqual(10);
  });

  test('does not depend on the unit', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0.001, max: 10, noNaN: true }),
            fc.double({ min: 0.5, max: 3, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        fc.integer({ min: -20, max: 20 }),
        (drawnFunctions, power) => {
          const sides = (scale: number) =>
            [
              drawnFunctions.map(([own], index) => one(`f${index}`, scale * own)),
              drawnFunctions.map(([own, factor], index) => one(`f${index}`, scale * own * factor)),
            ] as const;
          // Powers of two are exact.
          expect(names(between(...sides(2 ** power)))).toEqual(names(between(...sides(1))));
        },
      ),
    );
  });
});

test('a side without a profile explains nothing', () => {
  const sides = { baseline: profile([one('f', 1)]) };
  expect(explain({ variant: 'a', kind: 'time', profiler: 'cprofile', sides, seconds: 1 })).toBeUndefined();
});

test('a regressed metric selects the profile that can show it; a formula metric those of its parts', () => {
  const rule = (name: string): MetricRule =>
    metricRule(name, {
      unit: '',
      formula: name === 'memory_per_task' ? 'anonymous_memory_bytes / tasks' : undefined,
    });
  const moved = (change: number) => ({ level: 1, change, spread: 0.01 });
  const variants: Record<string, Record<string, Drawn>> = {
    a: { wall_time_s: moved(0.3), cpu_time_s: moved(0.3), tasks: moved(0.3), startup_time_s: moved(0) },
    b: { max_rss_bytes: moved(0.3), memory_per_task: moved(0.3), startup_time_s: moved(0.3) },
    c: { wall_time_s: moved(0.3), cpu_time_s: moved(0), tasks: moved(0.3) },
    d: { wall_time_s: moved(-0.3) },
  };
  const metrics = [...new Set(Object.values(variants).flatMap((of) => Object.keys(of)))].map(rule);
  const compared = compareSession(drawn(variants, { blocks: 14, seed: 1, metrics }));
  expect(wantedProfiles(compared, metrics)).toEqual([
    { variant: 'a', kind: 'cpu', metrics: ['wall_time_s', 'cpu_time_s', 'tasks'] },
    { variant: 'b', kind: 'imports', metrics: ['startup_time_s'] },
    { variant: 'b', kind: 'memory', metrics: ['max_rss_bytes', 'memory_per_task'] },
    { variant: 'c', kind: 'time', metrics: ['wall_time_s', 'tasks'] },
  ]);
});
