import { describe, expect, test } from '@jest/globals';
import { twoSided } from '../session/session.test-support.ts';
import type { AcceptedEntry } from '../session/acceptance.ts';
import type { Session } from '../session/session.ts';
import { compareSession } from './compare.ts';
import { exitStatus } from './exit-status.ts';

const FILE = '.github/pacegate-accepted.yml';
const ENTRY: AcceptedEntry = {
  variant: 'a',
  metric: 'wall_time_s',
  upTo: 0.15,
  reason: 'Every request is validated now.',
  author: 'octocat',
  expires: '2026-01-31',
};

/** A session with 10 % more wall time, judged with these entries in the base's file. */
function judged(entries: readonly Partial<AcceptedEntry>[], change: Partial<Session> = {}) {
  const measured = { ...twoSided({ wall_time_s: [1, 1.1] }), ...change };
  return compareSession({
    ...measured,
    accepted: { file: FILE, entries: entries.map((entry) => ({ ...ENTRY, ...entry })) },
  });
}

test('a row that an entry covers is accepted, with its reason, and passes', () => {
  const comparison = judged([{}]);
  expect(comparison.verdict).toBe('accepted');
  expect(comparison.rows[0]?.verdict).toBe('accepted');
  expect(comparison.rows[0]?.warnings).toContain(
    `accepted by octocat, up to 15 % until 2026-01-31 (${FILE}): Every request is validated now.`,
  );
  expect(exitStatus(comparison, ['regressed'])).toBe(0);
  expect(exitStatus(comparison, ['accepted'])).toBe(1);
});

test.each([
  ['of a pattern', { variant: '*', metric: 'wall_*' }],
  ['on its last day', { expires: '2026-01-01' }],
])('an entry %s covers it', (_, entry) => expect(judged([entry]).verdict).toBe('accepted'));

describe('a row that no entry covers stays regressed', () => {
  test.each([
    ['an entry of another variant', { variant: 'b' }, undefined],
    ['an entry of another metric', { metric: 'cpu_time_s' }, undefined],
    ['an entry for less', { upTo: 0.05 }, `octocat accepts up to 5 % in ${FILE}, and this is more`],
    [
      'an entry that is over',
      { expires: '2025-12-31' },
      `what octocat accepted in ${FILE} expired on 2025-12-31`,
    ],
  ])('%s', (_, entry, warning) => {
    const comparison = judged([entry]);
    expect(comparison.verdict).toBe('regressed');
    const warnings = comparison.rows[0]?.warnings ?? [];
    if (warning === undefined) expect(warnings.join()).not.toContain('octocat');
    else expect(warnings).toContain(warning);
  });

  test('no entry at all', () => expect(judged([]).verdict).toBe('regressed'));
});

test('the entry that covers a row applies, whatever entries come before it', () =>
  expect(judged([{ upTo: 0.01 }, { expires: '2020-01-01' }, {}]).verdict).toBe('accepted'));

describe('the label on the pull request', () => {
  const label = { author: 'octocat', commit: 'c0ffee0123456789' };
  const labelled = (change: Partial<Session> = {}) =>
    compareSession({
      ...twoSided({ wall_time_s: [1, 1.4] }),
      accepted: { file: FILE, entries: [], label },
      ...change,
    });

  test('accepts the commit with all that regressed', () => {
    const comparison = labelled();
    expect(comparison.verdict).toBe('accepted');
    expect(comparison.rows[0]?.warnings).toContain(
      'octocat accepts c0ffee0123 as it is, by the label on the pull request',
    );
  });

  test('accepts what the rule changed-measurement refuses', () => {
    const whole = twoSided({ wall_time_s: [1, 1] });
    const changed: Partial<Session> = {
      ...whole,
      rules: { ...whole.rules, changedMeasurement: 'fail' },
      measuring: { trials: [], changes: [{ kind: 'variant_removed', variant: 'debian' }] },
    };
    const comparison = labelled(changed);
    expect(comparison.verdict).toBe('accepted');
    expect(exitStatus(comparison, ['regressed'])).toBe(0);
    expect(comparison.measuring?.news).toHaveLength(1);
    expect(comparison.warnings[0]).toMatch(/^octocat accepts c0ffee0123, including its changes/);
    const refused = compareSession({ ...whole, ...changed });
    expect(refused.verdict).toBe('failed');
    expect(exitStatus(refused, ['regressed'])).toBe(1);
  });

  test('accepts no workload that failed', () => {
    const whole = twoSided({ wall_time_s: [1, 1.4] });
    const runs = whole.runs.map((run) =>
      run.side === 'head'
        ? { ...run, outcome: 'nonzero' as const, metrics: {}, exitStatus: 1, message: 'died' }
        : run,
    );
    expect(['failed', 'no_data']).toContain(labelled({ runs }).verdict);
  });
});

test('a warning is accepted only where it fails the job', () => {
  const { rules, ...rest } = twoSided({ wall_time_s: [1, 1.035] });
  const warning = (failOn: Session['rules']['failOn']) =>
    judged([{}], {
      ...rest,
      rules: {
        ...rules,
        failOn,
        metrics: rules.metrics.map((rule) => ({ ...rule, limit: 0.05, warn: 0.02 })),
      },
    }).verdict;
  expect(warning(['regressed'])).toBe('warning');
  expect(warning(['regressed', 'warning'])).toBe('accepted');
});

test('a cancelled session does not pass for an accepted row', () =>
  expect(judged([{}], { interrupted: true }).verdict).toBe('no_data'));

test('a nightly session accepts nothing', () =>
  expect(judged([{}], { purpose: 'nightly' }).rows.map(({ verdict }) => verdict)).not.toContain('accepted'));
