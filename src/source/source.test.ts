import { lstatSync, mkdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { exportTree, readFileAt, repositoryName } from './export.ts';
import {
  removeTemporaryFolders,
  repository,
  shallowClone,
  temporaryFolder,
  type TestRepository,
} from './repository.test-support.ts';
import { resolveSides, topLevel } from './sides.ts';
import { checkContext, hashFiles, hashFolder, overlayFiles } from './workload-files.ts';

afterAll(removeTemporaryFolders);

/** main with two commits, a pull request's merge commit at refs/pull/1/merge. */
function withPullRequest(): TestRepository & { readonly base: string; readonly merge: string } {
  const origin = repository();
  origin.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  origin.write('app.py', 'one\n');
  origin.commit('one');
  origin.git('checkout', '-q', '-b', 'feature');
  origin.write('feature.py', 'feature\n');
  origin.commit('feature');
  origin.git('checkout', '-q', 'main');
  origin.write('app.py', 'two\n');
  const base = origin.commit('two, by somebody else');
  origin.git('checkout', '-q', '--detach');
  origin.git('merge', '-q', '--no-ff', '-m', 'merge', 'feature');
  const merge = origin.git('rev-parse', 'HEAD');
  origin.git('update-ref', 'refs/pull/1/merge', merge);
  origin.git('checkout', '-q', 'main');
  return { ...origin, base, merge };
}

describe('the baseline', () => {
  test('of a pull request is the merge commit’s first parent, fetched into a shallow checkout', async () => {
    const { path, base, merge } = withPullRequest();
    const checkout = shallowClone(path, 'refs/pull/1/merge');
    const sides = await resolveSides({
      directory: checkout.path,
      event: 'pull_request',
      baseRef: 'main',
      mergeSha: merge,
    });
    expect(sides).toEqual({
      head: { commit: merge, tree: merge, dirty: false },
      baseline: { commit: base, tree: base, dirty: false },
      notes: [],
    });
    const folder = join(temporaryFolder(), 'baseline');
    await exportTree(checkout.path, base, folder);
    expect(readFileSync(join(folder, 'app.py'), 'utf8')).toBe('two\n');
  });

  test('of a checkout of the head branch is where it left the base, and the report states it', async () => {
    const { path, git } = withPullRequest();
    const checkout = repository(temporaryFolder());
    checkout.git('clone', '-q', `file://${path}`, '.');
    checkout.git('checkout', '-q', 'feature');
    const { baseline, notes } = await resolveSides({
      directory: checkout.path,
      event: 'pull_request',
      baseRef: 'main',
    });
    expect(baseline).toMatchObject({ commit: git('rev-parse', 'main~1') });
    expect(notes[0]).toContain('not the pull request’s merge commit'.replace('’', "'"));
  });

  test('of a pull request whose own tip is a merge is not the change itself', async () => {
    const { path, git } = withPullRequest();
    const checkout = repository(temporaryFolder());
    checkout.git('clone', '-q', `file://${path}`, '.');
    checkout.git('checkout', '-q', 'feature');
    checkout.git('merge', '-q', '--no-ff', '-m', 'main into feature', 'origin/main');
    const sides = await resolveSides({
      directory: checkout.path,
      event: 'pull_request',
      baseRef: 'main',
      mergeSha: git('rev-parse', 'refs/pull/1/merge'),
    });
    expect(sides.baseline).toMatchObject({ commit: git('rev-parse', 'main') });
  });

  test('of a merge that the author made is not the parent that the author chose', async () => {
    const { path, git } = withPullRequest();
    const checkout = repository(temporaryFolder());
    checkout.git('clone', '-q', `file://${path}`, '.');
    checkout.git('checkout', '-q', 'feature');
    checkout.write('.github/pacegate.yml', 'looser rules\n');
    checkout.commit('looser rules, as the first parent');
    checkout.git('merge', '-q', '--no-ff', '-m', 'main into feature', 'origin/main');
    const at = { directory: checkout.path, event: 'pull_request' };
    expect((await resolveSides({ ...at, baseRef: 'main' })).baseline).toMatchObject({
      commit: git('rev-parse', 'main'),
    });
    expect((await resolveSides(at)).baseline).toEqual({
      unavailable: "HEAD is not the event's merge commit, and the event names no base branch",
    });
  });

  test('of only the head, one commit deep, is fetched with the history back to the base', async () => {
    const { path, git } = withPullRequest();
    const checkout = shallowClone(path, 'refs/heads/feature');
    const sides = await resolveSides({ directory: checkout.path, event: 'pull_request', baseRef: 'main' });
    expect(sides.baseline).toMatchObject({ commit: git('rev-parse', 'main~1') });
    expect(sides.notes[0]).toContain("is not the pull request's merge commit");
  });

  test('of a merge queue is the commit in the event, whether it merges, squashes or rebases', async () => {
    const { path, git } = withPullRequest();
    const checkout = shallowClone(path, 'refs/heads/main');
    const baseSha = git('rev-parse', 'main~1');
    const { baseline } = await resolveSides({ directory: checkout.path, event: 'merge_group', baseSha });
    expect(baseline).toMatchObject({ commit: baseSha });
  });

  test('in a job leaves out files that earlier steps left in the checkout', async () => {
    const { path } = withPullRequest();
    const checkout = shallowClone(path, 'refs/pull/1/merge');
    checkout.write('gha-creds-1.json', '{}');
    const { head } = await resolveSides({ directory: checkout.path, event: 'pull_request' });
    expect(head).toMatchObject({ tree: head.commit, dirty: false });
  });

  test('that cannot be fetched is unavailable with the reason', async () => {
    const { path, merge } = withPullRequest();
    const checkout = shallowClone(path, 'refs/pull/1/merge');
    checkout.git('remote', 'set-url', 'origin', '/nowhere');
    const at = { directory: checkout.path, event: 'pull_request' };
    expect((await resolveSides({ ...at, mergeSha: merge })).baseline).toEqual({
      unavailable: expect.stringMatching(/first parent .* could not be fetched: /),
    });
    expect((await resolveSides({ ...at, baseRef: 'main' })).baseline).toEqual({
      unavailable: expect.stringMatching(/where its history left main could not be found: /),
    });
  });

  test('of a push is the commit before it; of a forced push the head’s parent', async () => {
    const origin = repository();
    origin.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => {
      origin.write('app.py', name);
      return origin.commit(name);
    });
    const checkout = shallowClone(origin.path, 'main');
    const at = (before: string) => resolveSides({ directory: checkout.path, event: 'push', before });
    expect(await at(a!)).toMatchObject({ head: { commit: c }, baseline: { commit: a }, notes: [] });
    const forced = await at('1'.repeat(40));
    expect(forced.baseline).toMatchObject({ commit: b });
    expect(forced.notes[0]).toContain('is gone');
    expect((await at('0'.repeat(40))).notes[0]).toContain('does not exist');
  });

  test('an edit in the second of the commit, of the same length, is part of the working folder', async () => {
    const made = repository();
    // Only the index's own time reveals such an edit.
    made.git('config', 'core.trustctime', 'false');
    const second = new Date('2026-01-01T00:00:00Z');
    const file = join(made.path, 'app.py');
    const settle = () => {
      for (const path of [file, join(made.path, '.git/index')]) utimesSync(path, second, second);
    };
    made.write('app.py', 'rounds = 1\n');
    utimesSync(file, second, second);
    made.commit('one');
    made.write('app.py', 'rounds = 2\n');
    settle();
    const { head } = await resolveSides({ directory: made.path, event: 'terminal' });
    expect(head.dirty).toBe(true);
    expect(await readFileAt(made.path, head.tree, 'app.py')).toEqual({ kind: 'text', text: 'rounds = 2\n' });
  });

  test('on a terminal: HEAD for a dirty folder, the merge base with main, or the named commit', async () => {
    const origin = withPullRequest();
    origin.git('checkout', '-q', 'feature');
    const left = origin.git('rev-parse', 'main~1');
    const sides = (baselineRef?: string) =>
      resolveSides({
        directory: origin.path,
        event: 'terminal',
        ...(baselineRef === undefined ? {} : { baselineRef }),
      });
    expect((await sides()).baseline).toMatchObject({ commit: left });
    expect((await sides('main')).baseline).toMatchObject({ commit: origin.base });
    await expect(sides('no-such-ref')).rejects.toThrow('--baseline no-such-ref names no commit');
    await expect(sides('--upload-pack=touch /tmp/x')).rejects.toThrow('names no commit');

    origin.write('new.py', 'new\n');
    const index = readFileSync(join(origin.path, '.git/index'));
    const status = origin.git('status', '--porcelain');
    const dirty = await sides();
    expect(dirty.head.dirty).toBe(true);
    expect(dirty.baseline).toMatchObject({ commit: origin.git('rev-parse', 'HEAD') });
    expect(await readFileAt(origin.path, dirty.head.tree, 'new.py')).toEqual({ kind: 'text', text: 'new\n' });
    // The user's own state is untouched.
    expect(origin.git('status', '--porcelain')).toBe(status);
    expect(readFileSync(join(origin.path, '.git/index')).equals(index)).toBe(true);
  });
});

