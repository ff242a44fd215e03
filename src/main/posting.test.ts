import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { drawn } from '../session/session.test-support.ts';
import { BuildError } from '../errors/errors.ts';
import { ACCEPTING_LABEL, parseEvent } from '../github/context.ts';
import { expectGenerated } from '../github/generated.test-support.ts';
import { parseInputs } from '../github/inputs.ts';
import { checkedServers } from '../github/checked-servers.test-support.ts';
import type { GitHubServer, ServerOptions } from '../github/server.test-support.ts';
import type { StoredRun } from '../github/server-state.test-support.ts';
import { judgedParts } from '../pipeline/judged-sessions.ts';
import { overridesOf } from '../plan/resolve.ts';
import type { Session } from '../session/session.ts';
import {
  removeTemporaryFolders,
  repository,
  repositoryWithOrigin,
  shallowClone,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { sessionFileText } from '../session/write.ts';
import { refuseTarget } from './action.ts';
import { deliver } from './delivered-verdict.ts';
import { runJob } from './failed-job.ts';
import { gateJob, reportJob } from './gate-job.ts';
import { realPorts, runIn } from './job-ports.test-support.ts';
import type { Job } from './job.ts';

/** Where results are posted, by event, mode and token. docs/github.md has the table of these cases. */

jest.setTimeout(120_000);

const HEAD = 'a'.repeat(40);
const GROUP = 'b'.repeat(40);
const RUN = '41';

const startServer = checkedServers();
const environment = { ...process.env };
/** The runner's own library caches the path of the first summary. */
const runnerFolder = temporaryFolder();
const [output, summary] = [join(runnerFolder, 'output'), join(runnerFolder, 'summary')];
let log: string;
afterEach(() => {
  process.env = { ...environment };
  jest.restoreAllMocks();
});
afterAll(removeTemporaryFolders);

const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
const CONFIGURATION = `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
metrics: { wall_time_s: { limit: 3% }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
`;

/** A repository with a fork's pull request: the checkout of its default branch, and a session of the merge. */
let checkout: TestRepository;
let forkHead: string;
let session: Session;
let archive: Buffer;
beforeAll(() => {
  const project = repositoryWithOrigin();
  project.write('.github/pacegate.yml', CONFIGURATION);
  const base = project.commit('base');
  project.git('checkout', '-q', '-b', 'fork');
  project.write('app.py', 'slow\n');
  forkHead = project.commit('change');
  project.git('checkout', '-q', '--detach', 'main');
  project.git('merge', '-q', '--no-ff', '-m', 'merge', 'fork');
  const merge = project.git('rev-parse', 'HEAD');
  project.git('push', '-q', 'origin', 'main', 'HEAD:refs/pull/7/merge', 'fork:refs/pull/7/head');
  checkout = shallowClone(project.origin, 'main');
  session = {
    ...measured,
    configuration: 'pacegate',
    source: {
      ...measured.source,
      baseline: { commit: base, dirty: false },
      head: { commit: merge, dirty: false },
    },
  };
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'session.json'), sessionFileText(session));
  execFileSync('python3', ['-m', 'zipfile', '-c', 'a.zip', 'session.json'], { cwd: folder });
  archive = readFileSync(join(folder, 'a.zip'));
});

type Token = 'writes' | 'without `checks: write`' | 'only reads';
const TOKENS: Readonly<Record<Token, ServerOptions>> = {
  writes: {},
  'without `checks: write`': { writes: ['pull-requests'] },
  'only reads': { readOnly: true },
};

interface Case {
  readonly event: string;
  /** The text in the event's column. */
  readonly shown: string;
  readonly mode: 'gate' | 'measure' | 'report';
  readonly token: Token;
  readonly payload: () => object;
  readonly inputs?: () => Readonly<Record<string, string>>;
  /** Whether to run the whole job, instead of only its last part. It needs no engine. */
  readonly whole?: true;
  /** Called before the job, to put labels and runs on the server. */
  readonly before?: (server: GitHubServer) => void;
}

