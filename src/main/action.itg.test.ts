import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { comparisonJson } from '../verdict/comparison-json.ts';
import { markerOf } from '../report/markdown.ts';
import { startGitHubServer, type GitHubServer } from '../github/server.test-support.ts';
import { drawn } from '../session/session.test-support.ts';
import { parseSession } from '../session/read.ts';
import { sessionFileText } from '../session/write.ts';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  runGit,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { withEngine, withTool } from '../process/engine.test-support.ts';
import { ACT, runAct, shippedAction, TOP, withDownload, type WorkflowRun } from './act.test-support.ts';
import { comparedFiles } from './compose.ts';
import { compareFiles } from '../pipeline/compare-files.ts';

/**
 * Runs the action from the built dist/ with act and act's own artifact server. The workflows are those of examples/,
 * which the README shows. GitHub's API is the local server that checks each request.
 */

jest.setTimeout(600_000);

const BRANCH = 'pacegate-baseline';

const CONFIGURATION = `version: 1
workload: { files: [bench.py], command: [python, bench.py] }
variants:
  official: { interpreter: official, python: "3.13" }
metrics: { max_rss_bytes: { gate: false } }
rules: { blocks: 10 }
`;
const application = (rounds: number) =>
  `def work():\n    total = 0\n    for i in range(${rounds}):\n        total += i & 7\n    return total\n`;

let github: GitHubServer;
let bare: string;
let project: TestRepository;
let action: string;
let artifacts: string;

beforeAll(async () => {
  github = await startGitHubServer({ identity: 'job', permissions: { maintainer: 'write' } });
  artifacts = temporaryFolder();
  action = shippedAction();
  const made = repositoryWithOrigin();
  [project, bare] = [made, made.origin];
  project.write('.github/workflows/gate.yml', readFileSync(join(TOP, 'examples/gate.yml'), 'utf8'));
  project.write('.github/workflows/baseline.yml', readFileSync(join(TOP, 'examples/baseline.yml'), 'utf8'));
  project.write('.github/pacegate.yml', CONFIGURATION);
  project.write('bench.py', 'from app import work\n\nwork()\n');
  project.write('app.py', application(1_500_000));
  project.commit('one');
  project.git('push', '-q', 'origin', 'main');
});
afterAll(async () => {
  await github.close();
  removeTemporaryFolders();
});

/** Runs one of the example workflows on a checkout as GitHub makes it. */
const runWorkflow = async (
  workflow: 'gate' | 'baseline' | 'shards' | 'confirm' | 'report',
  event: string,
  ref: string,
  payload: unknown,
  from: { readonly origin: string; readonly artifacts: string } = { origin: bare, artifacts },
): Promise<WorkflowRun> => await runAct({ workflow, event, ref, payload, ...from, api: github.url, action });

const pullRequest = {
  pull_request: {
    number: 7,
    base: { ref: 'main', repo: { full_name: 'owner/name' } },
    head: { ref: 'change', repo: { full_name: 'owner/name' } },
  },
  repository: { full_name: 'owner/name', name: 'name', owner: { login: 'owner' }, default_branch: 'main' },
};

/**
 * Commits to the pull request's branch and makes GitHub's merge commit.
 * @returns the base as merged
 */
function pushChange(rounds: number): string {
  project.git('checkout', '-q', '-B', 'change', 'main');
  project.write('app.py', application(rounds));
  project.commit(`rounds ${rounds}`);
  project.git('checkout', '-q', '--detach', 'main');
  project.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  project.git('push', '-q', '-f', 'origin', 'HEAD:refs/pull/7/merge');
  project.git('checkout', '-q', 'main');
  return project.git('rev-parse', 'main');
}

const storedSessions = () =>
  runGit(bare, 'ls-tree', '-r', '--name-only', BRANCH)
    .split('\n')
    .filter((path) => path.startsWith('pacegate/sessions/'));

/** The files of the newest artifact. */
function downloadArtifact(name: string): string {
  const folder = temporaryFolder();
  const found = readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(`${name}.zip`),
  );
  expect(found).toHaveLength(1);
  execFileSync('python3', ['-m', 'zipfile', '-e', join(artifacts, found[0] ?? ''), folder]);
  return folder;
}

