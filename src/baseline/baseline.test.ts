import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { night } from '../session/session.test-support.ts';
import { removeTemporaryFolders, repository, runGit } from '../source/repository.test-support.ts';
import { openBaselineBranch, type Evaluation } from './branch.ts';
import { tokenEnvironment } from './credentials.ts';
import { BRANCH, edit, sessionFiles, startForge } from './forge.test-support.ts';
import { sessionText } from '../session/write.ts';
import { RAW_SESSIONS } from './format.ts';

afterAll(removeTemporaryFolders);

function forge() {
  const { bare, clone } = startForge();
  return { bare, clone: () => clone('--depth=1') };
}

const open = (directory: string) => openBaselineBranch({ directory, branch: BRANCH });
/** A stand-in for the statistics, which lists the ids of the stored sessions. */
const evaluation: Evaluation = {
  outcome: ({ purpose }) => (purpose === 'nightly' ? { regressed: true, improved: false } : undefined),
  noise: ({ sessions, summaries }, configuration) =>
    JSON.stringify([configuration, sessions.map(({ id }) => id), summaries.map(({ id }) => id)]),
  ranking: ({ sessions }) => `${sessions.length} sessions`,
  badge: ({ sessions }) => `${sessions.length} nights`,
};
const evaluating = (directory: string) => openBaselineBranch({ directory, branch: BRANCH, evaluation });
const at = (minute: number) => ({ started: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString() });

test('a repository without the branch has no history', async () => {
  const { clone } = forge();
  expect(await open(clone()).read('pacegate')).toEqual({ sessions: [], summaries: [], problems: [] });
});

test('appended sessions are read back, oldest first, and the user’s repository stays unchanged', async () => {
  const { bare, clone } = forge();
  const path = clone();
  writeFileSync(join(path, 'app.py'), 'changed');
  const state = () => [
    runGit(path, 'status', '--porcelain'),
    runGit(path, 'for-each-ref'),
    readFileSync(join(path, '.git/index')).toString('hex'),
  ];
  const before = state();
  const [late, early] = [night(2, 1.1, at(2)), night(1, 1, at(1))];
  await open(path).append(late);
  await open(path).append(early);
  expect(state()).toEqual(before);
  const { sessions, problems } = await open(clone()).read('pacegate');
  expect(problems).toEqual([]);
  expect(sessions).toEqual([early, late]);
  // An orphan has no history in common with the code.
  expect(runGit(bare, 'rev-list', '--count', BRANCH)).toBe('2');
  expect(runGit(bare, 'ls-tree', '--name-only', BRANCH).split('\n')).toEqual([
    'README.md',
    'index.json',
    'pacegate',
  ]);
});

test('a folder under the old name is read, and moved once by the configuration that owned it', async () => {
  const { bare, clone } = forge();
  const path = clone();
  const [first, second] = [night(1, 1, at(1)), night(2, 1.1, at(2))];
  await evaluating(path).append(first);
  const renamed = { ...second, configuration: 'services-orders-1a' };
  const adopting = (formerly: string | undefined) =>
    openBaselineBranch({ directory: path, branch: BRANCH, evaluation, formerly });
  // Without the old name the history is empty.
  expect((await adopting(undefined).read('services-orders-1a')).sessions).toEqual([]);
  expect((await adopting('pacegate').read('services-orders-1a')).sessions).toEqual([first]);
  await adopting('pacegate').append(renamed);
  expect((await adopting('pacegate').read('services-orders-1a')).sessions).toEqual([first, renamed]);
  expect(runGit(bare, 'ls-tree', '--name-only', BRANCH).split('\n')).toEqual([
    'README.md',
    'index.json',
    'services-orders-1a',
  ]);
  expect(runGit(bare, 'show', `${BRANCH}:services-orders-1a/noise.json`)).toBe(
    JSON.stringify(['services-orders-1a', [first.id, renamed.id], []]),
  );
  // A folder is adopted once. A later session under the old name belongs to another configuration.
  const other = night(3, 1.2, at(3));
  await evaluating(path).append(other);
  expect((await adopting('pacegate').read('services-orders-1a')).sessions).toEqual([first, renamed]);
  expect((await adopting(undefined).read('pacegate')).sessions).toEqual([other]);
});

