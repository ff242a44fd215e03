import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hodgesLehmann } from './hodges-lehmann.ts';
import { looksFor } from './looks.ts';
import { judgeFamily, type FamilyRules, type RowSeries } from './sequential.ts';
import { signedRankGreater } from './signed-rank.ts';

const rules = (change: Partial<FamilyRules> = {}): FamilyRules => ({
  alpha: 0.05,
  looks: looksFor('balanced', 30, 1),
  tests: 1,
  ...change,
});

/** Values around a centre, none of them twice, half above and half below by the same steps. */
const around = (centre: number, n: number, step: number) =>
  Array.from({ length: n }, (_, i) => centre + (i % 2 === 0 ? 1 : -1) * step * (1 + Math.floor(i / 2)));

const one = (worse: readonly number[], change: Partial<FamilyRules> = {}) =>
  judgeFamily([{ worse, limit: 0.03 }], rules(change))[0]!;

describe('one row, by hand', () => {
  test('worse in every pair: found at the first look with a weight, p = 2^-12 / 0.105', () => {
    const outcome = one(around(0.2, 30, 0.0001));
    expect(outcome).toMatchObject({ decision: 'regressed', blocks: 12 });
    expect(outcome.pWorse).toBeCloseTo(2 ** -12 / 0.105, 12);
    expect(outcome.pBetter).toBe(1);
    expect(outcome.centre).toBeCloseTo(0.2, 3);
  });

  test('better in every pair is the mirror image', () => {
    const outcome = one(around(-0.2, 30, 0.0001));
    expect(outcome).toMatchObject({ decision: 'improved', blocks: 12 });
    expect(outcome.pBetter).toBeCloseTo(2 ** -12 / 0.105, 12);
  });

  test('eight quiet pairs are enough for unchanged: 2^-8 = 0.0039 is below 0.05 / 6 = 0.0083', () => {
    expect(one(around(0, 30, 0.0001))).toMatchObject({ decision: 'unchanged', blocks: 8, pWorse: 1 });
    // Exactly no difference: ties of zeros with the margin taken off.
    expect(one(new Array<number>(30).fill(0))).toMatchObject({ decision: 'unchanged', blocks: 8 });
  });

  test('a change between the limit and the margin is neither, until it is significant', () => {
    // +4 %: above the limit of 3 %, inside the margin of 5 %.
    expect(one(around(Math.log(1.04), 11, 0.0001))).toMatchObject({ decision: 'undecided', blocks: 8 });
    expect(one(around(Math.log(1.04), 30, 0.0001))).toMatchObject({ decision: 'regressed', blocks: 12 });
  });

  test('significant and below the limit is unchanged', () => {
    expect(one(around(Math.log(1.01), 30, 0.0001))).toMatchObject({ decision: 'unchanged', blocks: 8 });
  });

  test('too noisy for either is undecided at the cap', () => {
    expect(one(around(0, 30, 0.02))).toMatchObject({ decision: 'undecided', blocks: 30 });
  });

  test('without a look there is no decision', () => {
    expect(one(around(0.2, 7, 0.0001))).toMatchObject({
      decision: 'undecided',
      blocks: 0,
      centre: Number.NaN,
      pWorseAdjusted: 1,
    });
  });

  test('p is the smallest p_k / w_k of the looks', () => {
    const worse = around(0.04, 30, 0.02);
    const p = [12, 16, 20, 25, 30].map(
      (n, k) => signedRankGreater(worse.slice(0, n)) / [0.105, 0.05, 0.05, 0.15, 0.25][k]!,
    );
    const outcome = one(worse);
    expect(outcome.decision).toBe('undecided');
    expect(outcome.pWorse).toBeCloseTo(Math.min(1, ...p), 12);
  });
});

