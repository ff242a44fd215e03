import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { exportTree, readFileAt } from './export.ts';
import { defaultBranch, fetchBranch, fetchCommit, fetchTag, isOnBranch, mergeBase } from './fetch.ts';
import {
  removeTemporaryFolders,
  repository,
  runGit,
  shallowClone,
  temporaryFolder,
} from './repository.test-support.ts';
import { resolveHead, resolveSides } from './sides.ts';

afterAll(removeTemporaryFolders);

/** main with four commits; `change` branches off at the second and has two commits. */
function origin() {
  const made = repository();
  made.git('config', 'uploadpack.allowFilter', 'true');
  const commit = (text: string) => {
    made.write('app.py', text);
    return made.commit(text);
  };
  const [one, two] = [commit('one'), commit('two')];
  made.git('checkout', '-q', '-b', 'change');
  const [early, late] = [commit('change 1'), commit('change 2')];
  made.git('checkout', '-q', 'main');
  const [three, four] = [commit('three'), commit('four')];
  made.git('tag', '-a', '-m', 'release', 'v1', two);
  return { ...made, one, two, three, four, early, late };
}

/** A full clone from a time when origin had only one commit. */
function fullClone(path: string, ref: string) {
  const made = repository();
  made.git('remote', 'add', 'origin', `file://${path}`);
  made.git('fetch', '-q', '--no-tags', 'origin', `${ref}:refs/remotes/origin/main`);
  made.git('checkout', '-q', '--detach', 'origin/main');
  return made;
}

/** Every file of `.git`, by its content. */
function contentOfGit(path: string): Record<string, string> {
  const top = join(path, '.git');
  return Object.fromEntries(
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(top, name)).isFile())
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(top, name)))
          .digest('hex'),
      ]),
  );
}

describe.each([
  ['a full clone', (path: string, ref: string) => fullClone(path, ref)],
  ['a shallow clone', (path: string, ref: string) => shallowClone(path, ref)],
])('in %s', (_, clone) => {
  test('a commit, a branch and a tag can be read, and not one file of .git is another', async () => {
    const { path, one, two, three, four } = origin();
    const { path: directory, write } = clone(path, one);
    write('new.py', 'new\n');
    const before = contentOfGit(directory);
    expect(await fetchCommit({ directory }, three)).toBeUndefined();
    expect(await fetchBranch({ directory }, 'main')).toEqual({ commit: four });
    expect(await fetchTag({ directory }, 'v1')).toEqual({ commit: two });
    expect(await readFileAt(directory, three, 'app.py')).toEqual({ kind: 'text', text: 'three' });
    await resolveHead(directory);
    await resolveSides({ directory, event: 'push', before: two });
    await exportTree(directory, two, join(temporaryFolder(), 'two'));
    expect(contentOfGit(directory)).toEqual(before);
  });

  test('whether a commit is on a branch is asked of origin', async () => {
    const { path, one, three, early, late } = origin();
    const { path: directory } = clone(path, late);
    const before = contentOfGit(directory);
    expect(await defaultBranch({ directory })).toEqual({ branch: 'main' });
    expect(await isOnBranch({ directory }, one, 'main')).toBe(true);
    expect(await isOnBranch({ directory }, three, 'main')).toBe(true);
    expect(await isOnBranch({ directory }, late, 'main')).toBe(false);
    expect(await isOnBranch({ directory }, early, 'change')).toBe(true);
    expect(await isOnBranch({ directory }, late, 'none')).toEqual({
      unknown: expect.stringContaining("couldn't find remote ref refs/heads/none"),
    });
    expect(await isOnBranch({ directory }, late, 'a..b')).toEqual({
      unknown: expect.stringContaining('is not the name of a branch'),
    });
    expect(contentOfGit(directory)).toEqual(before);
  });

  test('where a change left its base is found at any depth', async () => {
    const { path, two, late } = origin();
    const { path: directory } = clone(path, late);
    expect(await mergeBase({ directory }, late, 'main')).toEqual({ commit: two });
    const { head, baseline } = await resolveSides({ directory, event: 'pull_request', baseRef: 'main' });
    expect(head.commit).toBe(late);
    expect(baseline).toMatchObject({ commit: two });
    expect(await readFileAt(directory, two, 'app.py')).toEqual({ kind: 'text', text: 'two' });
  });
});

test('a commit that exists only here is compared with the branch it was made from', async () => {
  const { path, four } = origin();
  const checkout = shallowClone(path, 'main');
  checkout.write('app.py', 'mine');
  const mine = checkout.commit('mine');
  expect(await mergeBase({ directory: checkout.path }, mine, 'main')).toEqual({ commit: four });
  expect(await isOnBranch({ directory: checkout.path }, mine, 'main')).toBe(false);
});

test('the repository’s Git settings apply to the fetch: its own address, and files included for its folder', async () => {
  const { path, three } = origin();
  const checkout = shallowClone(path, 'main');
  const included = join(temporaryFolder(), 'credentials.config');
  writeFileSync(included, `[url "file://${path}"]\n\tinsteadOf = forge:name\n`);
  checkout.git('remote', 'set-url', 'origin', 'forge:name');
  checkout.git('config', `includeIf.gitdir:${checkout.path}/.git.path`, included);
  expect(await fetchCommit({ directory: checkout.path }, three)).toBeUndefined();
});

test('an address that is relative is one from the top of the work tree', async () => {
  const { path, three } = origin();
  const checkout = shallowClone(path, 'main');
  checkout.git('remote', 'set-url', 'origin', `../${path.split('/').at(-1) ?? ''}`);
  expect(await fetchCommit({ directory: checkout.path }, three)).toBeUndefined();
});

test('a repository with SHA-256 names is read like any other', async () => {
  const made = repository(temporaryFolder());
  made.git('init', '-q', '-b', 'main', '--object-format=sha256');
  made.write('app.py', 'one');
  const one = made.commit('one');
  made.write('app.py', 'two');
  made.commit('two');
  const clone = temporaryFolder();
  runGit(clone, 'clone', '-q', '--depth=1', `file://${made.path}`, '.');
  expect(await fetchCommit({ directory: clone }, one)).toBeUndefined();
  expect(await readFileAt(clone, one, 'app.py')).toEqual({ kind: 'text', text: 'one' });
});

test('a failed fetch reports the line of git that gives the reason', async () => {
  const { path, three } = origin();
  const checkout = shallowClone(path, 'main');
  expect(await fetchCommit({ directory: checkout.path }, '1'.repeat(40))).toContain('not our ref');
  rmSync(path, { recursive: true });
  expect(await fetchCommit({ directory: checkout.path }, three)).toContain(
    'does not appear to be a git repository',
  );
  expect(await fetchBranch({ directory: checkout.path }, 'a..b')).toEqual({
    missing: '"a..b" is not the name of a branch',
  });
});
