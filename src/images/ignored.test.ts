import { expect, test } from '@jest/globals';
import { ignoring } from './ignored.ts';

/** Each with Docker's own answers (moby/patternmatcher). */
test.each([
  ['docs', ['docs', 'docs/a.png', 'docs/deep/b'], ['src/docs', 'docs2', 'doc']],
  ['/docs/', ['docs/a.png'], ['src/docs/a']],
  ['*.bin', ['a.bin'], ['deep/a.bin', 'a.bin2']],
  ['**/*.bin', ['a.bin', 'deep/er/a.bin'], ['a.bin.txt']],
  ['**/data', ['data/x', 'a/data/x'], ['mydata/x', 'a/mydata']],
  ['a/**', ['a/b', 'a/b/c'], ['b/a', 'ab']],
  ['a/**/z', ['a/z', 'a/b/c/z'], ['a/bz', 'az']],
  ['**', ['a', 'a/b'], []],
  ['d?ta/[a-c]*', ['data/b1', 'dota/c'], ['data/d', 'd/ta/a', 'data/x/a']],
  ['[^a]x', ['bx'], ['ax', '/x']],
  ['\\*.txt', ['*.txt'], ['a.txt']],
  ['./a/../b', ['b/c'], ['a', 'a/b']],
  ['# docs\n\n  data  \r\n', ['data/a'], ['docs', '# docs']],
  ['*\n!src\n', ['data/a', 'a'], ['src', 'src/a/b']],
  ['data\n!data/keep\ndata/keep/not', ['data/a', 'data/keep/not'], ['data/keep/a']],
  ['a.b', ['a.b'], ['axb']],
  ['[', ['['], ['a']],
])('%j', (text, ignored, kept) => {
  const ignores = ignoring(text);
  expect(ignored.filter((path) => !ignores(path))).toEqual([]);
  expect(kept.filter(ignores)).toEqual([]);
});

test('a line that is made for exponential backtracking takes no time', () => {
  const begun = process.cpuUsage();
  const path = `${'a/'.repeat(300)}${'a'.repeat(200)}`;
  for (const line of [`${'**/'.repeat(300)}b`, `${'*a'.repeat(300)}b`, `${'**a'.repeat(300)}/b`])
    expect(ignoring(line)(path)).toBe(false);
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5);
});
