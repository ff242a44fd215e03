import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { checkedServers } from '../github/checked-servers.test-support.ts';
import type { ServerOptions } from '../github/server.test-support.ts';
import {
  bareRepository,
  removeTemporaryFolders,
  shallowClone,
  temporaryFolder,
} from '../source/repository.test-support.ts';
import { HOST, project } from './project.test-support.ts';

/** The scheduled job of the action as a separate process, on this machine's Python: the issue about its nights. */

jest.setTimeout(600_000);

const startServer = checkedServers();
afterAll(removeTemporaryFolders);

/** A repository with a remote, and the action's job on a checkout of it. */
async function start(options: ServerOptions = {}) {
  const github = await startServer({ identity: 'job', ...options });
  const origin = bareRepository();
  const made = project(HOST, { rounds: 1000, more: ', repetitions: 1', rules: 'blocks: 6' });
  made.git('remote', 'add', 'origin', origin);
  made.git('push', '-q', 'origin', 'main');
  let run = 0;
  const night = async (event = 'schedule') => {
    run += 1;
    const eventFile = join(temporaryFolder(), 'event.json');
    writeFileSync(eventFile, JSON.stringify({ repository: { default_branch: 'main' } }));
    const child = spawn(process.execPath, [join(import.meta.dirname, '../index.ts')], {
      cwd: shallowClone(origin, 'main').path,
      env: {
        ...{ PATH: process.env['PATH'] ?? '', HOME: temporaryFolder(), TMPDIR: temporaryFolder() },
        ...{ GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: eventFile, GITHUB_API_URL: github.url },
        ...{ GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/name' },
        ...{ GITHUB_RUN_ID: String(run), GITHUB_RUN_ATTEMPT: '1' },
        ...{ INPUT_MODE: 'baseline', 'INPUT_GITHUB-TOKEN': 'x0x0x0x0', 'INPUT_ARTIFACT-NAME': 'none' },
      },
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    return { status, log };
  };
  const push = (path: string, content: string) => {
    made.write(path, content);
    made.commit('change');
    made.git('push', '-q', 'origin', 'main');
  };
  return { github, night, push, bench: readFileSync(join(made.path, 'bench.py'), 'utf8') };
}

test('a night that fails opens the issue, a night that is well closes it, and one by hand opens none', async () => {
  const { github, night, push, bench } = await start();
  push('bench.py', 'raise SystemExit("the data is gone")\n');
  expect(await night('workflow_dispatch')).toMatchObject({ status: 3 });
  const first = await night();
  expect(first).toMatchObject({ status: 3 });
  expect(first.log).toMatch(
    /The issue of the nights was (opened|updated): https:\/\/github\.com\/owner\/name\/issues\/70/,
  );
  expect(github.issues).toMatchObject([
    {
      state: 'open',
      title: 'Pacegate: the nights of pacegate need attention',
      body: expect.stringMatching(/\*\*The night failed\.\*\* .*here/),
    },
  ]);
  push('bench.py', bench);
  const second = await night();
  expect({ status: second.status, log: second.status === 0 ? '' : second.log }).toEqual({
    status: 0,
    log: '',
  });
  expect(second.log).toContain('The issue of the nights was closed');
  expect(github.issues).toMatchObject([
    { state: 'closed', body: expect.stringContaining('The problems reported here are gone') },
  ]);
});

test('a night whose configuration cannot be read opens the issue; without the permission the log tells how', async () => {
  const { github, night, push } = await start({ writes: ['checks'] });
  push('.github/pacegate.yml', 'version: 1\nworkload: { command: [python, bench.py] }\nvariants: 3\n');
  const { status, log } = await night();
  expect(status).toBe(2);
  expect(log).toContain('No issue was written: the token may not write issues');
  expect(log).toContain('`issues: write`');
  expect(github.issues).toEqual([]);
});