describe('a loss that warns, 2 %, below a limit of 5 %', () => {
  const warned = (centre: number, n = 30, step = 0.0001, method?: 1 | 2) => {
    const worse = around(Math.log1p(centre), n, step);
    const levels = Float64Array.from(worse, (_, i) => i * 1e-6);
    return judgeFamily([{ worse, levels, limit: 0.05, warn: 0.02 }], rules({ method }))[0]!;
  };

  test.each([
    [0.06, 'regressed', 12],
    [0.03, 'warning', 12],
    [0.021, 'warning', 12],
    // Significant, and smaller than what warns.
    [0.01, 'unchanged', 8],
    [0, 'unchanged', 8],
    // A gain below the limit is no news: only losses warn.
    [-0.03, 'unchanged', 8],
    [-0.06, 'improved', 12],
  ] as const)('%d is %s after %d pairs, by either version of the rule', (centre, decision, blocks) => {
    expect(warned(centre)).toMatchObject({ decision, blocks });
    expect(warned(centre, 30, 0.0001, 2)).toMatchObject({ decision, blocks });
  });

  test('before a look that may spend alpha it is undecided, and without `warn` it is unchanged', () => {
    expect(warned(0.03, 11)).toMatchObject({ decision: 'undecided', blocks: 8 });
    const worse = around(Math.log1p(0.03), 11, 0.0001);
    expect(judgeFamily([{ worse, limit: 0.05 }], rules())[0]).toMatchObject({ decision: 'unchanged' });
  });

  test('noise hides it like any other loss', () => {
    expect(warned(0.03, 30, 0.006)).toMatchObject({ decision: 'warning', blocks: 12 });
    expect(warned(0.03, 30, 0.01)).toMatchObject({ decision: 'undecided', blocks: 30 });
  });

  test('a row that was tested once warns alike', () => {
    const once = (worseBy: number, pNotWorse: (margin: number) => number) =>
      judgeFamily(
        [
          {
            ...{ limit: 0.05, warn: 0.02 },
            test: { worseBy, pWorse: 0.001, pBetter: 0.999, pNotWorse, pNotBetter: () => 0.001 },
          },
        ],
        rules(),
      )[0]!.decision;
    expect(once(0.03, (margin) => (margin > 0.05 ? 0.001 : 0.5))).toBe('warning');
    expect(once(0.03, () => 0.5)).toBe('undecided');
    expect(once(0.06, () => 0.5)).toBe('regressed');
  });

  test('with it, no row regresses or improves that would not without it, nor the other way round', () => {
    const series = fc.array(fc.double({ min: -0.12, max: 0.12, noNaN: true }), {
      minLength: 8,
      maxLength: 30,
    });
    const shift = fc.double({ min: -0.1, max: 0.1, noNaN: true });
    fc.assert(
      fc.property(series, shift, (noise, by) => {
        const worse = noise.map((d) => d / 4 + by);
        const [without] = judgeFamily([{ worse, limit: 0.05 }], rules());
        const [withIt] = judgeFamily([{ worse, limit: 0.05, warn: 0.02 }], rules());
        for (const decision of ['regressed', 'improved'] as const)
          if (without!.decision === decision) expect(withIt!.decision).toBe(decision);
        if (withIt!.decision === 'warning') expect(['unchanged', 'undecided']).toContain(without!.decision);
      }),
    );
  });
});