const pull = (repository = 'owner/name') => ({
  pull_request: {
    number: 7,
    base: { ref: 'main', repo: { full_name: 'owner/name' } },
    head: { sha: HEAD, repo: { full_name: repository } },
  },
});
const ended = () => ({
  repository: { default_branch: 'main' },
  workflow_run: {
    ...{ id: 40, run_attempt: 1, event: 'pull_request', head_sha: forkHead, head_branch: 'fork' },
    ...{ workflow_id: 3, head_repository: { full_name: 'stranger/name' } },
  },
});
const group = () => ({ merge_group: { base_sha: 'c'.repeat(40), head_sha: GROUP } });
const own = { event: 'pull_request', shown: '`pull_request`', payload: () => pull() };
const fork = {
  event: 'pull_request',
  shown: '`pull_request` of a fork, or of Dependabot',
  payload: () => pull('stranger/name'),
};
const queue = { event: 'merge_group', shown: '`merge_group`', payload: group };
const afterwards = {
  event: 'workflow_run',
  shown: '`workflow_run`',
  mode: 'report',
  payload: ended,
  whole: true,
} as const;

const CASES: readonly Case[] = [
  { ...own, mode: 'gate', token: 'writes' },
  { ...own, mode: 'gate', token: 'without `checks: write`' },
  { ...own, mode: 'gate', token: 'only reads' },
  { ...own, mode: 'report', token: 'writes' },
  { ...own, mode: 'report', token: 'without `checks: write`' },
  { ...own, mode: 'measure', token: 'writes' },
  { ...fork, mode: 'gate', token: 'only reads' },
  { ...fork, mode: 'report', token: 'only reads' },
  { ...afterwards, token: 'writes' },
  { ...afterwards, token: 'without `checks: write`' },
  { ...afterwards, token: 'only reads' },
  {
    ...{ event: 'workflow_dispatch', shown: '`workflow_dispatch` with the input `pull-request`' },
    ...{ mode: 'report', token: 'writes', whole: true },
    payload: () => ({ repository: { default_branch: 'main' } }),
    inputs: () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'session.json'), sessionFileText(session));
      return { sessions: folder, 'pull-request': '7' };
    },
  },
  { ...queue, mode: 'gate', token: 'writes' },
  { ...queue, mode: 'gate', token: 'only reads' },
  {
    event: 'push',
    shown: '`push`',
    mode: 'gate',
    token: 'writes',
    payload: () => ({ before: 'd'.repeat(40) }),
  },
  { event: 'schedule', shown: '`schedule`', mode: 'gate', token: 'writes', payload: () => ({}) },
];

interface Found {
  readonly comment: string;
  readonly check: string;
  readonly status: number;
  readonly server: GitHubServer;
}

