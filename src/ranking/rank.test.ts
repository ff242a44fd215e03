import { describe, expect, test } from '@jest/globals';
import { BUILT_IN_METRICS, type MetricRule } from '../session/metric.ts';
import type { Ranking, RankRow } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { rankVariants, referenceOf } from './rank.ts';
import { ruledBy } from '../verdict/ruled-session.ts';
import { noisyValues, rankingSession } from './rank.test-support.ts';
import { workOf } from './values.ts';
import { metricRule } from '../session/metric.test-support.ts';

const TASKS: MetricRule = metricRule('tasks', { unit: 'tasks', better: 'higher', gate: false });
const WALL = BUILT_IN_METRICS.filter(({ name }) => name === 'wall_time_s');
const WITH_TASKS = [...BUILT_IN_METRICS, TASKS];

const row = ({ variants }: Ranking, variant: string, metric: string): RankRow | undefined =>
  variants.find((one) => one.variant === variant)?.rows.find((one) => one.metric === metric);
const word = (ranking: Ranking, variant: string, metric: string) => row(ranking, variant, metric)?.verdict;

/** Twelve blocks that drift from block to block, the same for all variants of a block: only pairs see through it. */
const talk = (change: Partial<Session> = {}) =>
  rankingSession(
    ['official', 'debian', 'pyenv'],
    (variant, block) => {
      const factor = { official: 1, debian: 0.8, pyenv: 1.25 }[variant] ?? 1;
      const drift = 1 + block / 10;
      return {
        wall_time_s: 30 * drift,
        cpu_time_s: 12 * factor * drift,
        max_rss_bytes: 1000,
        tasks: 600,
      };
    },
    { blocks: 12, metrics: WITH_TASKS },
    change,
  );

describe('a table that can be worked out by hand', () => {
  const ranking = rankVariants(talk());

  test('the talk’s figures are each run’s own, divided by the tasks that it did', () => {
    expect(ranking).toMatchObject({ reference: 'official', work: 'tasks', sessions: ['this'] });
    // Blocks drift from 1.1 to 2.2: the median is that of 1.6 and 1.7.
    expect(row(ranking, 'official', 'cpu_time_s_per_work')?.median).toBeCloseTo((12 * 1.65) / 600, 12);
    expect(row(ranking, 'debian', 'cpu_time_s_per_work')?.median).toBeCloseTo((9.6 * 1.65) / 600, 12);
    expect(row(ranking, 'pyenv', 'max_rss_bytes_per_work')?.median).toBeCloseTo(1000 / 600, 12);
    // 600 tasks in 30 s x drift; the median of the rates is not the rate of the median.
    expect(row(ranking, 'pyenv', 'work_per_minute')?.median).toBeCloseTo((1200 / 1.6 + 1200 / 1.7) / 2, 9);
  });

  test('the change is that of the pairs, so a drift that all share is not in it', () => {
    expect(row(ranking, 'debian', 'cpu_time_s_per_work')?.change.estimate).toBeCloseTo(-0.2, 12);
    expect(row(ranking, 'debian', 'cpu_time_s_per_work')?.change.high).toBeCloseTo(-0.2, 12);
    expect(row(ranking, 'pyenv', 'cpu_time_s_per_work')?.change.estimate).toBeCloseTo(0.25, 12);
    expect(row(ranking, 'pyenv', 'cpu_time_s_per_work')?.blocks).toBe(12);
    expect(word(ranking, 'debian', 'cpu_time_s_per_work')).toBe('better');
    expect(word(ranking, 'pyenv', 'cpu_time_s_per_work')).toBe('worse');
    expect(word(ranking, 'pyenv', 'max_rss_bytes')).toBe('same');
    expect(word(ranking, 'official', 'cpu_time_s_per_work')).toBe('shown');
  });

  test('Holm is over the other variants by the tested metrics, both directions', () => {
    // Of 2 variants: memory, and the three figures of a task. Time alone is what the workload was told to take.
    expect(ranking.family).toEqual({ tests: 8, alpha: 0.05 });
    // 12 of 12 pairs in one direction: 2^-12 at the only look that spends, twice, times 8.
    expect(row(ranking, 'debian', 'cpu_time_s_per_work')?.p).toBeCloseTo((2 * 8) / 4096, 12);
  });

  test('the least CPU time per task is first', () => {
    expect(ranking.variants.map(({ variant }) => variant)).toEqual(['debian', 'official', 'pyenv']);
  });

  test('swapping the reference turns every word and keeps the order', () => {
    const turned = rankVariants(talk({ ranking: { reference: 'debian' } }));
    expect(word(turned, 'official', 'cpu_time_s_per_work')).toBe('worse');
    expect(row(turned, 'official', 'cpu_time_s_per_work')?.change.estimate).toBeCloseTo(0.25, 12);
    expect(turned.variants.map(({ variant }) => variant)).toEqual(['debian', 'official', 'pyenv']);
  });
});

