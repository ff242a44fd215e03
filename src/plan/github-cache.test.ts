import { expect, test } from '@jest/globals';
import { hasOwnScope, isGitHubCache, usesGitHubCache, withoutGitHubCacheTo } from './github-cache.ts';
import { planOf } from './plan.test-support.ts';

test.each([
  ['type=gha', true],
  ['type=gha,mode=max,scope=x', true],
  ['mode=max, type=gha', true],
  ['type=registry,ref=ghcr.io/type=gha/x', false],
  ['type=ghalike', false],
  ['ghcr.io/o/gha', false],
])('%s is GitHub’s cache: %s', (entry, expected) => expect(isGitHubCache(entry)).toBe(expected));

test.each([
  ['pull_request', true],
  ['pull_request_review', true],
  ['merge_group', true],
  // These run with the default branch's scope, which every other job reads.
  ['pull_request_target', false],
  ['workflow_run', false],
  ['issue_comment', false],
  ['workflow_dispatch', false],
  ['schedule', false],
])('a change’s build on %s writes to its own scope: %s', (event, expected) =>
  expect(hasOwnScope({ event, sha: 'a', head: 'a' })).toBe(expected),
);

test('a push writes to its branch’s scope while the pushed commit is what is built', () => {
  expect(hasOwnScope({ event: 'push', sha: 'a', head: 'a' })).toBe(true);
  expect(hasOwnScope({ event: 'push', sha: 'a', head: 'b' })).toBe(false);
  expect(hasOwnScope({ event: 'push', head: 'b' })).toBe(false);
});

test('a plan without it writes its other caches, and reads as it did', () => {
  const plan = planOf({
    build: '{ cache-from: [type=gha], cache-to: ["type=gha,mode=max", type=inline] }',
  });
  const { build } = withoutGitHubCacheTo(plan);
  expect(build).toEqual({ ...plan.build, cacheTo: ['type=inline'] });
  expect(usesGitHubCache(build)).toBe(true);
  expect(usesGitHubCache({ ...build, cacheFrom: [] })).toBe(false);
});
