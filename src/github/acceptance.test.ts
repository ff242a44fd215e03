import { describe, expect, jest, test } from '@jest/globals';
import { checkLabel, checkLabelOfRun } from './acceptance.ts';
import { connect } from './client.ts';
import { parseEvent } from './context.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { GitHubServer, ServerOptions } from './server.test-support.ts';

/** Acceptance by label: who may accept, and which commit. */

// The first answer of a kind compiles its part of GitHub's description.
jest.setTimeout(240_000);

const startServer = checkedServers();

const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';

async function checked(author: string, options: ServerOptions = {}) {
  const server = await startServer({
    permissions: { owner: 'admin', octocat: 'write', reader: 'read', nobody: 'none' },
    ...options,
  });
  const octokit = await connect('token', server.url, { limits: { answer: 4, wait: 1, total: 12 } });
  return checkLabel(octokit, { owner: 'owner', repo: 'name', accepting: { author, commit: COMMIT } });
}

describe('the author of the label', () => {
  test.each(['owner', 'octocat'])('%s has write permission, so the commit is accepted', async (author) =>
    expect(await checked(author)).toEqual({ kind: 'accepted', accepting: { author, commit: COMMIT } }),
  );

  test.each(['reader', 'nobody'])('%s has no write permission, so nothing is accepted', async (author) => {
    const result = await checked(author);
    expect(result).toMatchObject({ kind: 'refused' });
    expect(result.kind === 'refused' && result.reason).toMatch(
      /the label accepts nothing: \w+ has the permission "(read|none)" here, but accepting needs "write"\.$/,
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
      /GitHub did not report which permission stranger has \(.+\)\. Let the job's token read the repository/s,
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

describe('the label on a fork, where another job reports', () => {
  const [FORK, BEFORE] = ['stranger/name', 'd'.repeat(40)];
  const at = (seconds: number) =>
    new Date(Date.UTC(2026, 0, 1, 12, 0, seconds)).toISOString().replace('.000', '');
  const put = {
    issue: 7,
    event: 'labeled',
    label: 'pacegate: accepted',
    actor: 'octocat',
    at: at(0),
  } as const;
  const started = {
    ...{ id: 40, workflow: 3, headRepository: FORK, headBranch: 'fork', headSha: COMMIT },
    ...{ actor: 'octocat', at: at(2) },
  };
  const pushed = { ...started, actor: 'stranger' };

  async function judged(
    labellings: GitHubServer['labellings'],
    runs: GitHubServer['runs'],
    { id = 40, ...options }: { readonly id?: number } & ServerOptions = {},
  ) {
    const server = await startServer({ permissions: { octocat: 'write', reader: 'read' }, ...options });
    server.labellings.push(...labellings);
    server.runs.push(...runs);
    const octokit = await connect('token', server.url, { limits: { answer: 100, wait: 1, total: 200 } });
    return await checkLabelOfRun(octokit, {
      ...{ owner: 'owner', repo: 'name', number: 7 },
      run: {
        ...{ id, attempt: 1, event: 'pull_request', workflow: 3 },
        ...{ headSha: COMMIT, headBranch: 'fork', headRepository: FORK },
      },
    });
  }

  test('accepts the commit of the run that it started', async () =>
    expect(await judged([put], [{ ...pushed, id: 39, at: at(-60) }, started])).toEqual({
      kind: 'accepted',
      accepting: { author: 'octocat', commit: COMMIT },
    }));

  test('accepts after it was put again', async () =>
    expect(
      await judged(
        [{ ...put, at: at(-90) }, { ...put, event: 'unlabeled', at: at(-1) }, put],
        [{ ...started, id: 38, headSha: BEFORE, at: at(-88) }, { ...pushed, id: 39, at: at(-60) }, started],
      ),
    ).toMatchObject({ kind: 'accepted' }));

  test.each([
    ['was never put', []],
    ['was removed', [put, { ...put, event: 'unlabeled', at: at(1) } as const]],
    ['is another one', [{ ...put, label: 'bug' }]],
    ['is on another pull request', [{ ...put, issue: 8 }]],
  ])('says nothing where it %s', async (_, labellings) =>
    expect(await judged(labellings, [started])).toBeUndefined(),
  );

  test.each([
    [
      'before a newer push',
      [
        { ...started, headSha: BEFORE },
        { ...pushed, id: 41, at: at(30) },
      ],
      41,
      /it accepts the commit that run 40 measured, and these figures are of run 41 \(c0ffee0123\)/,
    ],
    [
      'before the branch was set back to a commit that had a run already',
      [
        { ...pushed, id: 39, at: at(-60) },
        { ...started, headSha: BEFORE },
        { ...pushed, id: 41, at: at(5) },
      ],
      41,
      /run 40 measured, and these figures are of run 41/,
    ],
    [
      'on a commit whose run was before it',
      [{ ...pushed, at: at(-60) }],
      40,
      /it started no run of the gate/,
    ],
    ['where the workflow does not start on labels', [{ ...pushed, at: at(600) }], 40, /it started no run/],
    ['in the second of another push', [{ ...pushed, at: at(0) }], 40, /accepts the commit that run 40/],
    [
      'where a run of another repository has the same branch',
      [
        { ...started, headRepository: 'else/name' },
        { ...pushed, id: 41, at: at(400) },
      ],
      41,
      /it started no run/,
    ],
  ])('refuses a label put %s', async (_, runs, id, words) => {
    const result = await judged([put], runs, { id });
    expect(result).toEqual({ kind: 'refused', reason: expect.stringMatching(words) });
    expect(result).toMatchObject({ reason: expect.stringContaining('put the label') });
  });

  test.each(['reader', 'unknown'])('refuses a label put by %s, who may not write', async (actor) =>
    expect(await judged([{ ...put, actor }], [{ ...started, actor }])).toMatchObject({ kind: 'refused' }),
  );

  test.each([
    ['events', /^GET .*\/events$/, /did not report whether the label "pacegate: accepted" is on this/],
    ['runs', /^GET .*\/runs$/, /did not report which run it started \(.+\)\. Give the job actions: read/],
  ])('refuses where GitHub does not list the %s', async (_, path, words) =>
    expect(
      await judged([put], [started], {
        fault: (request) => (path.test(request) ? { status: 403, message: 'Forbidden' } : undefined),
      }),
    ).toEqual({ kind: 'refused', reason: expect.stringMatching(words) }),
  );
});
