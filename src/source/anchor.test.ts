import { afterAll, expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import { resolveAnchor } from './anchor.ts';
import { readFileAt } from './export.ts';
import { removeTemporaryFolders, repository, runGit, shallowClone } from './repository.test-support.ts';

afterAll(removeTemporaryFolders);

/** A repository with two commits, of which the first is tagged. */
function tagged() {
  const made = repository();
  made.write('app.py', 'one');
  const first = made.commit('one');
  made.git('tag', '-a', '-m', 'release', 'v1.0');
  made.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  return { ...made, first, second: made.commit('two') };
}
const resolve = (directory: string, ref: string) =>
  resolveAnchor({ directory, ref, file: '.github/pacegate.yml' });

test('a tag and a commit, whole or short, are anchors', async () => {
  const { path, first } = tagged();
  for (const ref of ['v1.0', first, first.slice(0, 10)])
    expect(await resolve(path, ref)).toEqual({ commit: first, tree: first, dirty: false });
});

test('a shallow checkout can read the commit, and gets neither it nor a tag of its own', async () => {
  const { path, first } = tagged();
  for (const ref of ['v1.0', first]) {
    const checkout = shallowClone(path, 'main');
    expect((await resolve(checkout.path, ref)).commit).toBe(first);
    expect(await readFileAt(checkout.path, first, 'app.py')).toEqual({ kind: 'text', text: 'one' });
    expect(() => runGit(checkout.path, 'cat-file', '-t', first)).toThrow();
    expect(runGit(checkout.path, 'for-each-ref')).not.toContain('v1.0');
  }
});

test('a full clone does not become a shallow one for a tag that it lacks', async () => {
  const made = tagged();
  const clone = repository();
  clone.git('remote', 'add', 'origin', `file://${made.path}`);
  clone.git('fetch', '-q', '--no-tags', 'origin', 'main');
  expect((await resolve(clone.path, 'v1.0')).commit).toBe(made.first);
  expect(clone.git('rev-parse', '--is-shallow-repository')).toBe('false');
});

test.each([
  ['main', /rules\.anchor: found "main", a branch, which moves by itself/],
  ['v9', /found "v9", which is no tag here and could not be fetched/],
  ['abcdef1', /a shallow checkout needs the full commit hash/],
  ['0'.repeat(40), /a commit that cannot be fetched from origin/],
])('%s is refused with the key, the value and the allowed values', async (ref, message) => {
  const { path } = tagged();
  const refused = resolve(path, ref);
  await expect(refused).rejects.toThrow(ConfigurationError);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toThrow(/^\.github\/pacegate\.yml: .*; must be a tag or a commit/);
});