withEngine(
  'three nights are three sessions on the branch, each with digests, facts and raw runs',
  async () => {
    for (let night = 1; night <= 3; night += 1) {
      const job = await runWorkflow('baseline', 'workflow_dispatch', 'main', {
        repository: pullRequest.repository,
      });
      expect({ status: job.status, log: job.status === 0 ? '' : job.log }).toEqual({ status: 0, log: '' });
      expect(job.log).toContain(`Stored on the branch ${BRANCH}`);
      expect(storedSessions()).toHaveLength(night);
    }
    const session = parseSession(
      runGit(bare, 'cat-file', 'blob', `${BRANCH}:${storedSessions()[0] ?? ''}`),
      'stored',
    );
    expect(session).toMatchObject({
      purpose: 'nightly',
      sides: ['baseline', 'head'],
      source: { event: 'workflow_dispatch', baseline: { commit: project.git('rev-parse', 'main') } },
    });
    expect(session.images[0]).toMatchObject({
      facts: { implementation: 'CPython' },
      id: expect.stringMatching(/^sha256:/),
    });
    // The head's application is in its own layer, on the same interpreter.
    const [baseline, head] = session.images;
    expect(head?.identity).not.toBe(baseline?.identity);
    expect(head?.layers.slice(0, 3)).toEqual(baseline?.layers.slice(0, 3));
    expect(session.runs).toHaveLength(20);
    expect(JSON.parse(runGit(bare, 'show', `${BRANCH}:pacegate/noise.json`))).toMatchObject({
      alarms: { nights: 3 },
      noise: [{ variant: 'official', nights: 3 }, { nights: 3 }],
    });
  },
);

withEngine(
  'a pull request is commented on once, its base as merged being the baseline; a push edits the comment',
  async () => {
    // The base moves on while the pull request is open, so the merge's first parent is the newer base.
    project.write('README.md', 'words\n');
    project.commit('docs');
    project.git('push', '-q', 'origin', 'main');
    const base = pushChange(3_000_000);
    const first = await runWorkflow('gate', 'pull_request', 'refs/pull/7/merge', pullRequest);
    expect(first.log).toContain('The comment was created');
    expect(first.outputs).toMatchObject({
      verdict: 'regressed',
      'comment-url': expect.stringContaining('http'),
      'artifact-id': expect.stringMatching(/^\d+$/),
    });
    expect(first.status).not.toBe(0);
    const rows = JSON.parse(first.outputs['regressions'] ?? '') as { metric: string }[];
    expect(rows.map(({ metric }) => metric).sort()).toEqual(['cpu_time_s', 'wall_time_s']);
    expect(first.log).toMatch(/::error title=Pacegate%3A official regressed::official: (wall|CPU) time \+/);
    expect(github.comments).toHaveLength(1);
    const [created] = github.comments;
    expect(created?.body).toMatch(
      new RegExp(
        `^${markerOf('pacegate')}\n\n### 🔴 Pacegate: \`official\` regressed: wall time \\+.*, CPU time \\+`,
      ),
    );
    expect(created?.body).toContain('Stored nights');
    expect(created?.body).toContain(base.slice(0, 10));

    const folder = downloadArtifact('pacegate-pacegate');
    expect(readdirSync(folder).sort()).toEqual([
      'comparison.json',
      'openmetrics.txt',
      'profiles',
      'report.md',
      'runs.jsonl',
      'session.json',
      'timeline.jsonl',
      'timings.csv',
    ]);
    expect(readdirSync(join(folder, 'profiles')).sort()).toEqual([
      'official-baseline-cpu.callgrind',
      'official-baseline-cpu.speedscope.json',
      'official-head-cpu.callgrind',
      'official-head-cpu.speedscope.json',
    ]);
    expect(created?.body).toMatch(/\*\*Why\*\* `official` regressed: `work` \(app\.py:1\)/);
    const file = join(folder, 'session.json');
    const session = parseSession(readFileSync(file, 'utf8'), file);
    expect(session.source.baseline?.commit).toBe(base);
    expect(session.nights).toHaveLength(3);
    const { comparison } = await compareFiles(
      { files: [file], baseline: [], head: [], sameMachine: false, rules: undefined },
      comparedFiles,
    );
    expect(comparison.verdict).toBe(first.outputs['verdict']);
    expect(comparisonJson(comparison)).toEqual(
      JSON.parse(readFileSync(join(folder, 'comparison.json'), 'utf8')),
    );

    pushChange(4_500_000);
    const second = await runWorkflow('gate', 'pull_request', 'refs/pull/7/merge', pullRequest);
    expect(second.log).toContain('The comment was updated');
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.id).toBe(created?.id);
    expect(github.violations).toEqual([]);
  },
);

