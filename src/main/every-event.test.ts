import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { expectGenerated } from '../github/generated.test-support.ts';
import { MODES, type Mode } from '../github/inputs.ts';
import { startGitHubServer, type GitHubServer } from '../github/server.test-support.ts';
import {
  removeTemporaryFolders,
  repository,
  repositoryWithOrigin,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { runAction } from './action.ts';

/**
 * Each event in each mode with each token: the action ends with a verdict or with one message, and never with a crash or
 * in silence. There is no engine, so whatever has to measure ends with the engine's message.
 */

jest.setTimeout(600_000);

const CONFIGURATION = `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
rules: { paths-ignore: ['docs/**'] }
`;
const TOKENS = ['none', 'reads', 'writes'] as const;
type Token = (typeof TOKENS)[number];

/** `trusted`: the default branch. `change`: a branch that edits an ignored path, and the merge of it. */
interface Checkouts {
  readonly trusted: TestRepository;
  readonly change: TestRepository;
  readonly merge: TestRepository;
}

let checkouts: Checkouts;
let commits: {
  readonly base: string;
  readonly trusted: string;
  readonly change: string;
  readonly merge: string;
};
let withoutDocker: string;
beforeAll(() => {
  withoutDocker = temporaryFolder();
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  symlinkSync(git, join(withoutDocker, 'git'));
  const project = repositoryWithOrigin();
  project.write('.github/pacegate.yml', CONFIGURATION);
  const base = project.commit('base');
  project.write('app.py', 'x = 1\n');
  const trusted = project.commit('on the default branch');
  project.git('checkout', '-q', '-b', 'change');
  mkdirSync(join(project.path, 'docs'), { recursive: true });
  project.write('docs/page.md', 'words\n');
  const change = project.commit('words');
  project.git('checkout', '-q', '--detach', 'main');
  project.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  const merge = project.git('rev-parse', 'HEAD');
  project.git('push', '-q', 'origin', 'main', 'HEAD:refs/pull/7/merge', 'change:refs/pull/7/head', 'change');
  commits = { base, trusted, change, merge };
  const cloned = (commit: string): TestRepository => {
    const clone = repository();
    clone.git('remote', 'add', 'origin', project.origin);
    clone.git('fetch', '-q', 'origin', '+refs/heads/*:refs/remotes/origin/*', commit);
    clone.git('checkout', '-q', '--detach', commit);
    return clone;
  };
  checkouts = { trusted: cloned(trusted), change: cloned(change), merge: cloned(merge) };
});

const environment = { ...process.env };
let server: GitHubServer | undefined;
let log: string;
beforeEach(() => {
  log = '';
});
afterEach(async () => {
  process.env = { ...environment };
  process.exitCode = undefined;
  jest.restoreAllMocks();
  await server?.close();
  expect(server?.violations ?? []).toEqual([]);
  server = undefined;
});
afterAll(removeTemporaryFolders);

/**
 * What a case ends with. `verdict`: a verdict, of a change that needs no engine. `planned`: the jobs that measure.
 * `engine`: it has to measure. `sessions`:
 * it reads its sessions, which are no sessions here. `none`: nothing to post. `base`: the base is not available.
 */
const ENDS = {
  verdict: [0, /Pacegate: skipped: only ignored paths changed/],
  planned: [0, /Pacegate measures in \d+ jobs?: /],
  engine: [3, /Tried to run docker; it was not found/],
  sessions: [2, /session\.json cannot be read as a session/],
  none: [0, /Pacegate posts nothing: no pull request of owner\/name:change is open/],
  base: [3, /the base is not available: .* the event names no base branch/],
  target: [2, /pull_request_target, which hands the secrets .* Use the event pull_request\./],
  feeds: [2, /a pull request never writes the baseline\. Run it on a schedule/],
  untrusted: [2, /accepts only trusted commits; .* is not on the default branch main/],
  pushed: [2, /The run 40 was started by push; expected: pull_request/],
  nothing: [2, /The event workflow_run names no run whose artifacts could be read/],
  token: [2, /The input github-token is empty, so GitHub cannot be asked for the pull request/],
} as const satisfies Record<string, readonly [status: number, log: RegExp]>;
type End = keyof typeof ENDS;

/** The words of docs/github.md. */
const SHOWN: Readonly<Record<End, string>> = {
  ...{ verdict: 'yes', planned: 'yes', engine: 'yes', sessions: 'yes', none: 'yes', token: '' },
  ...{ base: 'status 3', target: 'refused', feeds: 'refused', untrusted: 'refused' },
  ...{ pushed: 'refused', nothing: 'refused' },
};

interface Event {
  readonly name: string;
  /** Its row, if the name alone does not distinguish it. */
  readonly shown?: string;
  readonly checkout: keyof Checkouts;
  readonly payload?: () => object;
  readonly ends: readonly [gate: End, plan: End, measure: End, report: End, baseline: End];
}

const pull = (repository: string) => ({
  number: 7,
  base: { ref: 'main', repo: { full_name: 'owner/name' } },
  head: { sha: commits.change, repo: { full_name: repository } },
});
const known = { repository: { default_branch: 'main' } };
const ended = (event: string) => ({
  ...known,
  workflow_run: {
    ...{ id: 40, run_attempt: 1, workflow_id: 3, event, head_sha: commits.change, head_branch: 'change' },
    head_repository: { full_name: 'owner/name' },
  },
});
const EVENTS: readonly Event[] = [
  {
    name: 'push',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
    payload: () => ({ ...known, before: commits.base }),
  },
  {
    ...{
      name: 'push',
      shown: 'push of a branch',
      checkout: 'change',
      ends: ['verdict', 'planned', 'engine', 'sessions', 'untrusted'],
    },
    payload: () => ({ ...known, before: '0'.repeat(40) }),
  },
  {
    name: 'pull_request',
    checkout: 'merge',
    ends: ['verdict', 'planned', 'engine', 'sessions', 'feeds'],
    payload: () => ({ ...known, pull_request: pull('owner/name') }),
  },
  {
    ...{
      name: 'pull_request',
      shown: 'pull_request of a fork',
      checkout: 'merge',
      ends: ['verdict', 'planned', 'engine', 'sessions', 'feeds'],
    },
    payload: () => ({ ...known, pull_request: pull('stranger/name') }),
  },
  {
    ...{
      name: 'pull_request',
      shown: 'pull_request, labeled',
      checkout: 'merge',
      ends: ['verdict', 'planned', 'engine', 'sessions', 'feeds'],
    },
    payload: () => ({
      ...{ ...known, pull_request: pull('owner/name'), action: 'labeled', sender: { login: 'octocat' } },
      label: { name: 'pacegate: accepted' },
    }),
  },
  {
    name: 'pull_request',
    shown: 'pull_request without a payload',
    checkout: 'merge',
    ends: ['base', 'base', 'base', 'sessions', 'feeds'],
  },
  {
    name: 'pull_request_target',
    checkout: 'trusted',
    ends: ['target', 'target', 'target', 'target', 'target'],
    payload: () => ({ pull_request: pull('stranger/name') }),
  },
  {
    name: 'pull_request_review',
    checkout: 'merge',
    ends: ['verdict', 'planned', 'engine', 'sessions', 'feeds'],
    payload: () => ({ pull_request: pull('owner/name') }),
  },
  {
    ...{
      name: 'merge_group',
      checkout: 'merge',
      ends: ['verdict', 'planned', 'engine', 'sessions', 'feeds'],
    },
    payload: () => ({ ...known, merge_group: { base_sha: commits.trusted, head_sha: commits.merge } }),
  },
  {
    name: 'schedule',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
    payload: () => ({ schedule: '0 3 * * *' }),
  },
  {
    name: 'workflow_dispatch',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
    payload: () => known,
  },
  {
    name: 'workflow_dispatch',
    shown: 'workflow_dispatch on a branch',
    checkout: 'change',
    ends: ['verdict', 'planned', 'engine', 'sessions', 'untrusted'],
    payload: () => known,
  },
  {
    name: 'workflow_run',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'none', 'engine'],
    payload: () => ended('pull_request'),
  },
  {
    name: 'workflow_run',
    shown: 'workflow_run of a push',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'pushed', 'engine'],
    payload: () => ended('push'),
  },
  {
    name: 'workflow_run',
    shown: 'workflow_run without a payload',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'nothing', 'engine'],
  },
  {
    name: 'issue_comment',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
    payload: () => ({ ...known, action: 'created', issue: {} }),
  },
  {
    name: 'release',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
    payload: () => ({ ...known, action: 'published' }),
  },
  {
    name: 'never_heard_of',
    shown: 'an unknown one',
    checkout: 'trusted',
    ends: ['engine', 'planned', 'engine', 'sessions', 'engine'],
  },
];

