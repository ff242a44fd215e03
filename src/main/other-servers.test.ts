import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { uploadArtifact } from '../github/artifact.ts';
import { connect } from '../github/client.ts';
import { writeCommitStatus } from '../github/commit-status.ts';
import { parseEvent } from '../github/context.ts';
import { runMark } from '../github/run-mark.ts';
import { checkedServers } from '../github/checked-servers.test-support.ts';
import type { ServerOptions } from '../github/server.test-support.ts';
import { checkName } from '../report/check.ts';
import { postCheck, postComment, targetOf } from './delivery.ts';

/** GitHub Enterprise Server, Forgejo and Gitea: as far as their documentation goes. Nobody has seen this on a real one. */

jest.setTimeout(60_000);

const startServer = checkedServers();
const HEAD = 'a'.repeat(40);
const environment = { ...process.env };
let log = '';
afterEach(() => {
  process.env = { ...environment };
  jest.restoreAllMocks();
});

type Kind = NonNullable<ServerOptions['kind']>;

/** Posts the comment and the check of several runs, in their order. */
async function posted(
  kind: Kind,
  runs: readonly (readonly [run: string, conclusion: 'success' | 'failure' | 'neutral'])[],
) {
  const server = await startServer({ kind });
  log = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log += String(text);
    return true;
  });
  const results = [];
  for (const [id, conclusion] of runs) {
    const runner = {
      ...{ GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: 'pull_request', GITHUB_API_URL: server.url },
      ...{ GITHUB_SERVER_URL: 'https://git.example.com', GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: '1' },
    };
    const event = parseEvent(runner, JSON.stringify(PAYLOAD));
    const inputs = { comment: 'true', check: true, githubToken: 'token' } as const;
    const run = runMark(runner, 'session');
    const { signal } = new AbortController();
    const body = ['<!-- pacegate:x -->', run?.line, conclusion].join('\n');
    const marks = { marker: '<!-- pacegate:x -->', run, shared: false };
    const comment = await postComment(inputs, targetOf(event), { ...marks, body, news: true }, signal);
    const output = { title: `the verdict of run ${id}`, summary: 's', text: 't', annotations: [] };
    const written = { name: checkName('x'), run, conclusion, output, detailsUrl: event.runUrl };
    results.push({ comment, check: await postCheck(inputs, targetOf(event), written, signal) });
  }
  return { server, results };
}
const PAYLOAD = {
  pull_request: {
    number: 7,
    base: { ref: 'main', repo: { full_name: 'owner/name' } },
    head: { sha: HEAD, repo: { full_name: 'owner/name' } },
  },
};

describe('GitHub Enterprise Server', () => {
  test('has one comment and one check, by the API of GITHUB_API_URL', async () => {
    const { server } = await posted('ghes', [
      ['41', 'failure'],
      ['42', 'success'],
    ]);
    expect(server.comments).toHaveLength(1);
    expect(server.comments[0]?.body).toContain('success');
    expect(new Set(server.checks.map(({ conclusion }) => conclusion))).toEqual(new Set(['success']));
  });

  test('does not accept the artifacts of this version, and the message names the alternative', async () => {
    process.env['GITHUB_SERVER_URL'] = 'https://git.example.com';
    // The real client, which refuses before it asks anybody.
    expect(await uploadArtifact({ name: 'a', files: [], folder: '/' })).toEqual({
      kind: 'unsupported',
      reason: expect.stringMatching(/on github\.com only\. Set .*artifact-name: none and out: pacegate-out/),
    });
  });
});

describe('Forgejo and Gitea', () => {
  test('have one comment, and the status of the commit in place of the check', async () => {
    const { server, results } = await posted('forgejo', [
      ['41', 'failure'],
      ['42', 'neutral'],
    ]);
    expect(server.comments).toMatchObject([
      { login: 'forgejo-actions', body: expect.stringContaining('neutral') },
    ]);
    expect(server.checks).toEqual([]);
    expect(server.statuses).toEqual([
      {
        ...{
          sha: HEAD,
          context: 'Pacegate verdict: x',
          state: 'failure',
          description: 'the verdict of run 41',
        },
        target_url: 'https://git.example.com/owner/name/actions/runs/41#pacegate-run:41.1:session',
      },
      expect.objectContaining({ state: 'success', description: 'the verdict of run 42' }),
    ]);
    expect(results[1]?.check).toEqual({
      url: 'https://git.example.com/owner/name/actions/runs/42#pacegate-run:42.1:session',
      remarks: [],
    });
  });

  test('keep the status of a newer run', async () => {
    const { server } = await posted('forgejo', [
      ['42', 'failure'],
      ['41', 'success'],
    ]);
    expect(server.statuses.map(({ state }) => state)).toEqual(['failure']);
    expect(log).toContain('The check was not changed: a newer run wrote it');
  });

  test('a second job of one run does not hide the first one’s status', async () => {
    const server = await startServer({ kind: 'forgejo' });
    const octokit = await connect('token', server.url);
    const write = async (session: string, shared = false) =>
      await writeCommitStatus(octokit, {
        ...{ owner: 'owner', repo: 'name', commit: HEAD, name: 'Pacegate verdict', shared },
        ...{ conclusion: 'failure', detailsUrl: 'https://git.example.com/run' },
        run: runMark({ GITHUB_RUN_ID: '41' }, session),
        output: { title: 'x'.repeat(200), summary: '', text: '', annotations: [] },
      });
    expect(await write('one')).toMatchObject({ kind: 'created' });
    expect(await write('two')).toEqual({ kind: 'twice' });
    expect(await write('confirming', true)).toMatchObject({ kind: 'updated' });
    expect(server.statuses.map(({ description }) => description.length)).toEqual([140, 140]);
  });

  test('check out the head, so no commit is taken for a merge that the server made', () => {
    const runner = { GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: 'pull_request' };
    const parsed = (sha: string) =>
      parseEvent({ ...runner, GITHUB_SHA: sha }, JSON.stringify(PAYLOAD)).mergeSha;
    expect(parsed(HEAD)).toBeUndefined();
    expect(parsed('b'.repeat(40))).toBe('b'.repeat(40));
  });
});
