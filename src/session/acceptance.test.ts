import { expect, test } from '@jest/globals';
import { isExpired, staleEntries, type AcceptedEntry } from './acceptance.ts';

const ENTRY: AcceptedEntry = {
  variant: 'official',
  metric: 'cpu_time_s',
  upTo: 0.08,
  reason: 'validation',
  author: 'octocat',
  expires: '2027-03-31',
};
const JUDGED = [{ variant: 'official', metric: 'cpu_time_s' }];
const stale = (entry: Partial<AcceptedEntry>, at = '2027-01-01T00:00:00.000Z') =>
  staleEntries({ file: 'pacegate-accepted.yml', entries: [{ ...ENTRY, ...entry }] }, at, JUDGED);

test('an entry holds until the end of its last day, in UTC', () => {
  expect(isExpired(ENTRY, '2027-03-31T23:59:59.999Z')).toBe(false);
  expect(isExpired(ENTRY, '2027-04-01T00:00:00.000Z')).toBe(true);
});

test('an entry that holds and matches is not stale', () => {
  expect(stale({})).toEqual([]);
  expect(stale({ variant: '*', metric: 'cpu_*' })).toEqual([]);
});

test('an expired entry is named with what to do', () =>
  expect(stale({}, '2027-04-01T00:00:00.000Z')).toEqual([
    'pacegate-accepted.yml: what octocat accepts of official cpu_time_s expired on 2027-03-31. Remove the entry, or give it a new day.',
  ]));

test.each([{ variant: 'debian' }, { metric: 'tasks' }])(
  'an entry of %j, which nothing judged matches, is named',
  (entry) =>
    expect(stale(entry)[0]).toMatch(
      /matches no variant and metric that is judged\. Remove the entry, or correct its names\.$/,
    ),
);