const EVERYTHING = process.env['PACEGATE_NIGHTLY'] === '1';

/** Every night all cases run. Otherwise one token for each event, in the modes that judge, and all for two of them. */
const isCase = ({ shown, name }: Event, mode: Mode, token: Token) =>
  EVERYTHING ||
  (token === 'writes' && (mode === 'gate' || mode === 'report')) ||
  (shown === undefined && name === 'pull_request') ||
  (shown === undefined && name === 'workflow_run' && mode === 'report');

const CASES = EVENTS.flatMap((event) =>
  MODES.flatMap((mode, column) =>
    TOKENS.filter((token) => isCase(event, mode, token)).map((token) => {
      const end = event.ends[column] ?? 'nothing';
      const needsToken = token === 'none' && (end === 'none' || end === 'pushed');
      return {
        ...event,
        shown: event.shown ?? event.name,
        mode,
        token,
        end: needsToken ? ('token' as const) : end,
      };
    }),
  ),
);

async function run({
  name,
  checkout,
  payload = () => ({}),
  mode,
  token,
}: Event & { readonly mode: Mode; readonly token: Token }) {
  server = await startGitHubServer({ readOnly: token === 'reads', permissions: { octocat: 'write' } });
  const folder = temporaryFolder();
  const file = (path: string, text: string) => {
    writeFileSync(join(folder, path), text);
    return join(folder, path);
  };
  const { path } = checkouts[checkout];
  process.env = {
    ...{ HOME: folder, PATH: withoutDocker, RUNNER_TEMP: folder, TMPDIR: folder },
    ...{ GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: name, GITHUB_API_URL: server.url },
    ...{ GITHUB_RUN_ID: '41', GITHUB_RUN_ATTEMPT: '1', GITHUB_SHA: commits[checkout] },
    ...{
      GITHUB_WORKSPACE: path,
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_PATH: file('event', JSON.stringify(payload())),
    },
    ...{
      GITHUB_OUTPUT: file('output', ''),
      GITHUB_STEP_SUMMARY: file('summary', ''),
      GITHUB_STATE: file('state', ''),
    },
    ...{
      INPUT_MODE: mode,
      'INPUT_GITHUB-TOKEN': token === 'none' ? '' : 'token',
      'INPUT_ARTIFACT-NAME': 'none',
    },
    ...(mode === 'report' && name !== 'workflow_run' ? { INPUT_SESSIONS: file('session.json', '{}') } : {}),
  };
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log += String(text);
    return true;
  });
  const places = { probe: '', facts: '', profiler: '', variants: '', fixtures: '', examples: '' };
  await runAction(places);
  return Number(process.exitCode ?? 0);
}

