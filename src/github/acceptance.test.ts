import { afterAll, describe, expect, test } from '@jest/globals';
import { checkLabel } from './acceptance.ts';
import { connect } from './client.ts';
import { parseEvent } from './context.ts';
import { startGitHubServer, type GitHubServer } from './server.test-support.ts';

/** Acceptance by label: who may accept, and which commit. */

const servers: GitHubServer[] = [];
afterAll(async () => {
  for (const server of servers) {
    expect(server.violations).toEqual([]);
    await server.close();
  }
});

const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';

async function checked(author: string, options: Parameters<typeof startGitHubServer>[0] = {}) {
  const server = await startGitHubServer({
    permissions: { owner: 'admin', octocat: 'write', reader: 'read', nobody: 'none' },
    ...options,
  });
  servers.push(server);
  const octokit = await connect('token', server.url, { limits: { answer: 2, wait: 1, total: 5 } });
  return checkLabel(octokit, { owner: 'owner', repo: 'name', accepting: { author, commit: COMMIT } });
}

describe('who put the label', () => {
  test.each(['owner', 'octocat'])('%s has write permission, so the commit is accepted', async (author) =>
    expect(await checked(author)).toEqual({ kind: 'accepted', accepting: { author, commit: COMMIT } }),
  );

  test.each(['reader', 'nobody'])('%s has no write permission, so nothing is accepted', async (author) => {
    const result = await checked(author);
    expect(result).toMatchObject({ kind: 'refused' });
    expect(result.kind === 'refused' && result.reason).toMatch(
      /nothing is accepted by it: \w+ has the permission "(read|none)" here, and it takes "write"\.$/,
    );
  });

  test.each([
    ['is not known to GitHub', {}],
    [
      'is asked for with a token that may not ask',
      { fault: () => ({ status: 403, message: 'Resource not accessible by integration' }) },
    ],
    ['is asked for while GitHub does not answer', { fault: () => 'silent' as const }],
  ])('who %s accepts nothing', async (_, options) => {
    const result = await checked('stranger', options);
    expect(result.kind === 'refused' && result.reason).toMatch(
      /GitHub did not say which permission stranger has \(.+\)\. Let the job's token read the repository/s,
    );
  });
});

describe('the event', () => {
  const parsed = (payload: Readonly<Record<string, unknown>>) =>
    parseEvent(
      { GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: 'pull_request' },
      JSON.stringify({
        pull_request: {
          number: 7,
          base: { ref: 'main', repo: { full_name: 'owner/name' } },
          head: { sha: COMMIT, repo: { full_name: 'owner/name' } },
          labels: [{ name: 'pacegate: accepted' }],
        },
        sender: { login: 'octocat' },
        ...payload,
      }),
    ).accepting;
  const label = { name: 'pacegate: accepted' };

  test('of the label being put names who put it, and the commit', () =>
    expect(parsed({ action: 'labeled', label })).toEqual({ author: 'octocat', commit: COMMIT }));

  test.each([
    ['of another label', { action: 'labeled', label: { name: 'bug' } }],
    ['of the label being removed', { action: 'unlabeled', label }],
    ['of a push to a pull request that has the label from before', { action: 'synchronize' }],
  ])('%s accepts nothing', (_, payload) => expect(parsed(payload)).toBeUndefined());
});