async function posted(
  { event, mode, token, payload, inputs = () => ({}), whole, before }: Case,
  more: Readonly<Record<string, string>> = {},
  {
    interrupted = false,
    verdict: expected = 'regressed',
  }: { readonly interrupted?: boolean; readonly verdict?: string } = {},
): Promise<Found> {
  const server = await startServer(TOKENS[token]);
  server.pulls.push({
    ...{ number: 7, state: 'open', base: 'main', headRepository: 'stranger/name' },
    ...{ headBranch: 'fork', headSha: forkHead },
  });
  server.artifacts.push({ id: 1, run: 40, name: 'pacegate-pacegate', archive });
  before?.(server);
  const folder = temporaryFolder();
  for (const path of [output, summary]) writeFileSync(path, '');
  const runner = {
    ...{ GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: event, GITHUB_API_URL: server.url },
    ...{ GITHUB_RUN_ID: RUN, GITHUB_RUN_ATTEMPT: '1', GITHUB_SHA: 'e'.repeat(40) },
    ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
  };
  process.env = { ...environment, ...runner };
  log = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log += String(text);
    return true;
  });
  const given = {
    ...{ mode, 'github-token': 'token', 'artifact-name': whole === true ? '' : 'none' },
    ...(mode === 'report' && event !== 'workflow_run' ? { sessions: 'sessions' } : {}),
    ...inputs(),
    ...more,
  };
  const parsed = parseInputs({
    ...runner,
    ...Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
    ),
  });
  const job: Job = {
    inputs: parsed,
    overrides: overridesOf(parsed),
    event: parseEvent(runner, JSON.stringify(payload())),
    directory: checkout.path,
    run: await runIn(folder),
    ports: realPorts(),
    signal: new AbortController().signal,
  };
  const verdict = { remarks: [], failOn: ['regressed'], interrupted, artifact: 'none' } as const;
  const status =
    whole === true
      ? await reportJob(job)
      : await deliver(job, {
          ...judgedParts({ gates: [session], confirmations: [] }),
          ...verdict,
          ...{ formerly: undefined, changed: [] },
        });
  // The summary and the outputs always contain the verdict.
  expect(readFileSync(summary, 'utf8')).toContain(expected);
  const said = interrupted ? 'no_data' : expected;
  expect(readFileSync(output, 'utf8')).toMatch(new RegExp(`verdict<<\\S+\n${said}\n`));
  const [check, ...others] = server.checks;
  expect(others).toEqual([]);
  const commits = new Map([
    [HEAD, 'the head'],
    [GROUP, 'the group’s commit'],
    [forkHead, 'the head'],
  ]);
  return {
    comment: server.comments.length === 0 ? '' : `on ${server.comments.map(({ issue }) => issue).join()}`,
    check:
      check === undefined
        ? ''
        : `${check.conclusion ?? ''} on ${commits.get(check.head_sha) ?? check.head_sha}`,
    status,
    server,
  };
}

const rows: string[][] = [];
test.each(CASES)('$shown, mode $mode, token: $token', async (one) => {
  const { comment, check, status } = await posted(one);
  rows.push([
    one.shown,
    `\`${one.mode}\``,
    one.token === 'only reads' || one.token === 'writes' ? one.token : `writes, ${one.token}`,
    comment === '' ? 'no' : 'yes',
    check === '' ? 'no' : check.replace('failure on ', ''),
    String(status),
  ]);
  // The log names the missing permission.
  if (one.token === 'only reads' && one.event.startsWith('pull'))
    expect(log).toMatch(/No comment was written: the token may not comment .*`pull-requests: write`/);
  if (one.token !== 'writes')
    expect(log).toMatch(/No check was written: the token may not write checks .*`checks: write`/);
});

test('docs/github.md has the table that was found', () => {
  expect(rows).toHaveLength(CASES.length);
  const header = ['event', 'mode', 'token', 'comment', 'check', 'exit status of a regression'];
  expectGenerated('docs/github.md', 'posting', markdownTable([header, ...rows]));
});

test('pull_request_target posts nothing: it is refused', () =>
  expect(() => refuseTarget({ event: 'pull_request_target' })).toThrow('Use the event pull_request'));

test("a fork's figures are named as its own, and what was measured again is not", async () => {
  const [first, again] = [
    CASES.find(({ event }) => event === 'workflow_run'),
    CASES.find(({ event }) => event === 'workflow_dispatch'),
  ];
  if (first === undefined || again === undefined) throw new Error('no case');
  const { server } = await posted(first);
  expect(server.comments[0]?.body).toContain('These figures come from the fork');
  // It has the mark of the measuring run, which is older than this one.
  expect(server.comments[0]?.body).toMatch(/^<!-- pacegate:pacegate -->\n<!-- pacegate-run:40\.1:/);
  expect(server.checks[0]?.external_id).toMatch(/^pacegate-run:40\.1:/);
  const second = await posted(again);
  expect(second.server.comments[0]?.body).not.toContain('come from the fork');
  expect(second.server.checks[0]?.external_id).toMatch(/^pacegate-run:41\.1:/);
});