test.each(CASES)('$shown, mode $mode, token $token', async (one) => {
  const [status, words] = ENDS[one.end];
  expect({ status: await run(one), log }).toEqual({ status, log: expect.stringMatching(words) });
  expect(log).not.toMatch(/unexpected error|^\s+at /m);
  // A job that fails has one annotation.
  expect(log.match(/::error title=Pacegate::/g) ?? []).toHaveLength(status === 0 ? 0 : 1);
  const isChecked = one.end === 'verdict' && one.checkout === 'merge';
  if (isChecked && one.token === 'none')
    expect(log).toMatch(/No check "Pacegate verdict" was written: the input github-token is empty/);
  if (isChecked && one.token === 'reads') expect(log).toMatch(/No check was written: .*`checks: write`/);
  if (isChecked && one.token === 'writes') expect(server?.checks).toHaveLength(1);
});

test('docs/github.md has the table of events and modes', () => {
  const rows = EVENTS.map(({ name, shown = name, ends }) => [
    shown.replace(/^[a-z]+(?:_[a-z]+)*(?!\S)|^[a-z_]+(?=,)/, (word) =>
      word === 'an' ? word : `\`${word}\``,
    ),
    ...ends.map((end) => SHOWN[end]),
  ]);
  expectGenerated(
    'docs/github.md',
    'events',
    markdownTable([['event', ...MODES.map((mode) => `\`${mode}\``)], ...rows]),
  );
});
