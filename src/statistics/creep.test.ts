import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { creep, creeps, WEEKLY_BLOCKS, type WeeklyComparison, type Weeks } from './creep.ts';
import { hodgesLehmann } from './hodges-lehmann.ts';
import { normalFrom } from './normal.test-support.ts';
import { uniformSource } from './random.ts';
import { signedRankGreater } from './signed-rank.ts';

/** Weeks of 30 pairs whose estimates are given in per cent, each of them significant. */
const significant = (percent: readonly number[]): WeeklyComparison[] =>
  percent.map((x) => ({ estimate: Math.log1p(x / 100), p: 1e-6, blocks: 30 }));

describe('the rule', () => {
  test.each([
    ['a first week beyond the limit', [2.1], true],
    ['two weeks, the first two thirds of the way', [1.21, 2.1], true],
    ['too little of it a week ago', [1.18, 2.1], false],
    ['a loss below the limit', [1.7, 1.7], false],
    ['a loss that is gone', [3, 3, 0.1], false],
  ])('%s', (_, percent, flagged) => expect(creeps(significant(percent))).toBe(flagged));

  test('a loss is creep only by its size and its p together', () => {
    const before = { estimate: 0.02, p: 0.001, blocks: 30 };
    const [limit, p] = [Math.log1p(0.018), 0.0005];
    expect(creeps([before, { estimate: limit, p, blocks: 30 }])).toBe(true);
    expect(creeps([before, { estimate: 0.5, p: 0.00051, blocks: 30 }])).toBe(false);
    expect(creeps([before, { estimate: 0.0177, p: 1e-9, blocks: 30 }])).toBe(false);
  });

  test('each metric has its own limit and level', () => {
    const weeks = significant([3, 4]);
    expect(creeps(weeks, { limit: 0.05 })).toBe(false);
    expect(creeps(weeks, { level: 1e-7 })).toBe(false);
    expect(creeps(significant([1, 1]), { limit: 0.01 })).toBe(true);
  });

  test('a rare quirk of one session is not creep', () => {
    const weeks = significant([3, 3]);
    expect(creeps(weeks, { quirk: 0.009 })).toBe(true);
    expect(creeps(weeks, { quirk: 0.01 })).toBe(false);
  });

  test('a week without comparison shows nothing, and is passed over as the one before', () => {
    const [week] = significant([3]);
    expect(creeps([])).toBe(false);
    expect(creeps([week, undefined])).toBe(false);
    expect(creeps([week, undefined, week])).toBe(true);
  });
});

describe('when it began', () => {
  test('undefined while nothing is flagged', () => {
    expect(creep(significant([0.1, 0.2, 0.3]))).toBeUndefined();
    expect(creep([])).toBeUndefined();
  });

  test('a single week is a step from the anchor', () => {
    expect(creep(significant([5]))).toEqual({
      kind: 'step',
      since: 0,
      change: expect.closeTo(0.05, 9),
      now: expect.closeTo(0.05, 9),
    });
  });

  test('a clean step keeps its size, from whatever level', () => {
    expect(creep(significant([0, 0, 0, 3, 3, 3, 3]))).toMatchObject({
      kind: 'step',
      since: 3,
      change: expect.closeTo(0.03, 9),
    });
    // 1.04 / 1.01 - 1, on a level that was 1 % above the anchor from the start.
    const raised = creep(significant([...new Array<number>(10).fill(1), 4, 4, 4, 4]));
    expect(raised).toMatchObject({ kind: 'step', since: 10, now: expect.closeTo(0.04, 9) });
    expect(raised?.kind === 'step' && raised.change).toBeCloseTo(1.04 / 1.01 - 1, 2);
  });

  test('a clean slope tells the first week above the level and the loss of a week', () => {
    const rising = (from: number, weeks: number) =>
      Array.from({ length: weeks }, (_, week) => 100 * (1.005 ** Math.max(0, week - from + 1) - 1));
    for (const from of [0, 1, 5])
      expect(creep(significant(rising(from, 13)))).toEqual({
        kind: 'slope',
        since: from,
        perWeek: expect.closeTo(0.005, 9),
        now: expect.closeTo(1.005 ** (13 - from) - 1, 9),
      });
  });

  test('weeks without comparison keep their place', () => {
    const weeks: Weeks = significant([0, 0, 0, 0.5, 1.0025, 1.5075, 2.0151, 2.5251, 3.0378]).map((week, i) =>
      i === 1 || i === 5 ? undefined : week,
    );
    expect(creep(weeks)).toMatchObject({ kind: 'slope', since: 3, perWeek: expect.closeTo(0.005, 5) });
  });

  test('it never began by getting better', () => {
    const weeks = significant([6, 6, 6, 2.5]);
    const found = creep(weeks);
    expect(found?.kind === 'step' ? found.change : found?.perWeek).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: 1, max: 60 })), {
          maxLength: 20,
        }),
        (history) => {
          const before = history.map(([x, blocks]) => ({ estimate: Math.log1p(x / 100), p: 0.5, blocks }));
          const found = creep([...before, ...significant([2.5, 2.5])]);
          expect(found).toBeDefined();
          expect(found?.kind === 'step' ? found.change : found?.perWeek).toBeGreaterThan(0);
          expect(found?.now).toBeCloseTo(0.025, 9);
          expect(found?.since).toBeLessThan(history.length + 2);
        },
      ),
    );
  });
});

describe('on simulated weeks of 45 pairs, noise of 2 % on each side', () => {
  const simulated = (seed: number) => {
    const normal = normalFrom(uniformSource(seed));
    return (loss: number): WeeklyComparison => {
      const pairs = Array.from({ length: WEEKLY_BLOCKS }, () => loss + 0.02 * (normal() - normal()));
      return {
        estimate: hodgesLehmann(pairs, 0.95).centre,
        p: signedRankGreater(pairs),
        blocks: WEEKLY_BLOCKS,
      };
    };
  };

  test('a creep of 0.3 % a week is found, before it is 3 %', () => {
    const compare = simulated(11);
    let [eighth, ninth] = [0, 0];
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      const weeks: WeeklyComparison[] = [];
      while (weeks.length < 9 && !creeps(weeks)) weeks.push(compare((weeks.length + 1) * Math.log1p(0.003)));
      if (creeps(weeks)) ninth++;
      if (creeps(weeks) && weeks.length <= 8) eighth++;
    }
    // 97.7 % of 6,000 by the eighth week; three standard errors of 200 rounds are 3.6 %.
    expect(eighth / rounds).toBeGreaterThan(0.93);
    expect(ninth / rounds).toBeGreaterThan(0.975);
  });

  test('unchanged code is flagged in hardly any row and quarter', () => {
    const compare = simulated(12);
    let flagged = 0;
    for (let row = 0; row < 420; row++) {
      const weeks: WeeklyComparison[] = [];
      while (weeks.length < 13 && !creeps(weeks)) weeks.push(compare(0));
      if (creeps(weeks)) flagged++;
    }
    // Twenty quarters of 21 rows: 10 of 3,000 whole quarters were, so three have a probability below 0.001.
    expect(flagged).toBeLessThanOrEqual(2);
  });
});