test('an export holds every kind of name, modes and links, and says that submodules are left out', async () => {
  const origin = repository();
  const names = ['a b.py', 'ünïcode.py', '-dash.py', 'line\nbreak.py', 'deep/er/file.py'];
  for (const name of names) origin.write(name, name);
  symlinkSync('a b.py', join(origin.path, 'link.py'));
  origin.write('run.sh', '#!/bin/sh\n');
  origin.write('.gitattributes', 'a* export-ignore\n');
  origin.git('add', '-A');
  origin.git('update-index', '--chmod=+x', 'run.sh');
  origin.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor`);
  origin.git('commit', '-q', '-m', 'all');
  const folder = join(temporaryFolder(), 'tree');
  const notes = await exportTree(origin.path, 'HEAD', folder);
  for (const name of names) expect(readFileSync(join(folder, name), 'utf8')).toBe(name);
  expect(lstatSync(join(folder, 'link.py')).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(folder, 'run.sh')).mode & 0o111).not.toBe(0);
  expect(notes).toEqual(['Submodules are not part of what is measured: vendor.']);
});

test('a file is read at a commit, and a missing name gives nothing', async () => {
  const { path, base } = withPullRequest();
  expect(await readFileAt(path, base, 'app.py')).toEqual({ kind: 'text', text: 'two\n' });
  expect(await readFileAt(path, base, 'none.py')).toEqual({ kind: 'none' });
  expect(await readFileAt(path, base, 'app.py/x')).not.toMatchObject({ kind: 'text' });
});

test('a file that is a link is followed inside of the repository, and is never nothing outside of it', async () => {
  const origin = repository();
  origin.write('real/a.yml', 'one\n\n');
  origin.write('real/empty.yml', '');
  const link = (target: string, name: string) => symlinkSync(target, join(origin.path, name));
  link('real/a.yml', 'inside.yml');
  link('real', 'folder');
  link('/etc/passwd', 'absolute.yml');
  link('../outside.yml', 'outside.yml');
  link('gone.yml', 'dangling.yml');
  link('loop.yml', 'loop.yml');
  origin.git('add', '-A');
  origin.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor`);
  origin.git('commit', '-q', '-m', 'all');
  const at = async (name: string) => await readFileAt(origin.path, 'HEAD', name);
  const one = { kind: 'text', text: 'one\n\n' };
  expect(await at('real/a.yml')).toEqual(one);
  expect(await at('inside.yml')).toEqual(one);
  expect(await at('folder/a.yml')).toEqual(one);
  expect(await at('real/empty.yml')).toEqual({ kind: 'text', text: '' });
  for (const [name, reason] of [
    ['absolute.yml', 'is a link to a place outside the repository'],
    ['outside.yml', 'is a link to a place outside the repository'],
    ['dangling.yml', 'is a link to a file that the commit does not have'],
    ['loop.yml', 'is a link to itself'],
    ['real', 'is a folder'],
    ['vendor', 'lies in the submodule vendor, which is another repository'],
    ['vendor/pacegate.yml', 'lies in the submodule vendor, which is another repository'],
  ] as const)
    expect({ name, ...(await at(name)) }).toEqual({ name, kind: 'refused', reason });
  // It is unknown whether the linked folder is meant to have the file.
  expect(await at('folder/none.yml')).toMatchObject({ kind: 'refused' });
  expect(await at('real/none.yml')).toEqual({ kind: 'none' });
  expect(await at('real/a.yml\n')).toMatchObject({ kind: 'refused' });
});

