import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { markerOf } from '../report/markdown.ts';
import { connect } from './client.ts';
import { upsertComment } from './comment.ts';
import { parseEvent } from './context.ts';
import { INPUT_NAMES, parseInputs } from './inputs.ts';
import { markOf, runMark } from './run-mark.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { ServerOptions } from './server.test-support.ts';

const startServer = checkedServers();

async function start(options: ServerOptions = {}) {
  const server = await startServer(options);
  const octokit = await connect('token', server.url);
  const comment = (text: string, configuration = 'pacegate') =>
    upsertComment(octokit, {
      owner: 'owner',
      repo: 'name',
      number: 7,
      marker: markerOf(configuration),
      body: `${markerOf(configuration)}\n${text}`,
    });
  return { server, comment, octokit };
}

describe('the comment', () => {
  test.each(['person', 'job', 'app'] as const)(
    'of a token of a %s is created once and then edited',
    async (identity) => {
      const { server, comment } = await start({ identity });
      expect(await comment('first')).toMatchObject({ kind: 'created' });
      expect(await comment('second')).toMatchObject({ kind: 'updated' });
      expect(await comment('second')).toMatchObject({ kind: 'unchanged' });
      expect(server.comments.map(({ body }) => body)).toEqual([`${markerOf('pacegate')}\nsecond`]);
    },
  );

  test('is found on the third page, behind 250 others', async () => {
    const { server, comment } = await start();
    const other = (id: number) => ({ id, issue: 7, login: 'somebody', body: `comment ${id}` });
    server.comments.push(...Array.from({ length: 250 }, (_, id) => other(id)));
    server.comments.push({
      id: 900,
      issue: 7,
      login: 'github-actions[bot]',
      body: `${markerOf('pacegate')}\nold`,
    });
    expect(await comment('new')).toMatchObject({ kind: 'updated' });
    expect(server.comments).toHaveLength(251);
    expect(server.requests.filter((request) => request.endsWith('/issues/7/comments'))).toHaveLength(3);
  });

  test('of a stranger with our marker is not ours', async () => {
    const { server, comment } = await start();
    server.comments.push({
      id: 1,
      issue: 7,
      login: 'stranger',
      body: `${markerOf('pacegate')}\nall is well`,
    });
    // Our own comment that only quotes the marker does not count either.
    server.comments.push({
      id: 2,
      issue: 7,
      login: 'github-actions[bot]',
      body: `> ${markerOf('pacegate')}`,
    });
    expect(await comment('verdict')).toMatchObject({ kind: 'created' });
    expect(server.comments[0]?.body).toContain('all is well');
  });

  test('of two configurations are two', async () => {
    const { server, comment } = await start();
    await comment('api', 'api');
    await comment('worker', 'worker');
    expect(await comment('api again', 'api')).toMatchObject({ kind: 'updated' });
    expect(server.comments).toHaveLength(2);
  });

  test('of an earlier version’s name is taken over once', async () => {
    const { server, octokit } = await start();
    const write = (configuration: string, text: string) =>
      upsertComment(octokit, {
        ...{ owner: 'owner', repo: 'name', number: 7 },
        marker: markerOf(configuration),
        formerMarker: markerOf('pacegate'),
        body: `${markerOf(configuration)}\n${text}`,
      });
    const old = { id: 1, issue: 7, login: 'github-actions[bot]', body: `${markerOf('pacegate')}\nold` };
    server.comments.push(old);
    expect(await write('orders', 'a')).toMatchObject({ kind: 'updated' });
    expect(await write('billing', 'b')).toMatchObject({ kind: 'created' });
    expect(server.comments.map(({ body }) => body)).toEqual([
      `${markerOf('orders')}\na`,
      `${markerOf('billing')}\nb`,
    ]);
  });

  test('of another job of the same run is left alone: a matrix runs one configuration twice', async () => {
    const { server, octokit } = await start();
    const write = (attempt: string, session: string) => {
      const run = runMark({ GITHUB_RUN_ID: '5', GITHUB_RUN_ATTEMPT: attempt }, session);
      if (run === undefined) throw new Error('no mark');
      const marker = markerOf('pacegate');
      const body = `${marker}\n${run.line}\n\n${session}`;
      return upsertComment(octokit, { ...{ owner: 'owner', repo: 'name', number: 7 }, marker, run, body });
    };
    expect(await write('1', 'arm')).toMatchObject({ kind: 'created' });
    expect(await write('1', 'arm')).toMatchObject({ kind: 'unchanged' });
    expect(await write('1', 'amd')).toEqual({ kind: 'twice' });
    expect(server.comments.map(({ body }) => body.split('\n').at(-1))).toEqual(['arm']);
    // A job that runs again is another attempt.
    expect(await write('2', 'amd')).toMatchObject({ kind: 'updated' });
    expect(runMark({}, 'local')).toBeUndefined();
  });

  test.each([
    ['first the older', [5, 6]],
    ['first the newer', [6, 5]],
  ])('of runs that end in either order says what the newer found: %s', async (_, runs) => {
    const { server, octokit } = await start();
    const marker = markerOf('pacegate');
    const kinds: string[] = [];
    for (const number of runs) {
      const run = markOf(number, 1, 's');
      const body = `${marker}\n${run.line}\n\n${number}`;
      kinds.push(
        (await upsertComment(octokit, { ...{ owner: 'owner', repo: 'name', number: 7 }, marker, run, body }))
          .kind,
      );
    }
    expect(kinds).toEqual(runs[0] === 5 ? ['created', 'updated'] : ['created', 'outdated']);
    expect(server.comments.map(({ body }) => body.split('\n').at(-1))).toEqual(['6']);
  });

  test('that is only edited is not made, and is kept up to date', async () => {
    const { server, octokit, comment } = await start();
    const edit = async (text: string) => {
      const marker = markerOf('pacegate');
      const request = { owner: 'owner', repo: 'name', number: 7, marker, body: `${marker}\n${text}` };
      return await upsertComment(octokit, { ...request, editOnly: true });
    };
    expect(await edit('unchanged')).toEqual({ kind: 'none' });
    await comment('regressed');
    expect(await edit('unchanged again')).toMatchObject({ kind: 'updated' });
    expect(server.comments.map(({ body }) => body.split('\n').at(-1))).toEqual(['unchanged again']);
  });

  test('without write permission is a result that names the permission, not an exception', async () => {
    const { comment } = await start({ readOnly: true });
    expect(await comment('verdict')).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('`pull-requests: write`'),
    });
  });

  test('survives two faults of the server', async () => {
    const { server, comment } = await start({ failures: 2, identity: 'person' });
    expect(await comment('verdict')).toMatchObject({ kind: 'created' });
    expect(server.comments).toHaveLength(1);
  }, 60_000);

  test('works on a forge without GraphQL', async () => {
    const { comment } = await start({ graphql: false });
    await comment('one');
    expect(await comment('two')).toMatchObject({ kind: 'updated' });
  });

  test('of a server that does not exist is refused', async () => {
    const octokit = await connect('token', 'http://127.0.0.1:9');
    const result = await upsertComment(octokit, { owner: 'o', repo: 'r', number: 1, marker: 'm', body: 'm' });
    expect(result.kind).toBe('refused');
  }, 60_000);
});