withEngine("a maintainer's label accepts the commit that regressed, in the same comment", async () => {
  pushChange(3_000_000);
  const labelled = {
    ...pullRequest,
    action: 'labeled',
    label: { name: 'pacegate: accepted' },
    sender: { login: 'maintainer' },
    pull_request: {
      ...pullRequest.pull_request,
      head: { ...pullRequest.pull_request.head, sha: project.git('rev-parse', 'change') },
    },
  };
  const job = await runWorkflow('gate', 'pull_request', 'refs/pull/7/merge', labelled);
  expect({ status: job.status, log: job.status === 0 ? '' : job.log }).toEqual({ status: 0, log: '' });
  expect(job.outputs).toMatchObject({ verdict: 'accepted' });
  expect(github.comments).toHaveLength(1);
  expect(github.comments[0]?.body).toMatch(
    /### 🔵 Pacegate: `official` regressed: .*, and that was accepted\n/,
  );
  expect(github.comments[0]?.body).toMatch(/maintainer accepts [0-9a-f]{10} as it is, by the label/);
  expect(github.checks.at(-1)).toMatchObject({
    head_sha: project.git('rev-parse', 'change'),
    name: 'Pacegate verdict',
    conclusion: 'success',
    output: { title: expect.stringMatching(/ regressed: .*, and that was accepted$/) },
  });
  expect(github.violations).toEqual([]);
});

withEngine(
  'a token that may not comment leaves summary, artifact and verdict; a change of words is seconds and no runs',
  async () => {
    project.git('checkout', '-q', '-B', 'change', 'main');
    project.write('docs/more.md', 'more words\n');
    project.commit('words');
    project.git('checkout', '-q', '--detach', 'main');
    project.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
    project.git('push', '-q', '-f', 'origin', 'HEAD:refs/pull/7/merge');
    project.git('checkout', '-q', 'main');
    const readOnly = await startGitHubServer({ identity: 'job', readOnly: true });
    const writable = github;
    github = readOnly;
    try {
      const job = await runWorkflow('gate', 'pull_request', 'refs/pull/7/merge', {
        ...pullRequest,
        pull_request: {
          ...pullRequest.pull_request,
          head: { ref: 'change', repo: { full_name: 'stranger/name' } },
        },
      });
      expect({ status: job.status, log: job.status === 0 ? '' : job.log }).toEqual({ status: 0, log: '' });
      expect(job.outputs).toMatchObject({
        verdict: 'unchanged',
        'comment-url': '',
        'artifact-id': expect.stringMatching(/^\d+$/),
      });
      expect(job.log).toContain('No comment was written: the token may not comment');
      expect(job.log).toMatch(/Summary - [^]*identical images, so nothing was measured/);
      expect(readOnly.comments).toEqual([]);
    } finally {
      github = writable;
      await readOnly.close();
    }
  },
);

/** act needs no engine if the jobs run on this machine. */
const withAct = withTool(ACT);

withAct(
  'three jobs measure a share each and one has the verdict; a second runner confirms before a regression blocks',
  async () => {
    const shared = repositoryWithOrigin();
    const { origin } = shared;
    const kept = { shards: temporaryFolder(), confirm: temporaryFolder() };
    for (const name of ['shards', 'confirm'] as const)
      shared.write(
        `.github/workflows/${name}.yml`,
        withDownload(readFileSync(join(TOP, `examples/${name}.yml`), 'utf8'), kept[name]),
      );
    const host = (flags: string) => `{ interpreter: host, python: python3, flags: [${flags}] }`;
    shared.write(
      '.github/pacegate.yml',
      `version: 1
workload: { files: [bench.py], command: [python, bench.py], repetitions: 1 }
variants: { a: ${host('')}, b: ${host('-B')}, c: ${host('-O')} }
metrics: { max_rss_bytes: { gate: false } }
rules: { blocks: 8 }
`,
    );
    shared.write('bench.py', 'from app import work\n\nwork()\n');
    shared.write('app.py', application(300_000));
    shared.commit('one');
    shared.git('checkout', '-q', '-b', 'change');
    shared.write('app.py', application(3_000_000));
    shared.commit('slower');
    shared.git('checkout', '-q', 'main');
    shared.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
    shared.git('push', '-q', 'origin', 'HEAD:refs/pull/8/merge');
    const payload = { ...pullRequest, pull_request: { ...pullRequest.pull_request, number: 8 } };
    const before = github.comments.length;

    const shards = await runWorkflow('shards', 'pull_request', 'refs/pull/8/merge', payload, {
      origin,
      artifacts: kept.shards,
    });
    expect(shards.log).toContain('The comment was created');
    expect(shards.status).not.toBe(0);
    expect(shards.outputs).toMatchObject({ verdict: 'regressed' });
    expect(JSON.parse(shards.outputs['regressions'] ?? '')).toHaveLength(6);
    // The measuring jobs post nothing and do not fail.
    expect(shards.log.match(/The comment was/g)).toHaveLength(1);
    expect(shards.log).not.toMatch(/measure-\d.*Job failed/);
    const comment = github.comments.at(-1)?.body ?? '';
    for (const index of [1, 2, 3]) expect(comment).toContain(`shard ${index} of 3, session`);

    const confirm = await runWorkflow('confirm', 'pull_request', 'refs/pull/8/merge', payload, {
      origin,
      artifacts: kept.confirm,
    });
    expect(confirm.log).toContain('Measuring the regressions again: a, b, c, 8 blocks.');
    expect(confirm.log).toContain('The comment was updated');
    expect(confirm.status).not.toBe(0);
    expect(github.comments).toHaveLength(before + 1);
    expect(github.comments.at(-1)?.body).toMatch(
      /regressed\*\*, confirmed by a second session on the same kind of machine: \+\d+/,
    );
    expect(github.violations).toEqual([]);
  },
);

