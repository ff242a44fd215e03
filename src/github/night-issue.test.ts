import { describe, expect, test } from '@jest/globals';
import { connect } from './client.ts';
import { upsertNightIssue, type NightIssueRequest } from './night-issue.ts';
import { markOf } from './run-mark.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { ServerOptions } from './server.test-support.ts';

/**
 * The issue about a configuration's nights, against a server that checks each request with GitHub's API description.
 */

const startServer = checkedServers();

async function start(options: ServerOptions = {}) {
  const server = await startServer(options);
  const octokit = await connect('token', server.url, { limits: { answer: 30, wait: 3, total: 300 } });
  let run = 100;
  const night = async (concerns: readonly string[], more: Partial<NightIssueRequest> = {}) => {
    run += 1;
    return await upsertNightIssue(octokit, {
      ...{ owner: 'owner', repo: 'name', configuration: 'pacegate', title: 'The nights', concerns },
      body: `found: ${concerns.join(', ')}`,
      news: (names) => `new: ${names.join(', ')}`,
      run: markOf(run, 1, 's'),
      ...more,
    });
  };
  const kinds = async (...nights: readonly (readonly string[])[]) => {
    const seen = [];
    for (const concerns of nights) seen.push((await night(concerns)).kind);
    return seen;
  };
  const comments = () => server.comments.map(({ body }) => body);
  return { server, night, kinds, comments };
}

const SHIFT = 'shift a wall_time_s 2026-10-05';
const CREEP = 'creep a --> "b" wall_time_s';

test('is opened for a concern, kept up to date, and closed when nothing is left', async () => {
  const { server, kinds, comments } = await start();
  expect(await kinds([], [CREEP], [CREEP], [])).toEqual(['none', 'opened', 'updated', 'closed']);
  expect(server.issues).toMatchObject([
    {
      title: 'The nights',
      state: 'closed',
      labels: ['pacegate'],
      body: expect.stringMatching(/\n\nfound: $/),
    },
  ]);
  expect(comments()).toEqual([]);
});

test('a new concern of an open issue gets a comment, and a known one gets none', async () => {
  const { server, kinds, comments } = await start();
  await kinds(['failed'], ['failed', CREEP], ['failed', CREEP], [CREEP]);
  expect(comments()).toEqual([`new: ${CREEP}`]);
  expect(server.issues).toHaveLength(1);
  expect(server.issues[0]?.body.split('\n').at(-1)).toBe(`found: ${CREEP}`);
});

test('after a recovery the next concern opens the same issue again', async () => {
  const { server, kinds, comments } = await start();
  expect(await kinds(['failed'], [], [], ['failed'])).toEqual(['opened', 'closed', 'none', 'reopened']);
  expect(server.issues).toMatchObject([{ state: 'open' }]);
  expect(comments()).toEqual(['new: failed']);
});

describe('an issue that a person closed', () => {
  const closed = async () => {
    const started = await start();
    await started.night([SHIFT, CREEP]);
    started.server.issues[0]!.state = 'closed';
    return started;
  };

  test('stays closed while nothing is new, and a shift that moves by a night is not new', async () => {
    const { server, kinds } = await closed();
    expect(await kinds([SHIFT, CREEP], [SHIFT.replace('05', '04'), CREEP])).toEqual(['none', 'none']);
    expect(server.issues).toMatchObject([{ state: 'closed' }]);
  });

  test.each([
    ['failed', 'failed'],
    ['another shift of the row', SHIFT.replace('05', '25')],
    ['a shift of another row', SHIFT.replace('wall', 'cpu')],
  ])('is opened again for %s', async (_, concern) => {
    const { kinds } = await closed();
    expect(await kinds([SHIFT, CREEP, concern])).toEqual(['reopened']);
  });

  test('is reopened for a finding that was over and came back', async () => {
    const { kinds } = await closed();
    expect(await kinds([SHIFT], [SHIFT, CREEP])).toEqual(['none', 'reopened']);
  });
});

test('each configuration has its own issue, even if one name begins with the other', async () => {
  const { server, night } = await start();
  await night(['failed'], { configuration: 'pacegate-api' });
  expect((await night(['failed'])).kind).toBe('opened');
  expect((await night([])).kind).toBe('closed');
  expect(server.issues).toMatchObject([{ state: 'open' }, { state: 'closed' }]);
});

test("another's issue with a copied marker is left alone", async () => {
  const { server, night } = await start();
  await night([CREEP]);
  const [own] = server.issues;
  const copied = { ...own!, number: 99, login: 'mallory' };
  server.issues.push(copied);
  expect((await night([])).kind).toBe('closed');
  expect(server.issues).toMatchObject([{ state: 'closed' }, { number: 99, state: 'open' }]);
});

test('an older night does not change the text of a newer one', async () => {
  const { server, night } = await start();
  await night(['failed']);
  expect((await night([], { run: markOf(7, 1, 's') })).kind).toBe('outdated');
  expect(server.issues).toMatchObject([{ state: 'open' }]);
});

test('an issue whose answer was lost is not opened twice', async () => {
  const { server, night } = await start({
    fault: (request, count) => (request.startsWith('POST') && count === 1 ? 'lost' : undefined),
  });
  expect((await night(['failed'])).kind).toBe('opened');
  expect(server.issues).toHaveLength(1);
});

test.each([
  [{ writes: ['checks'] as const }, true, /needs the permission `issues: write`/],
  [{ fault: () => ({ status: 410, message: 'Issues are disabled for this repo' }) }, true, /archived/],
  [{ fault: () => ({ status: 404, message: 'Not Found' }) }, false, /does not show owner\/name/],
])('a refusal is a result (%#)', async (options, forbidden, reason) => {
  const { night } = await start(options);
  expect(await night(['failed'])).toEqual({
    kind: 'refused',
    forbidden,
    reason: expect.stringMatching(reason),
  });
});
