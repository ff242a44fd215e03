import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkLabelOfRun } from './acceptance.ts';
import { upsertCheck } from './check.ts';
import { connect, type Octokit } from './client.ts';
import { upsertComment } from './comment.ts';
import { writeCommitStatus } from './commit-status.ts';
import { upsertNightIssue } from './night-issue.ts';
import { pullRequestNumbered } from './pull-request.ts';
import { sessionTexts } from './run-artifact.ts';
import { startGitHubServer, type GitHubServer } from './server.test-support.ts';

/** Each thing that is asked of GitHub, and each refusal: it is a result or a message with the status, asked for once. */

jest.setTimeout(120_000);

let server: GitHubServer;
let fault = { status: 403, message: '' };
let octokit: Octokit;
beforeAll(async () => {
  server = await startGitHubServer({ fault: () => fault });
  octokit = await connect('token', server.url, { limits: { answer: 30, wait: 1, total: 100 } });
});
afterAll(async () => await server.close());

const here = { owner: 'owner', repo: 'name' };
const run = { id: 'pacegate-run:41.1:s', line: '<!-- pacegate-run:41.1:s -->' };
const check = {
  ...{ ...here, commit: 'a'.repeat(40), name: 'Pacegate verdict', run, conclusion: 'success' as const },
  output: { title: 't', summary: 's', text: 'x', annotations: [] },
};
const triggering = {
  ...{ id: 40, attempt: 1, event: 'pull_request', headSha: 'a'.repeat(40), headBranch: 'b', workflow: 3 },
  headRepository: 'stranger/name',
};
const PATHS: Readonly<Record<string, () => Promise<unknown>>> = {
  comment: () => upsertComment(octokit, { ...here, number: 7, marker: '<!-- m -->', body: '<!-- m -->' }),
  check: () => upsertCheck(octokit, check),
  'commit status': () => writeCommitStatus(octokit, check),
  issue: () =>
    upsertNightIssue(octokit, {
      ...{ ...here, configuration: 'x', title: 't', body: 'b', concerns: ['c'], news: () => 'n', run },
    }),
  label: () => checkLabelOfRun(octokit, { ...here, number: 7, run: triggering }),
  'pull request': () => pullRequestNumbered(octokit, here, 7),
  artifacts: () => sessionTexts(octokit, { ...here, run: 40, name: 'pacegate-x' }),
};
const REFUSALS = [
  [401, 'Bad credentials'],
  [403, 'Resource not accessible by integration'],
  [404, 'Not Found'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [422, 'Validation Failed'],
  [429, 'Too many requests'],
] as const;

test.each(Object.keys(PATHS).flatMap((path) => REFUSALS.map((refusal) => [path, ...refusal] as const)))(
  '%s: %i %s is explained',
  async (path, status, message) => {
    fault = { status, message };
    const asked = server.requests.length;
    const result = await PATHS[path]?.().catch((error: unknown) => ({
      kind: 'refused',
      reason: error instanceof Error ? error.message : '',
    }));
    expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining(message) });
    expect(server.requests.length - asked).toBe(1);
  },
);
