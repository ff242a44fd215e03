import { setImmediate } from 'node:timers/promises';
import { getOctokit } from '@actions/github';
import { describe, expect, test } from '@jest/globals';
import { upsertCheck, type CheckRequest, type CheckResult, type Conclusion } from './check.ts';
import { connect } from './client.ts';
import { markOf, relationTo, runMark } from './run-mark.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import { startGitHubServer, type GitHubServer, type ServerOptions } from './server.test-support.ts';

/** The check on a pull request's head: the verdict that it shows for every order of runs. */

const startServer = checkedServers();

const HEAD = 'a'.repeat(40);
const NAME = 'Pacegate verdict';
const CREATE = 'POST /repos/owner/name/check-runs';
const OUTPUT = { title: 'title', summary: 'summary', text: 'text', annotations: [] };

interface Job {
  readonly run: number;
  readonly attempt?: number;
  readonly session?: string;
  readonly conclusion: Conclusion;
  readonly commit?: string;
}

const requestOf = ({ run, attempt = 1, session = 's', conclusion, commit = HEAD }: Job): CheckRequest => ({
  ...{ owner: 'owner', repo: 'name', commit, name: NAME, conclusion },
  run: markOf(run, attempt, session),
  output: { ...OUTPUT, title: `${run}.${attempt} ${conclusion}` },
});

async function start(options: ServerOptions = {}) {
  const server = await startServer(options);
  const octokit = await connect('token', server.url, { limits: { answer: 3, wait: 3, total: 30 } });
  const post = async (job: Job, more: Partial<CheckRequest> = {}) =>
    await upsertCheck(octokit, { ...requestOf(job), ...more });
  const shown = (commit = HEAD) =>
    server.checks.filter(({ head_sha }) => head_sha === commit).map(({ output }) => output.title);
  const count = (request: string) => server.requests.filter((one) => one === request).length;
  return { server, post, shown, count };
}

