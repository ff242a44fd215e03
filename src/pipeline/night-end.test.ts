import { expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { nightlyHistory } from '../history/history.ts';
import { nightAgainstItself } from '../session/session.test-support.ts';
import type { AnchorResult } from './anchor.ts';
import type { Night } from './measure-night.ts';
import { endOf } from './night-end.ts';

/** The end of a night: its sentences and its job's exit status. */

const session = nightAgainstItself(0, { noise: 0.02, blocks: 8 });
const night = (change: Partial<Night> = {}): Night => ({
  session: { ...session, history: nightlyHistory({ sessions: [], summaries: [] }) },
  comparison: compareSession(session),
  interrupted: false,
  stored: { kind: 'stored', commit: '0123456789abcdef' },
  anchor: { kind: 'none' },
  staleAcceptance: [],
  ...change,
});
const failing = [{ variant: 'a', side: 'head', stage: 'build', message: 'it does not build' }] as const;
const out = {
  path: '/out/anchor',
  write: () => Promise.reject(new Error()),
  read: () => Promise.resolve(''),
  existing: () => Promise.resolve([]),
  writtenInto: () => [],
  lose: () => undefined,
  lost: () => [],
  close: () => Promise.resolve(),
};
const compared = (blocksPlanned?: number): AnchorResult => {
  const anchor = { ...session, purpose: 'anchor' as const };
  const budget = { ...anchor.budget, ...(blocksPlanned === undefined ? {} : { blocksPlanned }) };
  const whole = { ...anchor, budget };
  return { kind: 'compared', session: whole, comparison: compareSession(whole), out, interrupted: false };
};

test('a stored night succeeds, whatever its findings', () => {
  expect(endOf(night(), 'branch')).toEqual({
    remarks: ['Stored on the branch branch as 0123456789.'],
    status: 0,
    failure: undefined,
  });
});

test.each<[string, Partial<Night>, number, RegExp | undefined]>([
  ['whose branch refuses', { stored: { kind: 'refused', reason: 'no permission' } }, 3, /no permission/],
  ['of which nothing is stored', { stored: { kind: 'nothing' } }, 3, /Nothing was stored on the branch/],
  ['that was cancelled', { stored: { kind: 'nothing' }, interrupted: true }, 3, /the run was cancelled/],
  ['with an anchor that is none', { anchor: { kind: 'unknown', reason: 'found v9' } }, 2, /found v9/],
  ['with an anchor that broke', { anchor: { kind: 'failed', reason: 'no runs', out } }, 3, /no runs/],
  ['with a variant that failed', { session: { ...night().session, failures: [...failing] } }, 3, undefined],
])('a night %s is not', (_, change, status, failure) => {
  const end = endOf(night(change), 'branch');
  expect(end.status).toBe(status);
  if (failure === undefined) expect(end.failure).toBeUndefined();
  else {
    expect(end.failure).toMatch(failure);
    expect(end.remarks.join(' ')).toMatch(failure);
  }
});

test('the anchor’s report names its commit, and whether the budget left too few pairs', () => {
  expect(endOf(night({ anchor: compared() }), 'branch').remarks.slice(1)).toEqual([
    'Compared with the anchor c0 in 16 runs; the files are in the folder anchor.',
  ]);
  expect(endOf(night({ anchor: compared(10) }), 'branch').remarks.at(-1)).toBe(
    'The budget of 20.0 min left the anchor 10 of 30 pairs, and creep cannot be found in fewer than 11: raise rules.budget, or make the workload shorter.',
  );
  expect(endOf(night({ anchor: compared(11) }), 'branch').remarks).toHaveLength(2);
});

test('expired entries of accepted rows are in the report and do not fail the job', () =>
  expect(endOf(night({ staleAcceptance: ['an entry is over'] }), 'branch')).toMatchObject({
    remarks: [expect.stringMatching(/^Stored/), 'an entry is over'],
    status: 0,
  }));