describe('the measuring code', () => {
  const context = () => {
    const folder = temporaryFolder();
    const { write } = repository(folder);
    write('bench.py', 'bench');
    write('data/one.csv', '1');
    write('data/two/two.csv', '2');
    return { folder, write };
  };

  test('is hashed file by file, and a changed byte changes only that file’s hash', async () => {
    const { folder, write } = context();
    const before = await hashFiles(folder, ['bench.py', 'data/']);
    expect(Object.keys(before)).toEqual(['bench.py', 'data/one.csv', 'data/two/two.csv']);
    const whole = await hashFolder(folder);
    write('data/one.csv', '9');
    const after = await hashFiles(folder, ['bench.py', 'data']);
    expect(after['bench.py']).toBe(before['bench.py']);
    expect(after['data/one.csv']).not.toBe(before['data/one.csv']);
    expect(await hashFolder(folder)).not.toBe(whole);
  });

  test('replaces the other side completely: files that it no longer has are removed', async () => {
    const { folder } = context();
    const other = context();
    other.write('data/old.csv', 'old');
    other.write('bench.py', 'old bench');
    await overlayFiles(folder, other.folder, ['bench.py', 'data/']);
    expect(await hashFolder(other.folder)).toBe(await hashFolder(folder));
  });

  test('that is missing or leads out of the context is refused', async () => {
    const { folder } = context();
    await expect(hashFiles(folder, ['none.py'])).rejects.toThrow('which is not in the context');
    symlinkSync('/etc/passwd', join(folder, 'link.py'));
    await expect(hashFiles(folder, ['link.py'])).rejects.toThrow('link to a place outside the context');
    const hostile = temporaryFolder();
    mkdirSync(join(folder, 'deep'));
    repository(folder).write('deep/bench.py', 'x');
    symlinkSync(temporaryFolder(), join(hostile, 'deep'));
    await expect(overlayFiles(folder, hostile, ['deep/bench.py'])).rejects.toThrow(
      'link to a place outside the context',
    );
  });
  test('is neither read from nor written into a context that is a link out of the repository', async () => {
    const tree = temporaryFolder();
    symlinkSync(temporaryFolder(), join(tree, 'service'));
    await expect(checkContext(tree, 'service')).rejects.toThrow('link to a place outside the repository');
    await expect(checkContext(tree, '.')).resolves.toBeUndefined();
    await expect(checkContext(tree, 'none')).resolves.toBeUndefined();
  });
});

test('the top and the name of a repository', async () => {
  const { path, git } = withPullRequest();
  mkdirSync(join(path, 'sub'));
  expect(await topLevel(join(path, 'sub'))).toBe(path);
  expect(await topLevel(temporaryFolder())).toBeUndefined();
  git('remote', 'add', 'origin', 'https://example.org/owner/name.git');
  const given = process.env['GITHUB_REPOSITORY'];
  delete process.env['GITHUB_REPOSITORY'];
  expect(await repositoryName(path)).toBe('owner/name');
  if (given !== undefined) process.env['GITHUB_REPOSITORY'] = given;
});