/** Every order of some values. */
const orders = <Value>(values: readonly Value[]): readonly (readonly Value[])[] =>
  values.length < 2
    ? [values]
    : values.flatMap((first, index) =>
        orders(values.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
      );

describe('runs that end in each order leave the newest verdict', () => {
  const first: Job = { run: 99, conclusion: 'failure' };
  const again: Job = { run: 99, attempt: 2, conclusion: 'success' };
  // A number with more digits is larger, although it is smaller as text.
  const newest: Job = { run: 100, conclusion: 'neutral' };
  test.each(orders([first, again, newest]))('%j, %j, %j', async (...jobs) => {
    const { post, shown } = await start();
    for (const job of jobs) await post(job);
    expect(new Set(shown())).toEqual(new Set(['100.1 neutral']));
  });

  test.each(orders([first, again]))('%j, %j', async (...jobs) => {
    const { post, shown } = await start();
    const kinds = [];
    for (const job of jobs) kinds.push((await post(job)).kind);
    expect(new Set(shown())).toEqual(new Set(['99.2 success']));
    expect(kinds).toEqual(['created', jobs[0] === first ? 'created' : 'outdated']);
  });
});

test('a force push has its own check, which a run of the earlier commit does not change', async () => {
  const { post, shown } = await start();
  const forced = 'b'.repeat(40);
  await post({ run: 6, conclusion: 'success', commit: forced });
  await post({ run: 5, conclusion: 'failure' });
  expect([shown(forced), shown()]).toEqual([['6.1 success'], ['5.1 failure']]);
});

describe('two runs that end at the same moment', () => {
  const both = (older: number, newer: number) => ({
    [`${older}`]: { run: older, conclusion: 'success' as const },
    [`${newer}`]: { run: newer, conclusion: 'failure' as const },
  });
  test.each([
    ['the older is slower', 5, 6],
    ['the newer is slower', 6, 5],
  ])('both create a check, and both checks say what the newer found: %s', async (_, slow, fast) => {
    let met = false;
    const jobs = both(5, 6);
    const { server, post } = await start({
      // Between the slower run's read and its write.
      meanwhile: (request, { checks }) => {
        if (request !== CREATE || met) return;
        met = true;
        const { conclusion } = jobs[`${fast}`] ?? { conclusion: 'neutral' };
        checks.push({
          ...{ id: 4000, head_sha: HEAD, name: NAME, conclusion },
          external_id: markOf(fast, 1, 's').id,
          output: { ...OUTPUT, title: `${fast}.1 ${conclusion}` },
        });
      },
    });
    const result = await post(jobs[`${slow}`] ?? { run: 0, conclusion: 'neutral' });
    expect(result.kind).toBe(slow === 5 ? 'outdated' : 'created');
    expect(server.checks.map(({ conclusion, output }) => [conclusion, output.title])).toEqual([
      ['failure', '6.1 failure'],
      ['failure', '6.1 failure'],
    ]);
  });
});

/**
 * Lets several runs post at the same time, one request after the other.
 * @param picks the run whose request goes next, at each step; after them each run goes on to its end, in order
 */
async function interleaved(
  server: GitHubServer,
  jobs: readonly Job[],
  picks: readonly number[],
): Promise<readonly CheckResult[]> {
  const waiting = jobs.map((): (() => void) | undefined => undefined);
  const ended = jobs.map(() => false);
  const results: CheckResult[] = [];
  const posts = jobs.map(async (job, index) => {
    // Without the client's pause between two writes, which would space the steps by seconds.
    const octokit = getOctokit('token', { baseUrl: server.url });
    octokit.hook.before(
      'request',
      async () => await new Promise<void>((go) => (waiting[index] = () => go())),
    );
    results[index] = await upsertCheck(octokit, requestOf(job));
    ended[index] = true;
  });
  const idle = async (index: number) => {
    while (waiting[index] === undefined && ended[index] !== true) await setImmediate();
  };
  const step = async (index: number) => {
    await idle(index);
    const go = waiting[index];
    waiting[index] = undefined;
    go?.();
    await idle(index);
  };
  for (const pick of picks) await step(pick);
  for (const index of jobs.keys()) while (ended[index] !== true) await step(index);
  await Promise.all(posts);
  return results;
}

const PICKS = 5;
const older: Job = { run: 5, conclusion: 'success' };
const newer: Job = { run: 6, conclusion: 'failure' };

test.each([
  ['a check of an earlier run is there', [older, newer]],
  ['the same, and the newer run goes on first', [newer, older]],
] as const)(
  'two runs that edit one check: whatever the order of their requests, the newer wins: %s',
  async (_, jobs) => {
    const wrong: string[] = [];
    for (let order = 0; order < 2 ** PICKS; order += 1) {
      const picks = Array.from({ length: PICKS }, (__, position) => (order >> position) & 1);
      const server = await startGitHubServer();
      server.checks.push({
        ...{ id: 4000, head_sha: HEAD, name: NAME, conclusion: 'neutral' },
        external_id: markOf(4, 1, 's').id,
        output: { ...OUTPUT, title: '4.1 neutral' },
      });
      const results = await interleaved(server, jobs, picks);
      await server.close();
      expect(server.violations).toEqual([]);
      const shown = new Set(server.checks.map(({ output }) => output.title));
      const kind = results[jobs.indexOf(newer)]?.kind;
      if (shown.size !== 1 || !shown.has('6.1 failure') || kind !== 'created')
        wrong.push(`${picks.join('')}: ${[...shown].join(', ')} (${kind ?? ''})`);
    }
    expect(wrong).toEqual([]);
  },
);

test('of two jobs of one run the second is refused, unless they share the check', async () => {
  const { post, shown } = await start();
  await post({ run: 5, session: 'amd', conclusion: 'failure' });
  expect(await post({ run: 5, session: 'arm', conclusion: 'success' })).toEqual({ kind: 'twice' });
  expect(shown()).toEqual(['5.1 failure']);
  const confirming = await post({ run: 5, session: 'arm', conclusion: 'success' }, { shared: true });
  expect([confirming.kind, shown()]).toEqual(['updated', ['5.1 success']]);
});

test('a job of the same name is not taken for the check', async () => {
  const { server, post, shown } = await start();
  server.checks.push({
    ...{ id: 1, head_sha: HEAD, name: NAME, conclusion: 'success', external_id: 'd0ffb3d2-job' },
    output: { ...OUTPUT, title: 'a job' },
  });
  expect(await post({ run: 5, conclusion: 'failure' })).toMatchObject({ kind: 'created' });
  expect(shown()).toEqual(['a job', '5.1 failure']);
});

test.each([
  ['lost', 1],
  ['silent', 2],
] as const)(
  'a check whose answer is %s is looked for before it is created again',
  async (fault, posts) => {
    const { server, post, count } = await start({
      fault: (request, times) => (request === CREATE && times === 1 ? fault : undefined),
    });
    expect(await post({ run: 5, conclusion: 'failure' })).toMatchObject({ kind: 'created' });
    expect([server.checks.length, count(CREATE)]).toEqual([1, posts]);
  },
  60_000,
);

test('without the number of the run the check is written too', async () => {
  const { post, shown } = await start();
  await post({ run: 5, conclusion: 'failure' }, { run: undefined });
  expect(await post({ run: 5, conclusion: 'success' }, { run: undefined })).toMatchObject({
    kind: 'updated',
  });
  expect(shown()).toEqual(['5.1 success']);
});

test('at most fifty annotations go into a request', async () => {
  const { server, post } = await start();
  const annotations = Array.from({ length: 60 }, (_, line) => ({
    ...{ path: 'app.py', line: line + 1, title: 'regressed', message: 'slower' },
  }));
  await post({ run: 5, conclusion: 'failure' }, { output: { ...OUTPUT, annotations } });
  expect(server.checks[0]?.output.annotations).toHaveLength(50);
  expect(server.checks[0]?.output.annotations[0]).toEqual({
    ...{ path: 'app.py', start_line: 1, end_line: 1, annotation_level: 'failure' },
    ...{ title: 'regressed', message: 'slower' },
  });
});

describe('a refusal is a result that names what to do', () => {
  test.each<[string, number, Readonly<Record<string, string>>, string, boolean, RegExp]>([
    ['a token that expired', 401, {}, 'Bad credentials', false, /does not accept the token/],
    [
      'a permission that is missing',
      ...([403, {}, 'Resource not accessible by integration', true, /permission `checks: write`/] as const),
    ],
    [
      'a rate limit that is used up',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1999999999' },
      'API rate limit exceeded',
      false,
      /used up its rate limit/,
    ],
    [
      'a secondary rate limit',
      ...([
        403,
        { 'retry-after': '60' },
        'You have exceeded a secondary rate limit',
        false,
        /wait 60 s/,
      ] as const),
    ],
    ['nothing found', 404, {}, 'Not Found', false, /does not show owner\/name@aaaaaaaaaa to this token/],
    ['a conflict', 409, {}, 'Conflict', false, /changing the same thing/],
    ['an archive', 410, {}, 'Gone', false, /no longer has owner\/name@aaaaaaaaaa/],
    [
      'what GitHub does not accept',
      422,
      {},
      'No commit found for SHA',
      false,
      /does not accept what was sent/,
    ],
    ['too many requests', 429, { 'retry-after': '600' }, 'Too many', false, /limits how many requests/],
    ['a server that fails', 503, {}, 'Unavailable', false, /GitHub failed \(503/],
  ])(
    '%s',
    async (_, status, headers, message, forbidden, words) => {
      const { post, count } = await start({
        fault: (request) => (request === CREATE ? { status, message, headers } : undefined),
      });
      expect(await post({ run: 5, conclusion: 'failure' })).toEqual({
        ...{ kind: 'refused', forbidden },
        reason: expect.stringMatching(words),
      });
      expect(count(CREATE)).toBe(status === 503 ? 3 : 1);
    },
    60_000,
  );
});

describe('a mark', () => {
  test('of attempt and run is ordered by the run first', () => {
    const mark = markOf(7, 2, 's');
    expect(relationTo(mark, markOf(7, 2, 's').id)).toBe('own');
    expect(relationTo(mark, markOf(7, 2, 'other').id)).toBe('sibling');
    expect(relationTo(mark, markOf(7, 1, 's').id)).toBe('older');
    expect(relationTo(mark, markOf(7, 10, 's').id)).toBe('newer');
    expect(relationTo(mark, markOf(6, 9, 's').id)).toBe('older');
    expect(relationTo(mark, markOf(8, 1, 's').id)).toBe('newer');
    expect(relationTo(mark, markOf('9007199254740993', 1, 's').id)).toBe('newer');
    for (const found of [undefined, null, '', 'pacegate-run:x.1:s', 'pacegate-run:7:s'])
      expect(relationTo(mark, found)).toBe('unknown');
  });
  test('is read from a comment that carries it, and from nothing else', () => {
    expect(runMark({ GITHUB_RUN_ID: '7' }, 'a b')?.line).toBe('<!-- pacegate-run:7.1:a_b -->');
    expect(runMark({ GITHUB_RUN_ID: '1', ACT: 'true' }, 's')).toBeUndefined();
  });
});