describe('the family', () => {
  test('each direction has its own adjusted p', () => {
    const [row] = judgeFamily([{ worse: around(-0.2, 12, 0.0001), limit: 0.03 }], rules({ tests: 3 }));
    expect(row!.pBetterAdjusted).toBeCloseTo((3 * 2 ** -12) / 0.105, 12);
    expect(row!.pWorseAdjusted).toBe(1);
  });

  test('a p that is enough for one test is not enough among a hundred, at the same look', () => {
    const row = around(0.2, 30, 0.0001);
    // 100 x 2^-12 / 0.105 = 0.23; at 16 blocks 100 x 2^-16 / 0.05 = 0.03.
    expect(one(row, { tests: 100 })).toMatchObject({ decision: 'regressed', blocks: 16 });
  });

  test('Holm: the smallest p of three is taken three times, the next twice', () => {
    const worse = [around(0.2, 12, 0.0001), around(0.0005, 12, 0.0004), around(0, 12, 0.02)];
    const outcomes = judgeFamily(
      worse.map((d) => ({ worse: d, limit: 0.03 })),
      rules({ tests: 3 }),
    );
    expect(outcomes[0]!.pWorseAdjusted).toBeCloseTo(3 * outcomes[0]!.pWorse, 12);
    expect(outcomes[1]!.decision).toBe('unchanged');
  });

  test('a row that was decided early lets the others pass their step', () => {
    // Two rows as strong as each other need p <= alpha / 2 for the first, alpha for the second.
    const strong = around(0.2, 30, 0.0001);
    const outcomes = judgeFamily(
      [
        { worse: strong, limit: 0.03 },
        { worse: strong, limit: 0.03 },
      ],
      rules({ tests: 2 }),
    );
    expect(outcomes.map(({ decision }) => decision)).toEqual(['regressed', 'regressed']);
  });

  test('a row that is tested once is adjusted together with the paired rows', () => {
    const single = {
      limit: 0.03,
      test: { worseBy: 0.1, pWorse: 1e-5, pBetter: 1, pNotWorse: () => 1, pNotBetter: () => 0 },
    };
    const outcomes = judgeFamily(
      [single, { worse: around(0, 30, 0.0001), limit: 0.03 }],
      rules({ tests: 2 }),
    );
    expect(outcomes.map(({ decision }) => decision)).toEqual(['regressed', 'unchanged']);
    expect(outcomes[0]!.pWorseAdjusted).toBeCloseTo(2e-5, 12);
  });

  /** All above zero but for the three smallest, so p = 5 / 2^12 of twelve: ranks 1, 2 and 3 are the sum of 6 or less. */
  const moderate = [-0.001, -0.002, 0.003, ...around(0.2, 9, 0.0001)];

  test('Holm lets a moderate row pass at the look at which a stronger one does', () => {
    const looks = [{ blocks: 12, weight: 0.04 }];
    // p = 5 x 2^-12 / 0.04 = 0.0305: too much for half of alpha, enough for all of it.
    const rows = [
      { worse: moderate, limit: 0.03 },
      { worse: around(0.2, 12, 0.0001), limit: 0.03 },
    ];
    const together = judgeFamily(rows, rules({ tests: 2, looks }));
    expect(together.map(({ decision }) => decision)).toEqual(['regressed', 'regressed']);
    expect(together[0]!.pWorseAdjusted).toBeCloseTo((5 * 2 ** -12) / 0.04, 12);
    expect(judgeFamily(rows.slice(0, 1), rules({ tests: 2, looks }))[0]!.decision).toBe('undecided');
  });

  test('jobs that do not see each other decide by alpha / tests, and Holm applies once at the end', () => {
    const looks = [
      { blocks: 12, weight: 0.04 },
      { blocks: 16, weight: 0.01 },
    ];
    const rows = [
      { worse: [...moderate, 0.2, -0.3, 0.21, -0.31], limit: 0.03 },
      { worse: around(0.2, 16, 0.0001), limit: 0.03 },
    ];
    const [alone, sharded] = [false, true].map((one) =>
      judgeFamily(rows, rules({ tests: 2, looks, sharded: one })),
    );
    expect(alone!.map(({ decision, blocks }) => [decision, blocks])).toEqual([
      ['regressed', 12],
      ['regressed', 12],
    ]);
    // Nobody in the first job knew of the second's row, so it went on to its last look.
    expect(sharded!.map(({ decision, blocks }) => [decision, blocks])).toEqual([
      ['regressed', 16],
      ['regressed', 12],
    ]);
  });

  test('looks come in the order of their blocks, not in that of the rows', () => {
    const looks = [
      { blocks: 12, weight: 0.5 },
      { blocks: 24, weight: 0.5 },
    ];
    // 2^-12 / 0.5 is above half of this alpha and below all of it.
    const alpha = 6e-4;
    const first = { worse: [...around(0.035, 12, 0.0001), ...around(0.01, 12, 0.00011)], limit: 0.03 };
    const second = (from: number): RowSeries => ({
      worse: around(0.2, 24, 0.0001),
      limit: 0.03,
      looks: [{ blocks: 24, weight: 1 }],
      at: Array.from({ length: 24 }, (_, index) => from + index / 100),
    });
    const decided = (rows: readonly RowSeries[]) =>
      judgeFamily(rows, rules({ alpha, tests: 2, looks })).map(({ decision, blocks }) => [decision, blocks]);
    // The strong row is through before block 12: the other needs all of alpha there, and is worse by 3.5 %.
    expect(decided([first, second(1)])).toEqual([
      ['regressed', 12],
      ['regressed', 24],
    ]);
    expect(decided([second(1), first])).toEqual([
      ['regressed', 24],
      ['regressed', 12],
    ]);
    // It comes after block 24: by then the other was unchanged.
    expect(decided([first, second(100)])).toEqual([
      ['unchanged', 24],
      ['regressed', 24],
    ]);
  });

  test.each([
    [0.05, 0.05, 'unchanged'],
    [0.051, 0.05, 'undecided'],
    [0.05, 0.051, 'undecided'],
  ])('a row tested once is unchanged where neither %d nor %d is above alpha', (worse, better, decision) => {
    const test = {
      worseBy: 0.01,
      pWorse: 0.5,
      pBetter: 0.5,
      pNotWorse: () => worse,
      pNotBetter: () => better,
    };
    expect(judgeFamily([{ limit: 0.03, test }], rules())[0]!.decision).toBe(decision);
  });
});

