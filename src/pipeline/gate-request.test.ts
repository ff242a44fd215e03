import { expect, test } from '@jest/globals';
import { nightAgainstItself } from '../session/session.test-support.ts';
import { planOf } from '../plan/plan.test-support.ts';
import { gateRequest, type GateAsked } from './gate-request.ts';

/** The computed parts of a request: its commits, its seed, and the images that need no build. */

const run = { sessionId: 'this', toolVersion: '1.2.3', seed: 7 };
const side = (commit: string) => ({ directory: `/${commit}`, commit: { commit, dirty: false } });
const ask = (change: Partial<GateAsked> = {}) =>
  gateRequest(run, {
    plan: planOf(),
    pair: { head: side('abe'), baseline: side('abc') },
    repository: 'owner/name',
    event: 'push',
    ...change,
  });

const stored = (digest: string, dirty: boolean) => {
  const night = nightAgainstItself(1, { noise: 0.02, blocks: 8 });
  return {
    ...night,
    source: { ...night.source, baseline: { commit: 'abc', dirty } },
    images: night.images.map((image) => ({ ...image, variant: 'a', digest })),
  };
};
const history = [stored('r@sha256:1', false), stored('r@sha256:2', false), stored('r@sha256:3', true)];
const [variant] = planOf().variants;

test('the commits are those of the trees, and a folder has none', () => {
  expect(ask().source).toEqual({
    repository: 'owner/name',
    event: 'push',
    baseline: { commit: 'abc', dirty: false },
    head: { commit: 'abe', dirty: false },
  });
  const folders = { head: { directory: '/a' }, baseline: { unavailable: 'it is the first commit' } };
  expect(ask({ pair: folders }).source).toEqual({ repository: 'owner/name', event: 'push' });
});

test("the seed is the plan's, else the run's", () => {
  expect(ask().seed).toBe(7);
  expect(ask({ plan: planOf({ overrides: { seed: 0 } }) }).seed).toBe(0);
});

test("the baseline's image is known by its digest, the newest first, never from uncommitted files", () => {
  const known = (change: Partial<GateAsked>) => ask({ history, ...change }).knownImage?.(variant!);
  expect(known({})).toBe('r@sha256:2');
  expect(known({ purpose: 'anchor' })).toBe('r@sha256:2');
  expect(known({ pair: { head: side('abe'), baseline: side('abd') } })).toBeUndefined();
  expect(known({ pair: { head: side('abe'), baseline: { unavailable: 'none' } } })).toBeUndefined();
  expect(ask({ history }).knownImage?.({ ...variant!, name: 'b' })).toBeUndefined();
});

test('a night pulls nothing that was built before it', () => {
  expect(ask({ history, purpose: 'nightly' }).knownImage?.(variant!)).toBeUndefined();
});