test('eight writers at once, three sessions each: nothing is lost', async () => {
  const { bare, clone } = forge();
  const writers = Array.from({ length: 8 }, clone);
  const attempts = await Promise.all(
    writers.map(async (path, writer) => {
      let tries = 0;
      for (const round of [0, 1, 2])
        tries += (await open(path).append(night(10 * writer + round, 1, at(10 * writer + round)))).attempts;
      return tries;
    }),
  );
  const { sessions } = await open(clone()).read('pacegate');
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(24);
  expect(runGit(bare, 'rev-list', '--count', BRANCH)).toBe('24');
  // The writers raced, so some of them had to retry.
  expect(attempts.reduce((a, b) => a + b, 0)).toBeGreaterThan(24);
  const index = JSON.parse(runGit(bare, 'show', `${BRANCH}:index.json`)) as { sessions: string[] };
  expect(index.sessions).toHaveLength(24);
}, 600_000);

test('two configurations keep their histories apart', async () => {
  const path = forge().clone();
  await open(path).append(night(1, 1, { ...at(1), configuration: 'api' }));
  await open(path).append(night(2, 1, at(2)));
  expect((await open(path).read('api')).sessions.map(({ id }) => id)).toEqual(['night-1']);
  expect((await open(path).read('pacegate')).sessions.map(({ id }) => id)).toEqual(['night-2']);
  await expect(open(path).read('../../etc')).rejects.toThrow('cannot be a folder on the baseline branch');
});

test('a file that does not parse is named and left out', async () => {
  const { clone, bare } = forge();
  await open(clone()).append(night(1, 1, at(1)));
  edit(bare, {
    'pacegate/sessions/20200101T0000-bad.json': '{"format": "pacegate-session", "version": 99}',
    'pacegate/sessions/20200101T0001-cut.json': '{"format": ',
  });
  const { sessions, problems } = await open(clone()).read('pacegate');
  expect(sessions).toHaveLength(1);
  expect(problems).toEqual([
    expect.stringContaining('20200101T0000-bad.json on the baseline branch is skipped: found version 99'),
    expect.stringContaining('20200101T0001-cut.json on the baseline branch is skipped'),
  ]);
});

test('sessions beyond the newest become summaries', async () => {
  const { clone, bare } = forge();
  await open(clone()).append(night(0, 2, at(0)));
  // Writes most sessions by hand, as ninety nights would leave them.
  edit(
    bare,
    sessionFiles(RAW_SESSIONS - 1, (i) => sessionText(night(i, 1, at(i)))),
  );
  await open(clone()).append(night(99, 1, { started: '2026-03-01T00:00:00.000Z' }));
  const { sessions } = await open(clone()).read('pacegate');
  expect(sessions).toHaveLength(RAW_SESSIONS);
  const summaries = JSON.parse(runGit(bare, 'show', `${BRANCH}:pacegate/summaries.json`)) as {
    summaries: { id: string; medians: Record<string, Record<string, { median: number; n: number }>> }[];
  };
  // The median of twelve runs of 2 x (1 + i / 1000) is between the sixth and the seventh.
  expect(summaries.summaries).toEqual([
    expect.objectContaining({ id: 'night-0', medians: { a: { wall_time_s: { median: 2.011, n: 12 } } } }),
  ]);
});

test('each commit has a summary of all sessions, for its configuration and with concurrent writers', async () => {
  const { bare, clone } = forge();
  const paths = [clone(), clone(), clone()];
  await open(clone()).append(night(9, 1, { ...at(9), configuration: 'api' }));
  await Promise.all(paths.map((path, index) => evaluating(path).append(night(index, 1, at(index)))));
  expect(JSON.parse(runGit(bare, 'show', `${BRANCH}:pacegate/noise.json`))).toEqual([
    'pacegate',
    ['night-0', 'night-1', 'night-2'],
    [],
  ]);
  expect(runGit(bare, 'show', `${BRANCH}:pacegate/ranking.json`)).toBe('3 sessions');
  expect(runGit(bare, 'show', `${BRANCH}:pacegate/badge.json`)).toBe('3 nights');
}, 600_000);

