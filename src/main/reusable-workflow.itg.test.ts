import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { startGitHubServer, type GitHubServer } from '../github/server.test-support.ts';
import { withTool } from '../process/engine.test-support.ts';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  temporaryFolder,
} from '../source/repository.test-support.ts';
import { ACT, runAct, shippedAction, TOP, withDownload } from './act.test-support.ts';

/**
 * Runs `.github/workflows/gate.yml` with act, called by `examples/reusable.yml`: the plan, the matrix, the report, and the
 * second runner for a regression. The interpreter is this machine's, so no engine is needed.
 */

jest.setTimeout(600_000);

let github: GitHubServer;
let action: string;
let numbers = 0;
beforeAll(async () => {
  github = await startGitHubServer({ identity: 'job' });
  action = shippedAction();
  mkdirSync(join(action, '.github/workflows'), { recursive: true });
});
afterAll(async () => {
  await github.close();
  removeTemporaryFolders();
});

const host = (flags: string) => `{ interpreter: host, python: python3, flags: [${flags}] }`;
// Without a night a variant is assumed to need 60 s of building and 9 pairs of 5 s, so two do not fit into 3 minutes.
const CONFIGURATION = `version: 1
workload: { files: [bench.py], command: [python, bench.py], repetitions: 1 }
variants: { a: ${host('')}, b: ${host('-B')} }
metrics: { wall_time_s: { limit: 50% }, cpu_time_s: { limit: 50% }, max_rss_bytes: { gate: false } }
rules: { blocks: 8, budget: 3m }
`;
const application = (rounds: number, words = '') =>
  `${words}def work():\n    total = 0\n    for i in range(${rounds}):\n        total += i & 7\n    return total\n`;

/** Makes a pull request and GitHub's merge commit of it, and runs its workflow. */
async function pullRequest(files: Readonly<Record<string, string>>) {
  // Its own for a second attempt, which would edit the comment of the first.
  const number = (numbers += 1);
  const artifacts = temporaryFolder();
  const workflow = readFileSync(join(TOP, '.github/workflows/gate.yml'), 'utf8');
  writeFileSync(join(action, '.github/workflows/gate.yml'), withDownload(workflow, artifacts));
  const [comments, checks] = [github.comments.length, github.checks.length];
  const project = repositoryWithOrigin();
  const { origin } = project;
  project.write('.github/workflows/pacegate.yml', readFileSync(join(TOP, 'examples/reusable.yml'), 'utf8'));
  project.write('.github/pacegate.yml', CONFIGURATION);
  project.write('bench.py', 'from app import work\n\nwork()\n');
  project.write('app.py', application(300_000));
  project.commit('one');
  project.git('checkout', '-q', '-b', 'change');
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  const head = project.commit('change');
  project.git('checkout', '-q', 'main');
  project.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  project.git('push', '-q', 'origin', `HEAD:refs/pull/${number}/merge`);
  const run = await runAct({
    ...{ workflow: 'pacegate', event: 'pull_request', ref: `refs/pull/${number}/merge` },
    payload: {
      pull_request: {
        number,
        base: { ref: 'main', repo: { full_name: 'owner/name' } },
        head: { ref: 'change', sha: head, repo: { full_name: 'owner/name' } },
      },
      repository: {
        ...{ full_name: 'owner/name', name: 'name', owner: { login: 'owner' } },
        default_branch: 'main',
      },
    },
    ...{ origin, artifacts, api: github.url, action },
  });
  return {
    ...run,
    comments: github.comments.slice(comments).map(({ body }) => body),
    checks: github.checks.slice(checks).filter(({ head_sha }) => head_sha === head),
  };
}

const withAct = withTool(ACT);

withAct(
  'a slower head: two jobs measure, and a second runner confirms before anything is posted',
  async () => {
    const { status, log, outputs, comments, checks } = await pullRequest({
      'app.py': application(3_000_000),
    });
    expect(outputs).toMatchObject({
      matrix: '{"include":[{"shard":"1/2","part":"1-of-2"},{"shard":"2/2","part":"2-of-2"}]}',
      configuration: 'pacegate',
      verdict: 'regressed',
    });
    expect(log).toContain('Pacegate measures in 2 jobs');
    // The report leaves the verdict to the job that confirms.
    expect(log).toContain('A second runner measures the regressions again, and its job gives the verdict.');
    expect(log).toContain('Measuring the regressions again: a, b, 8 blocks.');
    expect(log.match(/The comment was/g)).toHaveLength(1);
    expect(log).toMatch(/\/confirm *\].*The comment was created/);
    expect(status).not.toBe(0);
    expect(comments).toHaveLength(1);
    expect(comments[0]).toMatch(/regressed\*\*, confirmed by a second session/);
    expect(checks).toMatchObject([{ name: 'Pacegate verdict', conclusion: 'failure' }]);
    expect(github.violations).toEqual([]);
  },
);

withAct(
  'a head that is as fast: the report gives the verdict, and the second runner is skipped',
  async () => {
    const { status, log, outputs, comments, checks } = await pullRequest({
      'app.py': application(300_000, '# A comment.\n'),
    });
    expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
    expect(outputs['regressions']).toBe('[]');
    expect(log).toMatch(/\/report *\].*The comment was created/);
    expect(log).not.toMatch(/\/confirm *\]/);
    expect(log).not.toContain('Measuring the regressions again');
    expect(comments).toHaveLength(1);
    expect(checks).toMatchObject([{ name: 'Pacegate verdict' }]);
    expect(checks[0]?.conclusion).not.toBe('failure');
    expect(github.violations).toEqual([]);
  },
);

withAct(
  'a wrong configuration on the head: the report writes it as a failed check, and nothing measures',
  async () => {
    const { status, log, checks } = await pullRequest({
      '.github/pacegate.yml': CONFIGURATION.replace('blocks: 8', 'blocks: many'),
    });
    expect(status).not.toBe(0);
    expect(log).not.toContain('Measurement');
    expect(checks).toMatchObject([
      {
        ...{ name: 'Pacegate verdict', conclusion: 'failure' },
        output: { text: expect.stringMatching(/rules\.blocks[^]*many/) },
      },
    ]);
  },
);
