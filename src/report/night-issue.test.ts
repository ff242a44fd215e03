import { describe, expect, test } from '@jest/globals';
import type { Concern } from '../history/concerns.ts';
import type { Creep, LevelShift } from '../session/history.ts';
import { newConcernsComment, nightBadge, nightIssue } from './night-issue.ts';

const since = { started: '2026-09-01T03:17:00Z', commit: 'c0ffee0000000000' };
const shift: LevelShift = { variant: 'api', metric: 'wall_time_s', change: 0.0213, p: 0.001, at: since };
const creep: Creep = {
  variant: 'api',
  metric: 'max_rss_bytes',
  now: 0.041,
  p: 0,
  kind: 'slope',
  size: 0.003,
  since,
};
const failed: Concern = { kind: 'failed', reason: 'Pacegate: `api` <b>failed</b> @octocat' };
const alarms: Concern = { kind: 'alarms', nights: 4, of: 40, low: 0.0279, high: 0.2366, promised: 0.01 };
const concerns: readonly Concern[] = [failed, { kind: 'shift', shift }, { kind: 'creep', creep }, alarms];
const anchor = { commit: 'ab'.repeat(20), sessions: 6, first: since, last: since, creeps: [creep] };
const options = {
  ...{ configuration: 'pacegate', history: { anchor }, started: '2026-11-27T03:17:00Z' },
  runUrl: 'https://github.com/owner/name/actions/runs/1',
};

test('the issue lists what each night found and what to do', () => {
  const { title, body, concerns: names } = nightIssue(concerns, options);
  expect(title).toBe('Pacegate: the nights of pacegate need attention');
  expect(names).toEqual(['failed', 'shift api wall_time_s 2026-09-01', 'creep api max_rss_bytes', 'alarms']);
  expect(body).toMatchInlineSnapshot(`
   "What [the night of 2026-11-27](https://github.com/owner/name/actions/runs/1) found:

   - **The night failed.** Pacegate: \\\`api\\\` &lt;b&gt;failed&lt;/b&gt; @​octocat
   - Level shift: \`api\` wall time +2.1 % at 2026-09-01 (commit \`c0ffee0000\`), p ≤ 0.001. Stored evidence leaves out older nights. Look at what was merged that day, and at whether the runner changed.
   - Creep: \`api\` memory (RSS) is 4.1 % worse than the anchor \`ababababab\` (p < 0.001), 0.3 % a week since 2026-09-01 (commit \`c0ffee0000\`). Creep does not fail the job.
   - False alarms: 4 of 40 nights raised one, which is 10 % (2.8 % to 23.7 %); the rules promise 1 %. The two sides of a night are equal, so something of the machine differs between them. Run \`pacegate doctor\` there.

   Pacegate keeps this text up to date and closes the issue when no problem is left. To accept the problems listed here, close the issue. Pacegate opens it again only for a new problem."
  `);
});

test('a closed issue gives the time of the last check', () => {
  expect(nightIssue([], options).body).toBe(
    'The problems reported here are gone. Last checked: [the night of 2026-11-27](https://github.com/owner/name/actions/runs/1).',
  );
});

test('a night that ended early lists what was not checked', () => {
  expect(nightIssue([failed], { ...options, history: undefined }).body).toContain(
    'so it did not check them.',
  );
});

test('a comment has the new concerns', () => {
  expect(newConcernsComment([{ kind: 'creep', creep }], options)).toMatch(/^New:\n\n- Creep: `api` memory/);
});

describe('the badge', () => {
  const rate = { nights: 0, low: 0, high: 0.1 };
  const of = (nights: number, ...found: readonly Concern[]) =>
    nightBadge(found, { alarms: { nights, regressed: rate, improved: rate } });
  test.each([
    [of(0), 'no nights yet', 'lightgrey'],
    [of(1), 'steady for 1 night', 'brightgreen'],
    [of(40), 'steady for 40 nights', 'brightgreen'],
    [of(40, alarms), 'false alarms', 'orange'],
    [of(40, alarms, { kind: 'creep', creep }), 'creep of 4.1 %', 'orange'],
    [of(40, { kind: 'shift', shift }, { kind: 'creep', creep }), '1 level shift, up to +2.1 %', 'orange'],
  ])('%j', (badge, message, color) => {
    expect(badge).toEqual({ schemaVersion: 1, label: 'performance', message, color });
  });
});
