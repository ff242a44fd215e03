import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { gitReason } from '../process/git.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from './repository.test-support.ts';
import { resolveCommit, topLevel } from './sides.ts';

/** Obstacles between the program and a repository, and their messages. */

afterAll(removeTemporaryFolders);
const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

describe('a checkout', () => {
  test('of another owner is refused, with the command that makes git trust it', async () => {
    const { path, commit } = repository();
    commit('one');
    process.env['GIT_TEST_ASSUME_DIFFERENT_OWNER'] = '1';
    await expect(topLevel(path)).rejects.toThrow(`git config --global --add safe.directory ${path}`);
    await expect(resolveCommit(path)).rejects.toThrow('it belongs to another user');
  });

  test('that is not a repository is reported as that, with what path: needs', async () => {
    await expect(resolveCommit(temporaryFolder())).rejects.toThrow(
      /is not a git repository.*path:, name the configuration in that folder/,
    );
  });

  test('without a commit is reported as that, and so is one whose commit is gone', async () => {
    const empty = repository();
    await expect(resolveCommit(empty.path)).rejects.toThrow('has no commit yet');
    const broken = repository();
    const commit = broken.commit('one');
    rmSync(join(broken.path, '.git/objects', commit.slice(0, 2)), { recursive: true });
    await expect(resolveCommit(broken.path)).rejects.toThrow(/cannot be read: .*git fsck/);
  });

  test('that is bare, or has a broken .git, has its own message', async () => {
    const bare = repository(temporaryFolder());
    bare.git('init', '-q', '--bare');
    await expect(topLevel(bare.path)).rejects.toThrow('a repository without files');
    const lost = temporaryFolder();
    writeFileSync(join(lost, '.git'), 'gitdir: /nowhere\n');
    await expect(topLevel(lost)).rejects.toThrow('/nowhere');
  });

  test('without git is a configuration error of one sentence', async () => {
    const { path, commit } = repository();
    commit('one');
    process.env['PATH'] = temporaryFolder();
    await expect(topLevel(path)).rejects.toMatchObject({
      exitStatus: 2,
      message: expect.stringMatching(/^git was not found on the PATH\./),
    });
  });

  test('in a folder that does not exist is not blamed on git', async () => {
    const folder = join(temporaryFolder(), 'gone');
    await expect(topLevel(folder)).rejects.toThrow(`The folder ${folder} does not exist`);
    mkdirSync(folder);
    expect(await topLevel(folder)).toBeUndefined();
  });
});

test.each([
  [
    'a remote that does not exist',
    "fatal: '/nowhere' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
    "fatal: '/nowhere' does not appear to be a git repository",
  ],
  [
    'ssh without a key',
    'git@github.com: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n',
    'git@github.com: Permission denied (publickey).',
  ],
  [
    'a token that may not write',
    "remote: Permission to o/n.git denied to github-actions[bot].\nfatal: unable to access 'https://github.com/o/n/': The requested URL returned error: 403\n",
    "Permission to o/n.git denied to github-actions[bot].; fatal: unable to access 'https://github.com/o/n/': The requested URL returned error: 403",
  ],
  [
    'a protected branch',
    "remote: error: GH006: Protected branch update failed for refs/heads/b.        \nremote: \nremote: - Changes must be made through a pull request.        \nTo https://github.com/o/n\n ! [remote rejected] 0123 -> b (protected branch hook declined)\nerror: failed to push some refs to 'https://github.com/o/n'\n",
    'error: GH006: Protected branch update failed for refs/heads/b.; - Changes must be made through a pull request.; [remote rejected] 0123 -> b (protected branch hook declined)',
  ],
  ['colours and bells', '\u001b[31mfatal: \u0007no\u001b[0m\n', 'fatal: no'],
  ['nothing', '\n', 'no message'],
])('of git’s output about %s, the line with the reason is kept', (_, said, reason) => {
  expect(gitReason(said)).toBe(reason);
});
