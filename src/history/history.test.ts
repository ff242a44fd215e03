import { describe, expect, test } from '@jest/globals';
import { noiseFileSchema } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import { nearlyNormalFrom } from '../statistics/normal.test-support.ts';
import { uniformSource } from '../statistics/random.ts';
import { alarmsOf, nightOutcome } from './alarms.ts';
import { anchorHistory } from './anchor.ts';
import { compareSession } from '../verdict/compare.ts';
import { gateHistory, nightlyHistory, noiseFile } from './history.ts';
import { levelShifts } from '../evidence/level-shifts.ts';
import { nightsFor, residualsOf } from '../evidence/nights.ts';
import { betweenNights, noiseOf } from './row-noise.ts';
import { night, nightAgainstItself, session, simulated } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

const range = (n: number) => Array.from({ length: n }, (_, index) => index);
const quiet = (n: number) => range(n).map((day) => nightAgainstItself(day, { noise: 0.02 }));

describe('false alarms of the nights', () => {
  const wrong = nightAgainstItself(0, { noise: 0.01, centre: Math.log(1.06) });

  test('none of 23 nights is at most 14.8 %, and one of them is reported as one', () => {
    const { nights, regressed, improved } = alarmsOf({ sessions: quiet(23), summaries: [] });
    expect({ nights, regressed: regressed.nights, improved: improved.nights }).toEqual({
      nights: 23,
      regressed: 0,
      improved: 0,
    });
    // 1 - 0.025^(1/23)
    expect(regressed).toMatchObject({ low: 0, high: expect.closeTo(0.1482, 4) });
    expect(alarmsOf({ sessions: [wrong, ...quiet(23).slice(1)], summaries: [] }).regressed.nights).toBe(1);
  });

  test('squashed nights keep their alarms; sessions of one side and of the anchor are not nights', () => {
    const summaries = [{ outcome: { regressed: true, improved: false } }, {}];
    const others = [night(1, 1), { ...wrong, purpose: 'anchor' as const }, session()];
    expect(alarmsOf({ sessions: [...others, ...quiet(2)], summaries })).toMatchObject({
      nights: 3,
      regressed: { nights: 1 },
    });
    expect(nightOutcome(night(1, 1, { purpose: 'nightly' }))).toBeUndefined();
  });

  test('two sides of one image are a night too, and its image sizes are not alarms', () => {
    const images = wrong.images.map((image) => ({ ...image, identity: 'same' }));
    expect(nightOutcome({ ...wrong, images })).toEqual({ regressed: true, improved: false });
    const sized = images.map((image) => ({ ...image, sizeBytes: image.side === 'head' ? 2e6 : 1e6 }));
    const rule = metricRule('image_size_bytes', { limit: 0.05, kind: 'exact' });
    const rules = { ...wrong.rules, metrics: [...wrong.rules.metrics, rule] };
    expect(compareSession({ ...wrong, images: sized, rules }).rows.map(({ metric }) => metric)).toEqual([
      'wall_time_s',
    ]);
  });
});

describe('the noise of a row', () => {
  test('is found as it was put in: of a pair, and between nights', () => {
    const normal = nearlyNormalFrom(uniformSource(7));
    const nights = range(60).map((day) => nightAgainstItself(day, { noise: 0.02, centre: 0.01 * normal() }));
    const [row] = noiseOf(nights.at(-1)!, nights);
    expect(row).toMatchObject({ variant: 'a', metric: 'wall_time_s', nights: 60, limit: 0.03 });
    expect(row?.noise).toBeCloseTo(0.02, 2);
    expect(Math.abs(row!.tau! - 0.01)).toBeLessThan(0.003);
    // Wide of 3 %, for the look must reach it in 80 of 100 cases; and not by much at 2 % of noise.
    expect(row?.detectable).toBeGreaterThan(0.03);
    expect(row?.detectable).toBeLessThan(0.045);
  });

  test('between nights is near zero if there is none, and unknown for one night', () => {
    const nights = quiet(60);
    expect(noiseOf(nights.at(-1)!, nights)[0]?.tau).toBeLessThan(0.0025);
    expect(betweenNights([new Float64Array([0.1, -0.1])])).toBeNull();
  });

  test('is that of the newest night’s machine and measuring code', () => {
    const nights = quiet(6);
    const other = { ...nights[0]!.machine, cpuModel: 'another' };
    const changed = { ...nights[0]!.workload, hash: 'another' };
    const mixed = nights.map((one, index): Session =>
      index === 0 ? { ...one, machine: other } : index === 1 ? { ...one, workload: changed } : one,
    );
    expect(noiseOf(mixed.at(-1)!, mixed)[0]?.nights).toBe(4);
  });
});

describe('the nights that a session carries', () => {
  test('are old ones of one side and new ones of both, by the baseline’s median; not the anchor’s', () => {
    const newer = simulated({ noise: 0.02, centre: 0.5, seed: 9 }, { id: 'new', purpose: 'nightly' });
    const anchor = nightAgainstItself(3, { noise: 0.02 }, { purpose: 'anchor' });
    const carried = nightsFor(session(), [night(1, 1), newer, anchor]);
    expect(carried.map(({ session: id }) => id)).toEqual(['night-1', 'new']);
    expect(carried[1]?.medians['a']?.['wall_time_s']).toBeCloseTo(1, 1);
  });

  test('have their noise from the last fourteen of only this machine', () => {
    const carried = nightsFor(session(), quiet(20));
    expect(carried.map(({ residuals }) => Object.keys(residuals).length)).toEqual([
      ...range(6).map(() => 0),
      ...range(14).map(() => 1),
    ]);
    expect(residualsOf(carried, 'a', 'wall_time_s')).toHaveLength(14);
  });
});