test('a ranking that cannot be made any more is not kept as if it were today’s', async () => {
  const { bare, clone } = forge();
  await evaluating(clone()).append(night(0, 1, at(0)));
  const files = () => runGit(bare, 'ls-tree', '-r', '--name-only', BRANCH).split('\n');
  expect(files()).toContain('pacegate/ranking.json');
  await openBaselineBranch({
    directory: clone(),
    branch: BRANCH,
    evaluation: { ...evaluation, ranking: () => undefined },
  }).append(night(1, 1, at(1)));
  expect(files()).not.toContain('pacegate/ranking.json');
}, 600_000);

test('sessions of the anchor are in their own folder and are read with the others', async () => {
  const { bare, clone } = forge();
  await open(clone()).append(night(1, 1, { ...at(1), id: 'anchor-1', purpose: 'anchor' }));
  await open(clone()).append(night(0, 1, at(0)));
  expect(runGit(bare, 'ls-tree', '-r', '--name-only', BRANCH)).toMatch(
    /pacegate\/anchors\/20260101T000100-\w+\.json\npacegate\/sessions\/20260101T000000-/,
  );
  const { sessions } = await open(clone()).read('pacegate');
  expect(sessions.map(({ id }) => id)).toEqual(['night-0', 'anchor-1']);
  expect(runGit(bare, 'show', `${BRANCH}:index.json`)).toContain('pacegate/anchors/');
});

test('a squashed night keeps its findings; summaries of an older version are read unchanged', async () => {
  const { bare, clone } = forge();
  await open(clone()).append(night(0, 1, { ...at(0), purpose: 'nightly' }));
  const old = { id: 'old', started: '', commit: '', cpuModel: '', cores: 2, medians: {} };
  edit(bare, {
    ...sessionFiles(RAW_SESSIONS - 1, () => '{}'),
    'pacegate/summaries.json': JSON.stringify({
      format: 'pacegate-summaries',
      version: 1,
      summaries: [old],
    }),
  });
  await evaluating(clone()).append(night(99, 1, { started: '2026-03-01T00:00:00.000Z' }));
  const { summaries } = await open(clone()).read('pacegate');
  expect(summaries.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['old', undefined],
    ['night-0', { regressed: true, improved: false }],
  ]);
}, 600_000);

describe('a branch that cannot be written', () => {
  test.each([
    [
      'error: GH006: Protected branch update failed for refs/heads/pacegate-baseline.',
      'GH006: Protected branch',
    ],
    ['error: GH013: Commits must have verified signatures.', 'GH013: Commits must have verified signatures.'],
  ])(
    'by a rule of the server says its reason, at once and not after many tries: %s',
    async (said, reason) => {
      const { bare, clone } = forge();
      const hook = join(bare, 'hooks/pre-receive');
      writeFileSync(hook, `#!/bin/sh\necho "${said}" >&2\nexit 1\n`);
      chmodSync(hook, 0o755);
      const refused = open(clone()).append(night(1, 1));
      await expect(refused).rejects.toThrow(reason);
      await expect(refused).rejects.toThrow(/A rule of the server refuses it.*\(1 try in/);
      await expect(refused).rejects.not.toThrow('contents: write');
    },
  );

  test('is not invented when the remote does not answer', async () => {
    const { clone } = forge();
    const path = clone();
    runGit(path, 'remote', 'set-url', 'origin', '/nowhere');
    await expect(open(path).read('pacegate')).rejects.toThrow('could not be read from origin');
  });
});

test('without a remote the branch is local, and writers do not overwrite each other', async () => {
  const { path, commit } = repository();
  commit('one');
  await Promise.all([1, 2, 3].map((i) => open(path).append(night(i, 1, at(i)))));
  expect((await open(path).read('pacegate')).sessions).toHaveLength(3);
  expect(runGit(path, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('main');
}, 600_000);

test('the token is passed in the environment, and not if a header is already configured', async () => {
  const { path, git } = repository();
  expect(await tokenEnvironment(path, undefined, 'https://github.com')).toEqual({});
  const given = await tokenEnvironment(path, 'secret', 'https://github.com');
  expect(given['GIT_CONFIG_KEY_0']).toBe('http.https://github.com/.extraheader');
  expect(given['GIT_CONFIG_VALUE_0']).toBe('AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0');
  git('config', 'http.https://github.com/.extraheader', 'AUTHORIZATION: basic x');
  expect(await tokenEnvironment(path, 'secret', 'https://github.com')).toEqual({});
});
