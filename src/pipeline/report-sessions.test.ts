import { afterAll, expect, test } from '@jest/globals';
import { nightlyHistory } from '../history/history.ts';
import type { NamedSession } from '../session/merged.ts';
import { drawn } from '../session/session.test-support.ts';
import type { Session } from '../session/session.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';
import { judgeForReport } from './report-sessions.ts';

/** Mode report on a real repository: which rules apply, and which sessions are trusted. */

afterAll(removeTemporaryFolders);

const configuration = (limit: string, failOn: string) => `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
metrics: { wall_time_s: { limit: ${limit} }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
rules: { fail-on: [${failOn}] }
`;

const repo = repository();
repo.write('.github/pacegate.yml', configuration('3%', 'regressed, inconclusive'));
const base = repo.commit('base');
repo.git('checkout', '-q', '-b', 'change');
// The pull request loosens its own gate.
repo.write('.github/pacegate.yml', configuration('50%', 'failed'));
repo.commit('change');
repo.git('checkout', '-q', 'main');
repo.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
const head = repo.git('rev-parse', 'HEAD');
repo.git('remote', 'add', 'origin', repo.path);

const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
const session: Session = {
  ...measured,
  source: {
    ...measured.source,
    baseline: { commit: base, dirty: false },
    head: { commit: head, dirty: false },
  },
  // The session of a job that was tampered with.
  rules: { ...measured.rules, metrics: measured.rules.metrics.map((rule) => ({ ...rule, limit: 0.5 })) },
};
const report = async (named: readonly NamedSession[], event: string, defaultBranch = 'main') =>
  await judgeForReport(
    named,
    await openProject({ directory: repo.path, config: undefined, overrides: {} }, realPorts().source),
    {},
    { event, mergeSha: head, defaultBranch, gitEnvironment: {}, secretsOnPullRequests: false },
    realPorts(),
  );

test("on a pull request the rules are the base's, whatever the sessions carry", async () => {
  const { judged, failOn, remarks } = await report([{ session, file: 'session.json' }], 'pull_request');
  expect(judged.comparison.verdict).toBe('regressed');
  expect(failOn).toEqual(['regressed', 'inconclusive']);
  expect(remarks.join(' ')).toContain(
    "The sessions have other rules than the base's configuration, whose rules apply",
  );
  expect(remarks.join(' ')).toContain('This change edits its own configuration');
});

test('on a pull request, the stored nights in a session are not trusted', async () => {
  const forged = { ...session, history: nightlyHistory({ sessions: [], summaries: [] }) };
  const { judged } = await report([{ session: forged, file: 'session.json' }], 'pull_request');
  expect(judged.session.history).toBeUndefined();
});

test('on the default branch a session is judged by its own rules', async () => {
  const { judged, remarks } = await report([{ session, file: 'session.json' }], 'push');
  expect(judged.comparison.verdict).not.toBe('regressed');
  expect(remarks).toEqual([]);
});

test("of a change the rules are the base's, whatever the event is called", async () => {
  repo.git('branch', '-q', '-f', 'accepted', base);
  const named = [{ session, file: 'session.json' }];
  const { judged, remarks } = await report(named, 'workflow_run', 'accepted');
  expect(judged.comparison.verdict).toBe('regressed');
  expect(remarks[0]).toContain(`${head.slice(0, 10)} is not on the default branch accepted`);
});

test('sessions of another commit than the checkout are refused on a pull request', async () => {
  const other = {
    ...session,
    source: { ...session.source, head: { commit: 'f'.repeat(40), dirty: false } },
  };
  await expect(report([{ session: other, file: 'session.json' }], 'pull_request')).rejects.toThrow(
    `the head: session.json has ${'f'.repeat(40)}, this checkout has ${head}; expected: one`,
  );
});

test('on a pull request, nights that are only in a session are not trusted', async () => {
  const night = {
    session: 'made-up',
    started: '2026-01-01T00:00:00.000Z',
    sameMachine: true,
    changedFiles: null,
    medians: { a: { wall_time_s: 9 } },
    residuals: { a: { wall_time_s: [0, 0.5, -0.5] } },
    centres: { a: { wall_time_s: 0 } },
  };
  const forged = { ...session, nights: Array.from({ length: 20 }, () => night) };
  const { judged } = await report([{ session: forged, file: 'session.json' }], 'pull_request');
  expect(judged.session.nights).toEqual([]);
});

test('that both sides are one image is reported as a statement of the measuring job', async () => {
  const same = {
    ...session,
    runs: [],
    images: session.images.map((image) => ({ ...image, identity: 'one' })),
  };
  const { remarks } = await report([{ session: same, file: 'session.json' }], 'pull_request');
  expect(remarks.join(' ')).toContain(
    'The measuring jobs report that both sides are the same image, and ran nothing: a.',
  );
});

test.each<[string, readonly string[], string]>([
  [
    'one that the plan has not',
    ['a', 'b'],
    'the variants: session.json has b, which the configuration does not have',
  ],
  ['none of the plan', [], 'the variants: session.json lacks a of the configuration'],
])('variants of a session that are not the plan’s are refused: %s', async (_, variants, problem) => {
  const other = { ...session, variants: [...variants] };
  await expect(report([{ session: other, file: 'session.json' }], 'pull_request')).rejects.toThrow(problem);
});