describe('a level shift', () => {
  const shifted = range(30).map((day) =>
    nightAgainstItself(day, { noise: 0.01, level: day < 12 ? 1 : 1.05, blocks: 10 }),
  );

  test('is shown with its size, its night and its commit', () => {
    expect(levelShifts(shifted.at(-1)!, shifted)).toEqual([
      {
        variant: 'a',
        metric: 'wall_time_s',
        change: expect.closeTo(0.05, 2),
        p: 0.001,
        at: { started: '2026-01-13T03:00:00.000Z', commit: 'c12' },
      },
    ]);
    expect(levelShifts(quiet(30).at(-1)!, quiet(30))).toEqual([]);
  });

  const judged = (nights: readonly Session[]) => {
    const rules = { ...session().rules, evidence: 'stored' as const };
    const head = simulated({ noise: 0.01, level: 1.05, seed: 77 }, { sides: ['head'], rules });
    const runs = head.runs.filter(({ side }) => side === 'head');
    return compareSession({ ...head, runs, nights: nightsFor(head, nights) }).rows[0]!;
  };

  test('leaves the nights before it out of stored evidence, and the row reports this', () => {
    const row = judged(shifted);
    expect(row).toMatchObject({ evidence: 'stored', verdict: 'unchanged', baseline: { n: 18 } });
    expect(row.stored?.sessions).toBe(18);
    expect(row.warnings).toEqual([
      expect.stringMatching(
        /^wall_time_s changed its level on 2026-01-13 \(\+[45]\.\d %\), so the 12 nights/,
      ),
    ]);
  });

  test('makes fewer than fourteen of enough nights', () => {
    const row = judged(shifted.slice(0, 22));
    expect(row.verdict).toBe('no_baseline');
    expect(row.warnings).toEqual([
      '10 of the 14 stored sessions that stored evidence needs',
      expect.stringContaining('the 12 nights before it are left out'),
    ]);
  });
});

describe('the anchor', () => {
  const week = (index: number, drift: number, anchor = 'v1') =>
    simulated(
      { noise: 0.01, centre: Math.log1p(drift), seed: 100 + index },
      {
        id: `anchor-${index}`,
        purpose: 'anchor',
        started: new Date(Date.UTC(2026, 0, 1 + 7 * index, 4)).toISOString(),
        source: {
          repository: 'owner/name',
          event: 'schedule',
          baseline: { commit: anchor, dirty: false },
          head: { commit: `h${index}`, dirty: false },
        },
      },
    );

  test('that is left by a little every week creeps, with its beginning; without drift nothing does', () => {
    const slope = range(12).map((index) => week(index, index < 4 ? 0 : 0.004 * (index - 3)));
    const { creeps, ...series } = anchorHistory(slope)!;
    expect(series).toMatchObject({
      commit: 'v1',
      sessions: 12,
      first: { commit: 'h0' },
      last: { commit: 'h11' },
    });
    expect(creeps).toEqual([expect.objectContaining({ variant: 'a', metric: 'wall_time_s', kind: 'slope' })]);
    expect(creeps[0]?.now).toBeCloseTo(0.032, 2);
    expect(['h3', 'h4', 'h5']).toContain(creeps[0]?.since.commit);
    expect(anchorHistory(range(12).map((index) => week(index, 0)))?.creeps).toEqual([]);
  });

  test('that was left at once says when; a metric that is better when higher is read so', () => {
    const step = range(8).map((index) => week(index, index < 3 ? 0 : 0.04));
    expect(anchorHistory(step)?.creeps).toEqual([
      expect.objectContaining({ kind: 'step', since: { started: '2026-01-22T04:00:00.000Z', commit: 'h3' } }),
    ]);
    const rate = step.map((one): Session => ({
      ...one,
      rules: { ...one.rules, metrics: one.rules.metrics.map((rule) => ({ ...rule, better: 'higher' })) },
    }));
    expect(anchorHistory(rate)?.creeps).toEqual([]);
  });

  test('that moved begins a new series', () => {
    const sessions = [...range(6).map((index) => week(index, 0.05)), week(6, 0, 'v2')];
    expect(anchorHistory(sessions)).toMatchObject({ commit: 'v2', sessions: 1, creeps: [] });
    expect(anchorHistory(quiet(3))).toBeNull();
  });
});

test('a gate carries little of it, and the file of the branch all', () => {
  const stored = { sessions: quiet(3), summaries: [] };
  expect(gateHistory(stored)).toMatchObject({ noise: [], shifts: [], alarms: { nights: 3 }, anchor: null });
  expect(noiseFile(stored, 'pacegate')).toEqual({
    format: 'pacegate-noise',
    version: 1,
    configuration: 'pacegate',
    newest: {
      session: 'night-2',
      started: '2026-01-03T03:00:00.000Z',
      commit: 'c2',
      cpuModel: 'model',
      cores: 2,
    },
    ...nightlyHistory(stored),
  });
  expect(noiseFileSchema.parse(noiseFile(stored, 'pacegate'))).toEqual(noiseFile(stored, 'pacegate'));
  expect(noiseFile({ sessions: [], summaries: [] }, 'pacegate')).toMatchObject({ newest: null, noise: [] });
});
