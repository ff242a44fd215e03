import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';

/** Messages about requirements of the action that a machine lacks. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

function action(environment: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'index.ts')],
    {
      encoding: 'utf8',
      cwd: temporaryFolder(),
      env: {
        PATH: process.env['PATH'],
        GITHUB_REPOSITORY: 'owner/project',
        GITHUB_EVENT_NAME: 'push',
        RUNNER_TEMP: temporaryFolder(),
        ...environment,
      },
    },
  );
  return { status, said: stdout + stderr };
}

test.each([
  [
    'a workspace',
    { GITHUB_WORKSPACE: '/nowhere/workspace' },
    /The folder \/nowhere\/workspace does not exist/,
  ],
  ['git', { PATH: '/nowhere' }, /git was not found on the PATH/],
  ['a folder for temporary files', { TMPDIR: '/nowhere/tmp' }, /Set TMPDIR to a folder that exists/],
])('without %s there is one sentence and no stack trace', (_, environment, sentence) => {
  const { status, said } = action(environment);
  expect({ status, said }).toEqual({ status: 2, said: expect.stringMatching(sentence) });
  expect(said).not.toMatch(/^ {4}at /m);
});
