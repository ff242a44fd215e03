import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { night } from '../session/session.test-support.ts';
import {
  removeTemporaryFolders,
  repository,
  runGit,
  temporaryFolder,
} from '../source/repository.test-support.ts';
import { openBaselineBranch } from './branch.ts';
import { BRANCH, edit, sessionFiles, startForge } from './forge.test-support.ts';
import { RAW_SESSIONS } from './format.ts';

/** Faults between a measured night and the branch. */

afterAll(removeTemporaryFolders);

const servers: Server[] = [];
const environment = { ...process.env };
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  process.env = { ...environment };
});

const patience = { raceSeconds: 5, serverWaits: [0.01, 0.01, 0.01] };
const open = (directory: string, branch = BRANCH) => openBaselineBranch({ directory, branch, patience });

/**
 * git's own server, with faults for some requests.
 * @param fault a status, for the n-th request of a kind
 */
async function serve(bare: string, fault: (path: string, count: number) => number | 'lost' | undefined) {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const kind = `${request.method ?? ''} ${url.pathname}${url.search}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const wrong = fault(kind, counts.get(kind) ?? 0);
    if (typeof wrong === 'number') {
      response.writeHead(wrong).end('no');
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: bare,
        GIT_HTTP_EXPORT_ALL: '1',
        REMOTE_USER: 'somebody',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        ...(request.headers['content-encoding'] === undefined
          ? {}
          : { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      if (wrong === 'lost') {
        response.writeHead(502).end('no');
        return;
      }
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all.subarray(0, end).toString().split('\r\n');
      const status = headers.find((line) => line.startsWith('Status: '))?.slice(8, 11) ?? '200';
      for (const line of headers.filter((one) => !one.startsWith('Status: '))) {
        const [name = '', value = ''] = line.split(': ');
        response.setHeader(name, value);
      }
      response.writeHead(Number(status)).end(all.subarray(end + 4));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, counts };
}

const contentOfGit = (path: string) =>
  readdirSync(join(path, '.git'), { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, '.git', name)).isFile())
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(path, '.git', name)))
        .digest('hex'),
    ]);

test.each([
  ['whole', []],
  ['shallow', ['--depth=1', '--no-single-branch']],
])(
  'no file of .git of a %s clone changes, and it keeps all of the branch',
  async (_, options) => {
    const { bare, clone } = startForge();
    await open(clone()).append(night(1, 1));
    await open(clone()).append(night(2, 1));
    const path = clone(...options);
    const before = contentOfGit(path);
    const commits = runGit(path, 'rev-list', '--count', `origin/${BRANCH}`);
    await open(path).check('pacegate');
    await open(path).read('pacegate');
    await open(path).append(night(3, 1));
    expect(contentOfGit(path)).toEqual(before);
    expect(runGit(path, 'rev-list', '--count', `origin/${BRANCH}`)).toBe(commits);
    expect(runGit(bare, 'rev-list', '--count', BRANCH)).toBe('3');
  },
  60_000,
);

describe('files of the branch that cannot be read', () => {
  test.each([
    ['cut off', '{"format": "pacegate-summaries", "version": 1, "summ', 'is damaged (it is not JSON)'],
    ['with marks of a merge', '<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n', 'is damaged (it is not JSON)'],
    ['empty', '', 'is damaged (it is not JSON)'],
    [
      'with one wrong entry',
      '{"format": "pacegate-summaries", "version": 1, "summaries": [{"id": 7}]}',
      'is damaged (summaries.0.id: ',
    ],
    [
      'newer',
      '{"format": "pacegate-summaries", "version": 2, "nights": []}',
      'was written by a newer Pacegate',
    ],
  ])(
    'summaries that are %s stop the writing, and stay',
    async (_, text, words) => {
      const { bare, clone } = startForge();
      await open(clone()).append(night(1, 1));
      edit(bare, { 'pacegate/summaries.json': text });
      const tip = runGit(bare, 'rev-parse', BRANCH);
      const message = new RegExp(
        `pacegate/summaries\\.json of the commit ${tip.slice(0, 10)} on the baseline branch ${words.replace(/[.()]/g, '\\$&')}`,
      );
      await expect(open(clone()).check('pacegate')).rejects.toThrow(message);
      await expect(open(clone()).append(night(2, 1))).rejects.toThrow(message);
      expect(runGit(bare, 'rev-parse', BRANCH)).toBe(tip);
      // A gate reads the files that parse and names the others.
      const { sessions, problems } = await open(clone()).read('pacegate');
      expect(sessions).toHaveLength(1);
      expect(problems).toEqual([expect.stringMatching(message)]);
      // Another configuration is not affected.
      await open(clone()).append(night(2, 1, { configuration: 'api' }));
    },
    60_000,
  );

  test('files that can be generated again are, unless a newer version wrote them', async () => {
    const { bare, clone } = startForge();
    await open(clone()).append(night(1, 1));
    edit(bare, { 'index.json': '{"format": ' });
    await open(clone()).append(night(2, 1));
    expect(JSON.parse(runGit(bare, 'show', `${BRANCH}:index.json`))).toMatchObject({ version: 1 });
    for (const file of ['index.json', 'pacegate/noise.json', 'pacegate/ranking.json']) {
      const branch = startForge();
      await open(branch.clone()).append(night(1, 1));
      edit(branch.bare, { [file]: '{"version": 2}' });
      await expect(open(branch.clone()).append(night(2, 1))).rejects.toThrow(
        new RegExp(`${file} of the commit .* was written by a newer Pacegate`),
      );
    }
  }, 600_000);

  test('sessions that cannot be summed up are not thrown away', async () => {
    const { bare, clone } = startForge();
    await open(clone()).append(night(0, 1));
    edit(bare, {
      'pacegate/sessions/20200101T000000-newer.json': '{"format": "pacegate-session", "version": 99}',
      ...sessionFiles(RAW_SESSIONS, () => '{}'),
    });
    await open(clone()).append(night(99, 1, { started: '2028-01-01T00:00:00.000Z' }));
    const files = runGit(bare, 'ls-tree', '-r', '--name-only', BRANCH);
    expect(files).toContain('20200101T000000-newer.json');
    const { summaries } = JSON.parse(runGit(bare, 'show', `${BRANCH}:pacegate/summaries.json`)) as {
      summaries: { id: string }[];
    };
    expect(summaries.map(({ id }) => id)).toEqual(['night-0']);
  }, 600_000);
});

describe('a branch whose name is taken', () => {
  test.each([
    ['bench', 'bench/baseline', 'the branch bench exists'],
    ['bench/baseline/old', 'bench/baseline', 'the branch bench/baseline/old exists'],
  ])(
    'by %s is reported at once, before anything is measured',
    async (taken, wanted, words) => {
      const { bare, clone } = startForge();
      runGit(bare, 'branch', taken, 'main');
      await expect(open(clone(), wanted).check('pacegate')).rejects.toThrow(words);
      await expect(open(clone(), wanted).append(night(1, 1))).rejects.toThrow(/\(1 try in/);
    },
    30_000,
  );

  test('in a repository without a remote too', async () => {
    const { path, commit, git } = repository();
    commit('one');
    git('branch', 'bench');
    await expect(open(path, 'bench/baseline').check('pacegate')).rejects.toThrow('the branch bench exists');
    await expect(open(path, 'bench/baseline').append(night(1, 1))).rejects.toThrow('the branch bench exists');
  });
});

describe('a server', () => {
  /** The server runs in this process, so the clone must not block it. */
  const cloneOf = (clone: () => string, url: string) => {
    const path = clone();
    runGit(path, 'remote', 'set-url', 'origin', url);
    return path;
  };

  test('that fails in passing is asked again, and the session is stored once', async () => {
    const { bare, clone } = startForge();
    const { url } = await serve(bare, (kind, count) =>
      kind.includes('service=git-receive-pack') && count < 3 ? 502 : undefined,
    );
    expect(await open(cloneOf(clone, url)).append(night(1, 1))).toMatchObject({ attempts: 1 });
    expect(runGit(bare, 'rev-list', '--count', BRANCH)).toBe('1');
  }, 600_000);

  test('whose answer to a push is lost has the session once', async () => {
    const { bare, clone } = startForge();
    const { url } = await serve(bare, (kind, count) =>
      kind === 'POST /git-receive-pack' && count === 1 ? 'lost' : undefined,
    );
    const { commit } = await open(cloneOf(clone, url)).append(night(1, 1));
    expect(runGit(bare, 'rev-parse', BRANCH)).toBe(commit);
    expect(runGit(bare, 'rev-list', '--count', BRANCH)).toBe('1');
  }, 600_000);

  test('that keeps failing is reported with the number of tries', async () => {
    const { bare, clone } = startForge();
    const { url, counts } = await serve(bare, (kind) =>
      kind.includes('service=git-receive-pack') ? 503 : undefined,
    );
    await expect(open(cloneOf(clone, url)).append(night(1, 1))).rejects.toThrow(
      /503.*The server did not answer as it should/,
    );
    expect(counts.get('GET /info/refs?service=git-receive-pack')).toBe(4);
  }, 600_000);

  test('that does not let the token push is asked once, before anything is measured', async () => {
    const { bare, clone } = startForge();
    const { url, counts } = await serve(bare, (kind) =>
      kind.includes('service=git-receive-pack') ? 403 : undefined,
    );
    const path = cloneOf(clone, url);
    await expect(open(path).check('pacegate')).rejects.toThrow(/403.*`contents: write`/);
    expect(counts.get('GET /info/refs?service=git-receive-pack')).toBe(1);
    await expect(open(path).append(night(1, 1))).rejects.toThrow(/403.*\(1 try in/);
    expect(counts.get('GET /info/refs?service=git-receive-pack')).toBe(2);
  }, 600_000);
});

test('a rule’s message of several lines is quoted completely', async () => {
  const { bare, clone } = startForge();
  const hook = join(bare, 'hooks/pre-receive');
  writeFileSync(
    hook,
    '#!/bin/sh\necho "error: GH013: Repository rule violations found for refs/heads/x." >&2\necho "Review all repository rules at https://github.com/o/n/rules" >&2\necho "- Changes must be made through a pull request." >&2\nexit 1\n',
  );
  chmodSync(hook, 0o755);
  await expect(open(clone()).append(night(1, 1))).rejects.toThrow(
    /GH013: .*https:\/\/github\.com\/o\/n\/rules; - Changes must be made through a pull request\./,
  );
}, 600_000);

test.each([
  ['half an identity', { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' }, 'pacegate'],
  ['none', {}, 'pacegate'],
  [
    'a whole one',
    {
      ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' },
      ...{ GIT_COMMITTER_NAME: 'c', GIT_COMMITTER_EMAIL: 'c@example.org' },
    },
    'a',
  ],
])(
  'with %s git commits all the same',
  async (_, given, author) => {
    const { bare, clone } = startForge();
    const path = clone();
    process.env = { ...environment, HOME: temporaryFolder(), GIT_CONFIG_GLOBAL: '/dev/null', ...given };
    await open(path).append(night(1, 1));
    expect(runGit(bare, 'log', '-1', '--format=%an', BRANCH)).toBe(author);
  },
  30_000,
);