describe('the event', () => {
  const environment = {
    GITHUB_REPOSITORY: 'owner/name',
    GITHUB_EVENT_NAME: 'pull_request',
    GITHUB_RUN_ID: '5',
  };
  const payload = (head: unknown) =>
    JSON.stringify({
      pull_request: {
        number: 7,
        base: { ref: 'main', repo: { full_name: 'owner/name' } },
        head: { repo: head },
      },
    });
  test('of a pull request says where it goes and whether it comes from a fork', () => {
    expect(parseEvent(environment, payload({ full_name: 'owner/name' }))).toMatchObject({
      owner: 'owner',
      repo: 'name',
      runUrl: 'https://github.com/owner/name/actions/runs/5',
      pullRequest: { number: 7, baseRef: 'main', fromFork: false },
    });
    expect(parseEvent(environment, payload({ full_name: 'else/name' })).pullRequest?.fromFork).toBe(true);
    expect(parseEvent(environment, payload(null)).pullRequest?.fromFork).toBe(true);
  });
  test('names the commit that a check is required of: the head, not the merge; in a merge queue the group', () => {
    const pull = (head: object) => ({
      pull_request: { number: 7, base: { ref: 'main', repo: { full_name: 'owner/name' } }, head },
    });
    const own = { sha: 'b'.repeat(40), repo: { full_name: 'owner/name' } };
    const parsed = (payload: object, more = {}) =>
      parseEvent({ ...environment, GITHUB_SHA: 'c'.repeat(40), ...more }, JSON.stringify(payload));
    expect(parsed(pull(own))).toMatchObject({ checked: 'b'.repeat(40), readOnlyToken: false });
    expect(
      parsed(
        { merge_group: { base_sha: 'a'.repeat(40), head_sha: 'd'.repeat(40) } },
        {
          GITHUB_EVENT_NAME: 'merge_group',
        },
      ).checked,
    ).toBe('d'.repeat(40));
    expect(parsed({}, { GITHUB_EVENT_NAME: 'push' }).checked).toBeUndefined();
    // The token of a fork or of Dependabot is read-only, for any permissions of the workflow.
    expect(parsed(pull({ ...own, repo: { full_name: 'else/name' } })).readOnlyToken).toBe(true);
    expect(parsed(pull(own), { GITHUB_ACTOR: 'dependabot[bot]' }).readOnlyToken).toBe(true);
  });
  test('that is not what GitHub sends names the place', () => {
    expect(() => parseEvent(environment, '{"pull_request": {"number": "seven"}}')).toThrow(
      'pull_request.number',
    );
    expect(() => parseEvent(environment, 'nonsense')).toThrow('GITHUB_EVENT_PATH');
    expect(() => parseEvent({}, '{}')).toThrow('GITHUB_REPOSITORY');
  });
});