test('without a metric that counts work a run is one task, and one test', () => {
  const ranking = rankVariants(
    rankingSession(
      ['a', 'b'],
      (variant) => ({ wall_time_s: variant === 'a' ? 2 : 3, cpu_time_s: 2, max_rss_bytes: 100 }),
      { blocks: 12, metrics: BUILT_IN_METRICS },
    ),
  );
  expect(ranking.work).toBeNull();
  expect(ranking.family.tests).toBe(3);
  expect(row(ranking, 'a', 'work_per_minute')?.median).toBe(30);
  expect(row(ranking, 'b', 'work_per_minute')).toMatchObject({ median: 20, verdict: 'worse' });
  expect(row(ranking, 'b', 'work_per_minute')?.change.estimate).toBeCloseTo(-1 / 3, 12);
  expect(row(ranking, 'b', 'work_per_minute')?.p).toBe(row(ranking, 'b', 'wall_time_s')?.p);
  expect(word(ranking, 'b', 'cpu_time_s_per_work')).toBe('same');
});

describe('which metric counts the tasks', () => {
  const asked = (metrics: readonly MetricRule[], declared: Session['declaredMetrics'], work?: string) =>
    workOf(
      talk({
        rules: { ...talk().rules, metrics: [...metrics] },
        declaredMetrics: declared,
        ranking: { reference: 'official', ...(work === undefined ? {} : { work }) },
      }),
    );
  test.each([
    ['the one that was named', asked(WITH_TASKS, {}, 'rows'), 'rows'],
    [
      'the configuration’s before the workload’s own',
      asked(WITH_TASKS, { jobs: { better: 'higher' } }),
      'tasks',
    ],
    ['the workload’s own', asked(BUILT_IN_METRICS, { x: {}, jobs: { better: 'higher' } }), 'jobs'],
    ['no rate: it is divided already', asked([{ ...TASKS, name: 'tasks_per_min' }, TASKS], {}), 'tasks'],
    ['nor by its unit', asked([{ ...TASKS, name: 'speed', unit: 'tasks/s' }], {}), null],
    ['none', asked(BUILT_IN_METRICS, { errors: { better: 'lower' } }), null],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

describe('missing data', () => {
  const values = (variant: string) => ({ wall_time_s: variant === 'a' ? 1 : 2, tasks: 5 });

  test('blocks that one of them lacks are not pairs', () => {
    const ranking = rankVariants(
      rankingSession(
        ['a', 'b'],
        (variant, block) =>
          (variant === 'a' && block === 2) || (variant === 'b' && block > 10) ? undefined : values(variant),
        { blocks: 12, metrics: WALL },
      ),
    );
    expect(row(ranking, 'a', 'wall_time_s')?.n).toBe(11);
    expect(row(ranking, 'b', 'wall_time_s')).toMatchObject({ n: 10, blocks: 8, median: 2 });
    // Nine pairs are past the look of eight, which can call nothing worse, and not at twelve.
    expect(word(ranking, 'b', 'wall_time_s')).toBe('undecided');
    expect(ranking.warnings[0]).toMatch(
      /^9 blocks are too few to find a difference among 1 test; it takes at least 12\./,
    );
  });

  test('a variant that failed is a row with the reason, and its tests stay in the family', () => {
    const failure = { variant: 'b', side: 'head', stage: 'build', message: 'b: no\nmore' } as const;
    const ranking = rankVariants(
      rankingSession(
        ['a', 'b', 'c'],
        (variant) => (variant === 'b' ? undefined : values(variant)),
        { blocks: 12, metrics: WALL },
        { failures: [failure] },
      ),
    );
    expect(ranking.variants.map(({ variant, failure: why }) => [variant, why])).toEqual([
      ['a', null],
      ['c', null],
      ['b', 'b: no'],
    ]);
    expect(ranking.variants[2]?.rows).toEqual([]);
    expect(ranking.family.tests).toBe(2);
    expect(word(ranking, 'c', 'wall_time_s')).toBe('worse');
  });

  test('a failed reference is an error that names the failure and other possible references', () => {
    const failure = { variant: 'a', side: 'head', stage: 'workload', message: 'a died' } as const;
    const session = rankingSession(
      ['a', 'b', 'c'],
      values,
      { blocks: 3, metrics: WALL },
      { failures: [failure] },
    );
    expect(() => rankVariants(session, 'a')).toThrow(/could not be measured: a died\n.*--reference \(b, c\)/);
    // Nobody asked for it, so the next one is as good.
    expect(referenceOf(session)).toBe('b');
  });

  test('an unknown reference, and a single variant, are configuration errors', () => {
    const session = rankingSession(['a', 'b'], values, { blocks: 3, metrics: WALL });
    expect(() => rankVariants(session, 'c')).toThrow(
      'There is no variant "c" to rank the others against; expected: a, b.',
    );
    expect(() => rankVariants(rankingSession(['a'], values, { blocks: 3, metrics: WALL }))).toThrow(
      'at least two variants',
    );
  });

  test.each([
    ['did no task', 0],
    ['says no number of them', undefined],
  ])('a run that %s has no cost of a task, which is not left out in silence', (_, tasks) => {
    const ranking = rankVariants(
      rankingSession(
        ['a', 'b', 'c'],
        (variant, block) => ({
          ...values(variant),
          ...(variant === 'b' && block === 3 ? { tasks: tasks! } : {}),
        }),
        { blocks: 12, metrics: [...WALL, TASKS] },
      ),
    );
    expect(row(ranking, 'b', 'work_per_minute')).toMatchObject({
      median: null,
      verdict: 'no_data',
      reason: 'a run of b did no task, or did not report how many',
    });
    expect(word(ranking, 'c', 'work_per_minute')).toBe('worse');
  });
});

test('a night has two runs of each variant in a block: their geometric mean is one value, and half of them is none', () => {
  const night = rankingSession(
    ['a', 'b'],
    (variant, block, side) =>
      variant === 'b' && block === 12 && side === 'head'
        ? undefined
        : { wall_time_s: (variant === 'a' ? 1 : 3) * (side === 'head' ? 4 : 1) },
    { blocks: 12, metrics: WALL, sides: ['baseline', 'head'], purpose: 'nightly' },
  );
  const ranking = rankVariants(night);
  expect(row(ranking, 'a', 'wall_time_s')).toMatchObject({ median: 2, n: 12 });
  expect(row(ranking, 'b', 'wall_time_s')).toMatchObject({ median: 6, blocks: 11, verdict: 'worse' });
  expect(row(ranking, 'b', 'wall_time_s')?.change.estimate).toBeCloseTo(2, 12);
});

test('figures of images are exact: better, worse or not by what counts, and no test', () => {
  const session = talk();
  const sizes: Readonly<Record<string, number>> = { official: 128, debian: 96, pyenv: 132 };
  const ranking = rankVariants({
    ...session,
    images: session.images.map((one) => ({
      ...one,
      sizeBytes: sizes[one.variant]!,
      coldBuild: { seconds: 7, cpuSeconds: 5 },
    })),
  });
  expect(ranking.family.tests).toBe(8);
  expect(row(ranking, 'debian', 'image_size_bytes')).toMatchObject({
    verdict: 'better',
    p: null,
    median: 96,
  });
  expect(row(ranking, 'pyenv', 'image_size_bytes')).toMatchObject({
    verdict: 'same',
    change: { estimate: 0.03125 },
  });
  expect(ranking.variants[0]?.build).toEqual({ seconds: 7, cpuSeconds: 5 });
});

describe('simulated rankings of which the truth is known', () => {
  const LEVEL = { wall_time_s: 1, cpu_time_s: 1, max_rss_bytes: 1 };
  const times = (factor: number) =>
    Object.fromEntries(Object.entries(LEVEL).map(([name, value]) => [name, value * factor]));

  test('variants that are equal are called better or worse in fewer than 5 % of rankings, whatever a block shares', () => {
    const variants = ['a', 'b', 'c', 'd'];
    const levels = Object.fromEntries(variants.map((variant) => [variant, LEVEL]));
    const rankings = 300;
    let wrong = 0;
    let same = 0;
    for (let seed = 1; seed <= rankings; seed++) {
      const values = noisyValues(levels, { noise: 0.05, block: 0.2, seed });
      const ranking = rankVariants(
        rankingSession(variants, values, { blocks: 20, metrics: BUILT_IN_METRICS }),
      );
      const words = ranking.variants.flatMap(({ rows }) => rows.map(({ verdict }) => verdict));
      wrong += Number(words.includes('better') || words.includes('worse'));
      same += Number(words.includes('same'));
    }
    // 300 draws at 5 % give 24 or more once in a hundred times; the truth is far below.
    expect(wrong).toBeLessThan(rankings * 0.05);
    // And it is no silence: many are found to be alike.
    expect(same).toBeGreaterThan(rankings / 10);
  });

  test.each(['ranking', 'nightly'] as const)(
    '95 %% intervals of a %s hold the truth in about 95 %% of cases',
    (purpose) => {
      const sides = purpose === 'nightly' ? (['baseline', 'head'] as const) : (['head'] as const);
      let held = 0;
      let rows = 0;
      const truth = 1.08;
      for (let seed = 1; seed <= 300; seed++) {
        const values = noisyValues({ a: LEVEL, b: times(truth) }, { noise: 0.04, block: 0.1, seed });
        const ranking = rankVariants(
          rankingSession(['a', 'b'], values, { blocks: 20, metrics: BUILT_IN_METRICS, sides, purpose }),
        );
        for (const metric of ['wall_time_s', 'cpu_time_s', 'max_rss_bytes']) {
          const { low, high } = row(ranking, 'b', metric)!.change;
          rows += 1;
          held += Number(low! <= truth - 1 && truth - 1 <= high!);
        }
      }
      expect(rows).toBe(900);
      // The standard error of 900 rows is 0.7 %.
      expect(held / rows).toBeGreaterThan(0.93);
      expect(held / rows).toBeLessThan(0.985);
    },
  );

  test('a difference of 10 % is found', () => {
    let found = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const values = noisyValues({ a: LEVEL, b: times(1.1) }, { noise: 0.02, block: 0.1, seed });
      const ranking = rankVariants(
        rankingSession(['a', 'b'], values, { blocks: 20, metrics: BUILT_IN_METRICS }),
      );
      found += Number(word(ranking, 'b', 'cpu_time_s') === 'worse');
    }
    expect(found).toBeGreaterThan(97);
  });
});

test('benchmarks of a pattern are ranked where the variant and the reference have them, and in no test where one has', () => {
  const valuesOf = (variant: string, block: number) => ({
    sort: (variant === 'far' ? 1.5 : 1) * (1 + block / 1000),
    ...(variant === 'far' ? {} : { scan: 1 + block / 1000 }),
    ...(variant === 'near' ? { own: 1 } : {}),
  });
  const measured = rankingSession(['reference', 'near', 'far'], valuesOf, { blocks: 12, metrics: [] });
  const patterned = ruledBy(
    {
      ...measured,
      warmup: measured.runs.filter(({ block }) => block === 1).map((run) => ({ ...run, block: 0 })),
    },
    { ...measured.rules, metrics: [], patterns: [{ pattern: '*', gate: true, limit: 0.03 }] },
  );
  const ranking = rankVariants(patterned);
  // sort of both others, scan of near alone.
  expect(ranking.family.tests).toBe(3);
  expect(word(ranking, 'far', 'sort')).toBe('worse');
  expect(word(ranking, 'near', 'scan')).toBe('same');
  expect(row(ranking, 'near', 'own')).toMatchObject({ reason: 'no block has own of both' });
  expect(row(ranking, 'far', 'scan')).toBeUndefined();
});
