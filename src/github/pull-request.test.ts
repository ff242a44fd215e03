import { expect, test } from '@jest/globals';
import { connect } from './client.ts';
import { parseEvent } from './context.ts';
import { pullRequestNumbered, pullRequestOf } from './pull-request.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { ServerOptions } from './server.test-support.ts';
import type { StoredPull } from './server-state.test-support.ts';

/** Finds the pull request of a fork's run, because the event names none. */

const startServer = checkedServers();

const HEAD = 'a'.repeat(40);
const PULL: StoredPull = {
  ...{ number: 7, state: 'open', base: 'main' },
  ...{ headRepository: 'stranger/name', headBranch: 'fix', headSha: HEAD },
};

async function start(pulls: readonly Partial<StoredPull>[], options: ServerOptions = {}) {
  const server = await startServer(options);
  server.pulls.push(...pulls.map((pull) => ({ ...PULL, ...pull })));
  return await connect('token', server.url, { limits: { answer: 3, wait: 1, total: 20 } });
}
const REPOSITORY = { owner: 'owner', repo: 'name' };
const RUN = { headSha: HEAD, headBranch: 'fix', headRepository: 'stranger/name' };

test('it is found by repository, branch and commit of the head', async () =>
  expect(await pullRequestOf(await start([{ number: 6, headBranch: 'other' }, {}]), REPOSITORY, RUN)).toEqual(
    {
      kind: 'found',
      pull: { number: 7, baseRef: 'main', headSha: HEAD, fromFork: true },
    },
  ));

test('of Dependabot is not from a fork', async () => {
  const octokit = await start([{ headRepository: 'owner/name', headBranch: 'dependabot/pip/x' }]);
  const run = { ...RUN, headRepository: 'owner/name', headBranch: 'dependabot/pip/x' };
  expect(await pullRequestOf(octokit, REPOSITORY, run)).toMatchObject({ pull: { fromFork: false } });
});

test.each<[string, readonly Partial<StoredPull>[], string]>([
  ['that is closed', [{ state: 'closed' }], 'no pull request of stranger/name:fix is open'],
  [
    'that has a newer commit',
    [{ headSha: 'b'.repeat(40) }],
    'pull request 7 has a newer commit than aaaaaaaaaa',
  ],
  [
    'of another repository of the same owner',
    [{ headRepository: 'stranger/other' }],
    'no pull request of stranger/name:fix is open',
  ],
  ['that is not there', [], 'no pull request of stranger/name:fix is open'],
])('one %s is not posted to, and nothing fails', async (_, pulls, reason) =>
  expect(await pullRequestOf(await start(pulls), REPOSITORY, RUN)).toEqual({ kind: 'none', reason }),
);

test('two into different bases are not guessed', async () => {
  const octokit = await start([{}, { number: 8, base: 'release' }]);
  await expect(pullRequestOf(octokit, REPOSITORY, RUN)).rejects.toThrow(
    'The pull requests 7 (into main), 8 (into release) have the same head aaaaaaaaaa',
  );
});

test('it is found by its number, where it is open', async () => {
  const octokit = await start([{}, { number: 8, state: 'closed' }]);
  expect(await pullRequestNumbered(octokit, REPOSITORY, 7)).toMatchObject({
    pull: { number: 7, baseRef: 'main' },
  });
  expect(await pullRequestNumbered(octokit, REPOSITORY, 8)).toEqual({
    kind: 'none',
    reason: 'pull request 8 is closed',
  });
  await expect(pullRequestNumbered(octokit, REPOSITORY, 9)).rejects.toThrow(
    /could not be looked up: GitHub does not show the pull requests of owner\/name/,
  );
});

test('the event of the run that ended is read, and its commit is digits', () => {
  const environment = { GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: 'workflow_run' };
  const event = (head_sha: string) =>
    JSON.stringify({
      workflow_run: {
        ...{ id: 5, run_attempt: 2, event: 'pull_request', head_sha, head_branch: 'fix' },
        ...{ head_repository: { full_name: 'stranger/name' }, pull_requests: [] },
      },
    });
  expect(parseEvent(environment, event(HEAD)).triggeredBy).toEqual({
    ...{ id: 5, attempt: 2, event: 'pull_request', headSha: HEAD, headBranch: 'fix' },
    headRepository: 'stranger/name',
  });
  expect(() => parseEvent(environment, event('--upload-pack=x'))).toThrow('workflow_run.head_sha');
});