describe('a job that ends with an error', () => {
  const BROKEN = CONFIGURATION.replace('version: 1', 'version: 1\nname: api').replace(
    'limit: 3%',
    'limit: big',
  );
  const rest = { event: 'pull_request', payload: pull() } as const;

  async function failed(
    {
      mode = 'gate',
      event = rest.event,
      payload = rest.payload,
      aborted = false,
      token = {},
      text = BROKEN,
    }: {
      readonly mode?: 'gate' | 'measure' | 'report';
      readonly event?: string;
      readonly payload?: object;
      readonly aborted?: boolean;
      readonly token?: ServerOptions;
      readonly text?: string;
    },
    work?: (job: Job) => Promise<number>,
  ) {
    const server = await startServer(token);
    const project = repository();
    project.write('.github/pacegate.yml', text);
    project.commit('change');
    writeFileSync(output, '');
    const runnerEnvironment = {
      ...{ GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: event, GITHUB_API_URL: server.url },
      ...{ GITHUB_RUN_ID: RUN, GITHUB_RUN_ATTEMPT: '1', GITHUB_OUTPUT: output },
    };
    process.env = { ...environment, ...runnerEnvironment };
    log = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      log += String(line);
      return true;
    });
    const inputs = parseInputs({
      ...runnerEnvironment,
      ...{ INPUT_MODE: mode, 'INPUT_GITHUB-TOKEN': 'token' },
      ...(mode === 'report' ? { INPUT_SESSIONS: 'none' } : {}),
    });
    const job: Job = {
      ...{ inputs, overrides: overridesOf(inputs), directory: project.path },
      event: parseEvent(runnerEnvironment, JSON.stringify(payload)),
      run: await runIn(temporaryFolder()),
      ports: realPorts(),
      signal: aborted ? AbortSignal.abort() : new AbortController().signal,
    };
    const status = await runJob(job, work ?? (mode === 'report' ? reportJob : gateJob));
    return { status, server };
  }

  test.each(['gate', 'report'] as const)(
    'mode %s: a wrong configuration on the head is a failed check of its name, with the message',
    async (mode) => {
      const { status, server } = await failed({ mode });
      expect(status).toBe(2);
      expect(server.checks).toMatchObject([
        {
          ...{ name: 'Pacegate verdict: api', head_sha: HEAD, conclusion: 'failure' },
          external_id: `pacegate-run:${RUN}.1:test`,
          output: {
            title: 'The gate has no verdict: its input is wrong',
            summary: 'The gate fails. It ended with exit status 2 and has no verdict.',
            text: expect.stringMatching(/^```[^]*limit[^]*big[^]*```$/),
          },
        },
      ]);
      expect(server.comments).toEqual([]);
      expect(log).toMatch(/::error title=Pacegate::.*big/);
    },
  );

  test('a measurement that is not possible is one too, and the verdict is no_data', async () => {
    const { status, server } = await failed({ text: CONFIGURATION }, () =>
      Promise.reject(new BuildError('The engine does not answer.')),
    );
    expect(status).toBe(3);
    expect(server.checks).toMatchObject([
      { name: 'Pacegate verdict', conclusion: 'failure', output: { text: expect.stringMatching(/engine/) } },
    ]);
    expect(readFileSync(output, 'utf8')).toMatch(/verdict<<\S+\nno_data\n/);
  });

  test('a merge group has it on its commit', async () => {
    const { server } = await failed({ event: 'merge_group', payload: group() });
    expect(server.checks).toMatchObject([{ head_sha: GROUP, conclusion: 'failure' }]);
  });

  test.each([
    ['a measuring job', { mode: 'measure' }],
    ['a cancelled job', { aborted: true }],
    ['an event without a commit to check', { event: 'push', payload: { before: 'd'.repeat(40) } }],
  ] as const)('%s writes none', async (_, more) => {
    const { status, server } = await failed(more);
    expect([status, server.checks]).toEqual([2, []]);
  });

  test('without the permission the status stays, and the log names it', async () => {
    const { status, server } = await failed({ token: { readOnly: true } });
    expect([status, server.checks]).toEqual([2, []]);
    expect(log).toMatch(/No check was written: .*`checks: write`/);
  });

  test('a fault of Pacegate is thrown', async () => {
    await expect(failed({}, () => Promise.reject(new TypeError('x')))).rejects.toThrow('x');
  });
});

