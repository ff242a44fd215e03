import { afterAll, describe, expect, test } from '@jest/globals';
import {
  removeTemporaryFolders,
  repository,
  runGit,
  shallowClone,
  temporaryFolder,
  type TestRepository,
} from './repository.test-support.ts';
import { resolveSides } from './sides.ts';
import { matches, standingOf, upstreamOf, type TrustRequest } from './trust.ts';

/** Trust, tested with a real git server. The commit decides, and not the event. */

afterAll(removeTemporaryFolders);

/** main with 70 commits, a release branch, and a change that branched off main long ago. */
function origin(): TestRepository & Readonly<Record<'old' | 'tip' | 'release' | 'left' | 'change', string>> {
  const repo = repository();
  repo.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  repo.write('app.py', 'one\n');
  const left = repo.commit('one');
  const old = repo.commit('two');
  for (let at = 0; at < 68; at++) repo.commit(`${at}`);
  const tip = repo.git('rev-parse', 'HEAD');
  repo.git('checkout', '-q', '-b', 'release/1.0', old);
  const release = repo.commit('a fix of the release');
  repo.git('checkout', '-q', '-b', 'somebody', left);
  repo.commit('a change');
  const change = repo.commit('more of it');
  repo.git('checkout', '-q', 'main');
  return { ...repo, old, tip, release, left, change };
}
const server = origin();

const standing = async (directory: string, request: Partial<TrustRequest> = {}) =>
  await standingOf({
    directory,
    event: 'workflow_dispatch',
    listed: () => Promise.resolve([]),
    ...request,
  });

describe.each(['push', 'workflow_run', 'issue_comment', 'workflow_dispatch', 'schedule'])('%s', (event) => {
  test.each(['tip', 'old'] as const)('of a commit on the default branch is trusted: %s', async (which) => {
    const checkout = shallowClone(server.path, server[which]);
    expect(await standing(checkout.path, { event, defaultBranch: 'main' })).toEqual({
      kind: 'trusted',
      branch: 'main',
    });
  });

  test("of a pull request's checkout is a change, and starts where it left the default branch", async () => {
    const checkout = shallowClone(server.path, server.change);
    const found = await standing(checkout.path, { event });
    expect(found).toEqual({
      kind: 'change',
      branch: 'main',
      reason: `${server.change.slice(0, 10)} is not on the default branch main`,
    });
    const { baseline } = await resolveSides({
      directory: checkout.path,
      event,
      before: server.change,
      change: true,
      baseRef: 'main',
    });
    expect(baseline).toMatchObject({ commit: server.left });
  });
});

test('a pull request, and a merge group, are changes whatever is checked out; a terminal is the user’s own', async () => {
  const checkout = shallowClone(server.path, 'main');
  for (const event of ['pull_request', 'pull_request_review', 'merge_group'])
    expect(await standing(checkout.path, { event })).toEqual({ kind: 'change' });
  expect(await standing(checkout.path, { event: 'terminal' })).toEqual({ kind: 'own' });
});

test('a branch is trusted that the configuration of the default branch lists, asked at its tip', async () => {
  const checkout = shallowClone(server.path, 'release/1.0');
  const asked: string[] = [];
  const listed = (patterns: readonly string[]) => (tip: string) => {
    asked.push(tip);
    return Promise.resolve(patterns);
  };
  expect(await standing(checkout.path, { listed: listed(['hotfix/**', 'release/*']) })).toEqual({
    kind: 'trusted',
    branch: 'release/1.0',
  });
  expect(asked).toEqual([server.tip]);
  expect(await standing(checkout.path, { listed: listed(['hotfix/**']) })).toMatchObject({
    kind: 'change',
    reason: `${server.release.slice(0, 10)} is not on the default branch main, nor on a branch of trust.branches (hotfix/**: none exists)`,
  });
});

test('if the server does not answer, no commit is trusted, and the reason is reported', async () => {
  const checkout = shallowClone(server.path, 'main');
  checkout.git('remote', 'set-url', 'origin', temporaryFolder());
  expect(await standing(checkout.path)).toEqual({
    kind: 'change',
    reason: expect.stringMatching(/^the default branch could not be determined \(.*not appear to be a git/),
  });
  for (const [branch, why] of [
    ['main', 'does not appear to be a git repository'],
    ['--upload-pack=x', "couldn't find remote ref|does not appear"],
    ['a..b', 'is not the name of a branch'],
  ] as const)
    expect(await standing(checkout.path, { defaultBranch: branch })).toMatchObject({
      kind: 'change',
      reason: expect.stringMatching(new RegExp(`could not be determined \\(.*${why}`)),
    });
});

test("a fork's checkout is not judged by the fork's own main branch", async () => {
  const fork = temporaryFolder();
  runGit(fork, 'clone', '-q', '--bare', `file://${server.path}`, '.');
  runGit(fork, 'update-ref', 'refs/heads/main', server.change);
  const checkout = shallowClone(fork, server.change);
  expect(await standing(checkout.path, { remote: `file://${server.path}` })).toMatchObject({
    kind: 'change',
    branch: 'main',
  });
  // Without the repository's address the fork's commit would be trusted.
  expect(await standing(checkout.path)).toMatchObject({ kind: 'trusted' });
});

test.each([
  ['https://github.com/owner/name', 'origin'],
  ['https://github.com/Owner/Name.git/', 'origin'],
  ['git@github.com:owner/name.git', 'origin'],
  ['ssh://git@github.com:22/owner/name', 'origin'],
  ['file:///srv/mirror/name.git', 'origin'],
  ['/srv/mirror', 'origin'],
  ['https://github.com/stranger/name', 'https://github.com/owner/name.git'],
  ['https://example.org/owner/name', 'https://github.com/owner/name.git'],
  ['https://github.com.example.org/owner/name', 'https://github.com/owner/name.git'],
  ['https://example.org/github.com/owner/name', 'https://github.com/owner/name.git'],
  ['https://github.com/x/owner/name', 'https://github.com/owner/name.git'],
])("the job's repository with the origin %s is fetched from %s", async (address, expected) => {
  const { path, git } = repository();
  git('remote', 'add', 'origin', address);
  expect(await upstreamOf(path, { name: 'owner/name', serverUrl: 'https://github.com' })).toBe(expected);
});

test('patterns are those of GitHub’s branch filters', () => {
  expect(matches('release/*', 'release/1.0')).toBe(true);
  expect(matches('release/*', 'release/1.0/x')).toBe(false);
  expect(matches('release/**', 'release/1.0/x')).toBe(true);
  expect(matches('release/1.0', 'release/1x0')).toBe(false);
  expect(matches('v*', 'somebody/v1')).toBe(false);
});

test('a pattern with many stars takes no longer than one with a single star', () => {
  const branch = 'a'.repeat(240);
  expect(matches(`${'**a'.repeat(40)}b`, branch)).toBe(false);
  expect(matches(`${'**a'.repeat(40)}**`, branch)).toBe(true);
  expect(matches(`${'*a'.repeat(40)}*/x`, `${branch}/x`)).toBe(true);
  expect(matches('*', 'a/b')).toBe(false);
  expect(matches('a.c', 'abc')).toBe(false);
});
