import { expect, test } from '@jest/globals';
import { noiseFileSchema } from '../session/history.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import { rankingFileSchema } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { nightlyHistory, noiseFile } from '../history/history.ts';
import { rankingFile, rankNights } from './ranked-nights.ts';
import { rankingSession } from './rank.test-support.ts';

const METRICS = BUILT_IN_METRICS.filter(({ name }) => name === 'cpu_time_s');

/** A night of two variants, the second `factor` times the first, in as many blocks as it ran until it was decided. */
const night = (day: number, blocks: number, factor: number, change: Partial<Session> = {}) =>
  rankingSession(
    ['a', 'b'],
    (variant) => ({ cpu_time_s: variant === 'a' ? 1 : factor }),
    { blocks, metrics: METRICS, sides: ['baseline', 'head'], purpose: 'nightly' },
    { id: `night-${day}`, started: new Date(Date.UTC(2026, 0, 1 + day)).toISOString(), ...change },
  );

const rowOf = (sessions: readonly Session[]) => {
  const ranked = rankNights(sessions);
  return {
    sessions: ranked?.ranking.sessions,
    row: ranked?.ranking.variants.find(({ variant }) => variant === 'b')?.rows[0],
  };
};

test('as many nights as it takes to have thirty blocks, the newest first, and no more', () => {
  const nights = [night(0, 8, 9), night(1, 8, 1.1), night(2, 12, 1.1), night(3, 8, 1.1), night(4, 8, 1.1)];
  const { sessions, row } = rowOf(nights);
  expect(sessions).toEqual(['night-1', 'night-2', 'night-3', 'night-4']);
  expect(row).toMatchObject({ blocks: 36, n: 36, verdict: 'worse' });
  expect(row?.change.estimate).toBeCloseTo(0.1, 12);
});

test('nights of another machine, another workload or another interpreter are not put together with the newest', () => {
  const newest = night(9, 8, 1.1);
  const machine = { ...newest.machine, cpuModel: 'another' };
  const workload = { ...newest.workload, hash: 'other', files: { 'bench.py': 'c' } };
  const images = newest.images.map((one) => (one.variant === 'b' ? { ...one, definitionHash: 'old' } : one));
  expect(rowOf([night(0, 30, 9, { machine }), night(1, 30, 9, { workload }), newest])).toMatchObject({
    sessions: ['night-9'],
    row: { blocks: 8 },
  });
  // The night counts for the variants that were the same: here the reference alone.
  const { row } = rowOf([night(0, 30, 9, { images }), newest]);
  expect(row).toMatchObject({ blocks: 8 });
  expect(row?.change.estimate).toBeCloseTo(0.1, 12);
});

test('without a night of two variants there is nothing to rank', () => {
  expect(rankNights([])).toBeUndefined();
  expect(rankNights([night(0, 8, 1.1, { purpose: 'anchor' })])).toBeUndefined();
  const failures: Session['failures'] = [{ variant: 'b', side: 'head', stage: 'build', message: 'no' }];
  expect(rankNights([night(0, 8, 1.1, { failures })])).toBeUndefined();
});

test('the branch keeps it in a file of its own, and a night’s session carries it', () => {
  const stored = { sessions: [night(0, 12, 1.1)], summaries: [] };
  const { ranking, newest } = rankNights(stored.sessions)!;
  const file = rankingFile(ranking, newest);
  expect(rankingFileSchema.parse(JSON.parse(JSON.stringify(file)))).toEqual(file);
  expect(nightlyHistory(stored).ranking).toEqual(ranking);
  const noise = noiseFile(stored, 'pacegate');
  expect(noise).not.toHaveProperty('ranking');
  expect(noiseFileSchema.parse(noise)).toEqual(noise);
});