describe('the inputs', () => {
  const action = parse(readFileSync('action.yml', 'utf8')) as {
    inputs: Record<string, { description: string; default: string }>;
    runs: { using: string };
  };
  test('are those of action.yml, both ways, each described', () => {
    expect(Object.keys(action.inputs).sort()).toEqual([...INPUT_NAMES].sort());
    for (const { description } of Object.values(action.inputs))
      expect(description.length).toBeGreaterThan(20);
    expect(action.runs.using).toBe('node24');
  });
  const given = (inputs: Record<string, string>) =>
    parseInputs(
      Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
    );
  test('of action.yml’s defaults leave the configuration its word', () => {
    const defaults = Object.fromEntries(
      Object.entries(action.inputs).map(([name, input]) => [name, input.default]),
    );
    expect(given(defaults)).toMatchObject({
      mode: 'gate',
      comment: 'true',
      check: true,
      requireDecision: false,
      failOn: undefined,
      budget: undefined,
    });
  });
  test.each([
    ['true', 'true'],
    ['TRUE', 'true'],
    ['False', 'false'],
    ['changes', 'changes'],
    ['', 'true'],
  ])('comment: %j is %s', (text, meant) => expect(given({ comment: text }).comment).toBe(meant));
  test('are lists by comma, space or line', () => {
    expect(
      given({
        variants: 'a, b\nc',
        'fail-on': 'regressed failed',
        'cache-to': 'type=gha,mode=max\ntype=local,dest=x',
      }),
    ).toMatchObject({
      variants: ['a', 'b', 'c'],
      failOn: ['regressed', 'failed'],
      cacheTo: ['type=gha,mode=max', 'type=local,dest=x'],
    });
    expect(given({ 'fail-on': 'none' }).failOn).toEqual([]);
  });
  test('of shards, sessions and confirmations belong to one mode each', () => {
    expect(given({ mode: 'measure', shard: '2/5' }).shard).toEqual({ index: 2, of: 5 });
    expect(given({ mode: 'report', sessions: 'one\ntwo' }).sessions).toEqual(['one', 'two']);
    expect(given({ confirm: 'sessions' }).confirm).toEqual(['sessions']);
    for (const shard of ['0/5', '6/5', '1/1', '2', '2/5/1', 'two/five'])
      expect(() => given({ mode: 'measure', shard })).toThrow(
        `shard: found ${JSON.stringify(shard)}; must be INDEX/OF, such as 2/5`,
      );
    expect(() => given({ shard: '2/5', confirm: 'x', sessions: 'y' })).toThrow(
      /shard: found "2\/5"; must be empty in mode gate; it belongs to mode measure\n {2}sessions: found "y"; must be empty in mode gate/,
    );
    const ended = { INPUT_MODE: 'report', GITHUB_EVENT_NAME: 'workflow_run' };
    expect(parseInputs(ended).sessions).toBeUndefined();
    expect(given({ mode: 'report', sessions: 'x', 'pull-request': '7' }).pullRequest).toBe(7);
    expect(() => given({ mode: 'report', sessions: 'x', 'pull-request': '#7' })).toThrow(
      'pull-request: found "#7"; must be the number of a pull request, such as 7',
    );
    expect(() => given({ 'pull-request': '7' })).toThrow(
      'pull-request: found "7"; must be empty in mode gate',
    );
    expect(given({ mode: 'plan', 'max-shards': '20' }).maxShards).toBe(20);
    for (const most of ['0', '257', 'ten'])
      expect(() => given({ mode: 'plan', 'max-shards': most })).toThrow(
        `max-shards: found "${most}"; must be a whole number from 1 to 256`,
      );
    expect(() => given({ 'max-shards': '2' })).toThrow('it belongs to mode plan');
    const follows = { sessions: 'x', 'confirmation-follows': 'true' };
    expect(given({ mode: 'report', ...follows }).confirmationFollows).toBe(true);
    expect(() => given({ 'confirmation-follows': 'true' })).toThrow(
      'confirmation-follows: found "true"; must be empty or false in mode gate; it belongs to mode report',
    );
    expect(() => given({ mode: 'report' })).toThrow(/sessions: found ""; must be files, or folders/);
  });
  test('that are wrong are all reported, as typed, with the allowed values; a typo does not mean false', () => {
    expect(() => given({ mode: 'gaet', comment: 'ture', evidence: 'all', 'fail-on': 'slower' })).toThrow(
      /4 problems[\s\S]*fail-on: found "slower"; must be one of none[\s\S]*mode: found "gaet"; must be one of gate, plan, measure, report, baseline[\s\S]*evidence: found "all"; must be one of auto, paired, stored[\s\S]*comment: found "ture"; must be one of true, changes, false/,
    );
  });
});
