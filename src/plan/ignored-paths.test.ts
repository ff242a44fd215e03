import { expect, test } from '@jest/globals';
import { isIgnoredPath } from './ignored-paths.ts';

/** The examples of GitHub's page on filter patterns, as far as they have these signs. */
test.each([
  ['*', ['README.md', 'server.rb'], ['docs/a.md']],
  ['*.js', ['app.js', 'index.js'], ['js/app.js', 'appxjs']],
  ['**.js', ['index.js', 'js/index.js', 'src/js/app.js'], ['index.jsx']],
  ['docs/*', ['docs/README.md'], ['docs/a/b.md', 'other/docs/a.md']],
  ['docs/**', ['docs/README.md', 'docs/mona/octocat.txt'], ['docs', 'a/docs/b']],
  ['docs/**/*.md', ['docs/README.md', 'docs/mona/hello.md', 'docs/a/b.md'], ['docs/a.txt']],
  ['**/docs/**', ['docs/hello.md', 'dir/docs/my-file.txt', 'space/docs/plan/space.doc'], ['mydocs/a']],
  ['**/README.md', ['README.md', 'js/README.md'], ['xREADME.md']],
  ['**/*src/**', ['a/src/app.js', 'my-src/code/js/app.js'], ['src.js']],
  ['**/*-post.md', ['my-post.md', 'path/their-post.md'], ['post.md']],
  ['a.b(c)$', ['a.b(c)$'], ['aXb(c)$']],
])('%s', (pattern, matching, others) => {
  expect(matching.filter((path) => !isIgnoredPath([pattern], path))).toEqual([]);
  expect(others.filter((path) => isIgnoredPath([pattern], path))).toEqual([]);
});

test('one pattern of several is enough, and none matches nothing', () => {
  expect(isIgnoredPath(['docs/**', '**.md'], 'src/notes.md')).toBe(true);
  expect(isIgnoredPath([], 'a')).toBe(false);
});