describe('on the edge', () => {
  test('a p of alpha passes, and an estimate of the limit counts', () => {
    const exactly = new Array<number>(12).fill(Math.log1p(0.03));
    expect(one(exactly, { alpha: 2 ** -12 / 0.105 }).decision).toBe('regressed');
    expect(
      one(
        exactly.map((x) => -x),
        { alpha: 2 ** -12 / 0.105 },
      ).decision,
    ).toBe('improved');
    expect(one(exactly, { alpha: 2 ** -12 / 0.106 }).decision).not.toBe('regressed');
  });

  test('an estimate of the limit is no longer unchanged', () => {
    const exactly = new Array<number>(8).fill(Math.log1p(0.03));
    expect(one(exactly).decision).toBe('undecided');
    expect(one(exactly.map((x) => x - 1e-9)).decision).toBe('unchanged');
  });

  test('unchanged needs a p of alpha over the looks on both sides', () => {
    const quiet = around(0, 8, 0.0001);
    expect(one(quiet, { alpha: 6 * 2 ** -8 }).decision).toBe('unchanged');
    expect(one(quiet, { alpha: 6 * 2 ** -8 - 1e-9 }).decision).toBe('undecided');
    // Two of eight beyond the margin of 0.0488: the sum of the ranks above is 3, 5 of 256 patterns have no more.
    const leaning = [0.01, 0.012, 0.02, 0.022, 0.03, 0.032, 0.055, 0.06];
    expect(one(leaning).decision).toBe('undecided');
    expect(one(leaning.map((x) => -x)).decision).toBe('undecided');
    expect(one(leaning, { alpha: (6 * 5) / 256 }).decision).toBe('unchanged');
  });
});

describe('as properties', () => {
  const series = (n: number) =>
    fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: n, maxLength: n });
  const families = fc.array(series(30), { minLength: 1, maxLength: 5 });
  const judge = (family: readonly (readonly number[])[]) =>
    judgeFamily(
      family.map((worse) => ({ worse, limit: 0.03 })),
      rules({ tests: family.length }),
    );

  test('swapped sides mirror every verdict and negate every estimate', () => {
    const mirror = {
      regressed: 'improved',
      improved: 'regressed',
      warning: 'warning',
      unchanged: 'unchanged',
      undecided: 'undecided',
    };
    fc.assert(
      fc.property(families, (family) => {
        const [straight, swapped] = [judge(family), judge(family.map((d) => d.map((x) => -x)))];
        for (const [index, outcome] of straight.entries()) {
          expect(swapped[index]!.decision).toBe(mirror[outcome.decision]);
          expect(swapped[index]!.centre).toBeCloseTo(-outcome.centre, 12);
          expect(swapped[index]!.pBetterAdjusted).toBeCloseTo(outcome.pWorseAdjusted, 12);
        }
      }),
    );
  });

  test('the adjusted p is never below the p, and the estimate lies in its interval', () => {
    fc.assert(
      fc.property(families, (family) => {
        for (const [index, outcome] of judge(family).entries()) {
          expect(outcome.pWorseAdjusted).toBeGreaterThanOrEqual(outcome.pWorse - 1e-15);
          const { low, high } = hodgesLehmann(family[index]!, 0.95, outcome.blocks);
          expect(outcome.centre).toBeGreaterThanOrEqual(low!);
          expect(outcome.centre).toBeLessThanOrEqual(high!);
        }
      }),
    );
  });

  test('later blocks do not change a decided row: a file gives the verdict of the live run', () => {
    fc.assert(
      fc.property(families, (family) => {
        const whole = judge(family);
        // As it was live: looked at after each block, with what there was.
        for (let block = 1; block <= 30; block++) {
          const live = judge(family.map((d) => d.slice(0, block)));
          for (const [index, outcome] of live.entries())
            if (outcome.decision !== 'undecided') {
              expect(whole[index]!.decision).toBe(outcome.decision);
              expect(whole[index]!.blocks).toBe(outcome.blocks);
              expect(whole[index]!.centre).toBe(outcome.centre);
            }
        }
      }),
    );
  });

  test('the order of the rows does not matter', () => {
    fc.assert(
      fc.property(families, (family) => {
        expect(judge([...family].reverse()).reverse()).toEqual(judge(family));
      }),
    );
  });
});