test('a cancelled run posts nothing and has no data', async () => {
  const one: Case = { ...own, mode: 'gate', token: 'writes' };
  const { comment, check, status } = await posted(one, {}, { interrupted: true });
  expect({ comment, check, status }).toEqual({ comment: '', check: '', status: 3 });
  expect(log).toContain('This run was cancelled before its end');
});

describe("the label on a fork's pull request", () => {
  const labelled = (actor: string, more: Partial<StoredRun> = {}): Case => ({
    ...{ ...afterwards, token: 'can ask' as Token },
    before: ({ labellings, runs }) => {
      const at = '2026-01-01T12:00:00Z';
      labellings.push({ issue: 7, event: 'labeled', label: ACCEPTING_LABEL, actor, at });
      runs.push({
        ...{ id: 40, workflow: 3, headRepository: 'stranger/name', headBranch: 'fork', headSha: forkHead },
        ...{ actor, at: '2026-01-01T12:00:03Z', ...more },
      });
    },
  });
  Object.assign(TOKENS, { 'can ask': { permissions: { maintainer: 'write', passerby: 'read' } } });

  test('of a user with write permission accepts the commit, and the report names both', async () => {
    const { check, server, status } = await posted(labelled('maintainer'), {}, { verdict: 'accepted' });
    expect({ check, status }).toEqual({ check: 'success on the head', status: 0 });
    expect(server.comments[0]?.body).toMatch(/maintainer/);
  });

  test.each<[string, Case, RegExp]>([
    ['of somebody who may not write', labelled('passerby'), /passerby has the permission "read" here/],
    [
      'that was put before a newer push',
      labelled('maintainer', { id: 39, headSha: 'f'.repeat(40) }),
      /accepts the commit that run 39 measured, and these figures are of run 40/,
    ],
  ])('%s accepts nothing, and the comment has the reason', async (_, one, words) => {
    const { check, server } = await posted(one);
    expect(check).toBe('failure on the head');
    expect(server.comments[0]?.body).toMatch(words);
  });
});

test('an input disables each of them, and comment: changes posts a regression', async () => {
  const one: Case = { ...own, mode: 'gate', token: 'writes' };
  expect(await posted(one, { comment: 'false' })).toMatchObject({
    comment: '',
    check: 'failure on the head',
  });
  expect(await posted(one, { check: 'false' })).toMatchObject({ comment: 'on 7', check: '' });
  expect(await posted(one, { comment: 'changes' })).toMatchObject({ comment: 'on 7' });
});

test.each([
  [401, 'Bad credentials'],
  [403, 'API rate limit exceeded'],
  [404, 'Not Found'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [422, 'Validation Failed'],
  [429, 'Too many'],
])(
  'GitHub answers %i to everything, and the verdict, the files and the exit status stay',
  async (status, message) => {
    TOKEN_FAULT.fault = () => ({ status, message });
    const found = await posted({ ...own, mode: 'gate', token: 'unwell' as Token });
    expect(found).toMatchObject({ comment: '', check: '', status: 1 });
    expect(log).toContain(`${status}: ${message}`);
  },
);
const TOKEN_FAULT: { fault?: ServerOptions['fault'] } = {};
Object.assign(TOKENS, { unwell: { fault: (...asked: [string, number]) => TOKEN_FAULT.fault?.(...asked) } });