withAct(
  "a fork's verdict is posted by the workflow that runs afterwards, from the default branch",
  async () => {
    const own = repositoryWithOrigin();
    const { origin } = own;
    own.write('.github/workflows/report.yml', readFileSync(join(TOP, 'examples/report.yml'), 'utf8'));
    own.write(
      '.github/pacegate.yml',
      `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
metrics: { wall_time_s: { limit: 3% }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
`,
    );
    const base = own.commit('one');
    own.git('checkout', '-q', '-b', 'fork');
    own.write('app.py', 'slow = True\n');
    const head = own.commit('slower');
    own.git('checkout', '-q', '--detach', 'main');
    own.git('merge', '-q', '--no-ff', '-m', 'merge', 'fork');
    const merge = own.git('rev-parse', 'HEAD');
    own.git('push', '-q', 'origin', 'main', 'HEAD:refs/pull/9/merge', 'fork:refs/pull/9/head');

    const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'session.json'),
      sessionFileText({
        ...measured,
        configuration: 'pacegate',
        source: {
          ...measured.source,
          baseline: { commit: base, dirty: false },
          head: { commit: merge, dirty: false },
        },
      }),
    );
    execFileSync('python3', ['-m', 'zipfile', '-c', 'a.zip', 'session.json'], { cwd: folder });
    github.artifacts.push({
      ...{ id: 9, run: 90, name: 'pacegate-pacegate' },
      archive: readFileSync(join(folder, 'a.zip')),
    });
    github.pulls.push({
      ...{ number: 9, state: 'open', base: 'main', headRepository: 'stranger/name' },
      ...{ headBranch: 'fork', headSha: head },
    });

    const job = await runWorkflow(
      'report',
      'workflow_run',
      'main',
      {
        repository: pullRequest.repository,
        workflow_run: {
          ...{
            id: 90,
            run_attempt: 1,
            event: 'pull_request',
            conclusion: 'failure',
            actor: { login: 'stranger' },
          },
          ...{ head_sha: head, head_branch: 'fork', head_repository: { full_name: 'stranger/name' } },
        },
      },
      { origin, artifacts: temporaryFolder() },
    );
    expect({ status: job.status, log: job.status === 0 ? '' : job.log }).toEqual({ status: 0, log: '' });
    expect(job.outputs).toMatchObject({ verdict: 'regressed' });
    const comment = github.comments.find(({ issue }) => issue === 9);
    expect(comment?.body).toContain('These figures come from the fork');
    expect(comment?.body).toMatch(/### 🔴 Pacegate: `a` regressed: wall time \+/);
    expect(github.checks.find(({ head_sha }) => head_sha === head)).toMatchObject({
      ...{ name: 'Pacegate verdict', conclusion: 'failure' },
      external_id: expect.stringMatching(/^pacegate-run:90\.1:/),
    });
    expect(github.violations).toEqual([]);
  },
);

test('the action is complete: its entry starts from a folder without other files', () => {
  const version = execFileSync(process.execPath, [join(action, 'dist/cli.js'), '--version'], {
    cwd: temporaryFolder(),
    encoding: 'utf8',
  });
  expect(version.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});
