import { describe, expect, test } from '@jest/globals';
import { within } from './artifact.ts';
import { connect } from './client.ts';
import { upsertComment } from './comment.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { ServerOptions } from './server.test-support.ts';

/** GitHub's possible answers: the number of retries, and the message for each. */

const startServer = checkedServers();

const MARKER = '<!-- pacegate -->';
const POST = 'POST /repos/owner/name/issues/7/comments';
const LIST = 'GET /repos/owner/name/issues/7/comments';
const limits = { answer: 3, wait: 3, total: 30 };

async function start(options: ServerOptions = {}, signal?: AbortSignal) {
  const server = await startServer(options);
  const octokit = await connect('token', server.url, {
    limits,
    ...(signal === undefined ? {} : { signal }),
  });
  const count = (request: string) => server.requests.filter((one) => one === request).length;
  const comment = async (text = 'verdict') =>
    await upsertComment(octokit, {
      ...{ owner: 'owner', repo: 'name', number: 7, marker: MARKER },
      body: `${MARKER}\n${text}`,
    });
  return { server, comment, count };
}

const onPost = (answer: ReturnType<NonNullable<ServerOptions['fault']>>, times = Infinity) => ({
  fault: (request: string, count: number) => (request === POST && count <= times ? answer : undefined),
});

describe('an answer that is final is asked for once and named', () => {
  test.each<[string, number, string, Record<string, string>, RegExp]>([
    [
      'a secondary rate limit that asks for longer than a job can wait',
      403,
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      { 'retry-after': '60' },
      /secondary rate limit.*asks to wait 60 s/,
    ],
    [
      'a rate limit that is used up',
      403,
      'API rate limit exceeded for installation ID 123.',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1999999999' },
      /has used up its rate limit.* until 2033-05-18T03:33:19\.000Z/,
    ],
    ['too many requests', 429, 'Too many', { 'retry-after': '600' }, /limits how many requests.*wait 600 s/],
    ['a lock', 403, 'Unable to create comment because issue is locked.', {}, /conversation .* is locked/],
    [
      'a body that is too long',
      422,
      'Validation Failed: {"message":"Body is too long (maximum is 65536 characters)"}',
      {},
      /longer than a comment may be/,
    ],
    [
      'a permission that is missing',
      403,
      'Resource not accessible by integration',
      {},
      /needs the permission `pull-requests: write`/,
    ],
    ['single sign-on', 403, 'Resource protected by organization SAML enforcement.', {}, /single sign-on/],
    ['a token that expired', 401, 'Bad credentials', {}, /does not accept the token/],
    ['nothing found', 404, 'Not Found', {}, /does not show owner\/name #7 to this token/],
    ['a repository that is archived', 410, 'Gone', {}, /no longer has owner\/name #7 \(410: Gone\)/],
  ])('%s', async (_, status, message, headers, words) => {
    const { comment, count } = await start(onPost({ status, message, headers }));
    const result = await comment();
    expect(result).toEqual({ kind: 'refused', reason: expect.stringMatching(words) });
    if (!String(words).includes('pull-requests'))
      expect(result).not.toMatchObject({ reason: expect.stringContaining('the job needs the permission') });
    expect(count(POST)).toBe(1);
  });
});

test.each([
  ['a secondary rate limit', { status: 403, message: 'You have exceeded a secondary rate limit.' }],
  ['too many requests', { status: 429, message: 'Too many' }],
])(
  '%s that says when to come again is waited for, once',
  async (_, answer) => {
    const { server, comment, count } = await start(onPost({ ...answer, headers: { 'retry-after': '2' } }, 1));
    const begun = performance.now();
    expect(await comment()).toMatchObject({ kind: 'created' });
    expect(performance.now() - begun).toBeGreaterThan(1900);
    expect(count(POST)).toBe(2);
    expect(server.comments).toHaveLength(1);
  },
  60_000,
);

test.each([
  ['lost', 1],
  ['silent', 1],
] as const)(
  'a comment whose answer is %s is looked for before it is posted again',
  async (fault, times) => {
    const { server, comment, count } = await start(onPost(fault, times));
    expect(await comment()).toMatchObject({ kind: 'created' });
    expect(server.comments).toHaveLength(1);
    expect(count(LIST)).toBe(2);
    expect(count(POST)).toBe(fault === 'lost' ? 1 : 2);
  },
  60_000,
);

test('a server that keeps failing is asked three times', async () => {
  const { comment, count } = await start(onPost({ status: 502, message: 'Server Error' }));
  expect(await comment()).toEqual({
    kind: 'refused',
    reason: expect.stringContaining('GitHub failed (502: Server Error)'),
  });
  expect(count(POST)).toBe(3);
}, 60_000);

test('a request to a silent server ends at its time limit', async () => {
  const { comment } = await start({ fault: () => 'silent' });
  const begun = performance.now();
  expect(await comment()).toEqual({
    kind: 'refused',
    reason: expect.stringMatching(/did not answer in time/),
  });
  expect(performance.now() - begun).toBeLessThan(25_000);
}, 60_000);

test('a job that is cancelled does not wait for an answer', async () => {
  const end = new AbortController();
  const { comment } = await start({ fault: () => 'silent' }, end.signal);
  const begun = performance.now();
  const result = comment();
  setTimeout(() => end.abort(), 200);
  expect(await result).toMatchObject({ kind: 'refused' });
  expect(performance.now() - begun).toBeLessThan(2500);
});

test('an upload that does not end is given up, and one that ends is not', async () => {
  await expect(within(0.05, new Promise(() => undefined))).rejects.toThrow('did not answer within 0.05 s');
  expect(await within(5, Promise.resolve('done'))).toBe('done');
  await expect(within(5, Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});

test('the first comment needs no request for the user, and the next one only for the bot’s name', async () => {
  const { server, comment, count } = await start();
  await comment('one');
  expect(server.requests).toEqual([LIST, POST]);
  await comment('two');
  expect(count('GET /user')).toBe(0);
  expect(count('POST /graphql')).toBe(1);
});
