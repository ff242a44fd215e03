import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { application, HOST, project, sessionIn } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The nightly on a terminal: a baseline branch in a repository without a remote. */

jest.setTimeout(900_000);
afterAll(removeTemporaryFolders);

test('a repository without a remote stores the nights on a local branch, and the next gate reads them', async () => {
  const { path, write, git, commit } = project(HOST);
  write('untracked.txt', 'x');
  expect((await pacegate(path, ['baseline'])).log).toContain('has uncommitted changes');
  commit('clean');
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  const third = await pacegate(path, ['baseline']);
  expect(third.status).toBe(0);
  expect(third.out).toMatch(/against itself: [01] of 3 nights.*\nmachine/);
  expect(third.out).toMatch(/here +wall time .* (unchanged|inconclusive|false alarm) .* 3\n/);
  expect(sessionIn(path)).toMatchObject({ purpose: 'nightly', sides: ['baseline', 'head'] });
  const stored = git('ls-tree', '-r', '--name-only', 'pacegate-baseline').split('\n');
  const sessions = stored.filter((name) => name.includes('/sessions/'));
  expect(sessions).toHaveLength(3);
  // A session does not repeat the nights that are on the branch.
  expect(JSON.parse(git('show', `pacegate-baseline:${sessions[2] ?? ''}`))).toMatchObject({ nights: [] });
  expect(JSON.parse(git('show', 'pacegate-baseline:pacegate/noise.json'))).toMatchObject({
    alarms: { nights: 3 },
    noise: [
      { variant: 'here', metric: 'wall_time_s', nights: 3, tau: expect.any(Number) },
      { metric: 'cpu_time_s' },
    ],
    anchor: null,
  });
  write('app.py', application(1_500_001));
  const { out } = await pacegate(path, ['gate', '--format', 'markdown']);
  expect(out).toContain('Stored nights');
  expect(out).toMatch(/against itself: [01] of 3 nights/);
  expect(sessionIn(path).nights.map(({ residuals }) => Object.keys(residuals))).toEqual([
    ['here'],
    ['here'],
    ['here'],
  ]);
});

test('the anchor is compared with once a week or when asked for, and one that means nothing costs no night', async () => {
  const { path, write, git, commit } = project(HOST, {
    rounds: 100_000,
    more: ', repetitions: 1',
    rules: 'blocks: 10, anchor: v1',
  });
  const anchors = () =>
    git('ls-tree', '-r', '--name-only', 'pacegate-baseline')
      .split('\n')
      .filter((name) => name.includes('/anchors/'));
  const unknown = await pacegate(path, ['baseline']);
  expect(unknown.status).toBe(2);
  expect(unknown.log).toMatch(/pacegate\.yml: rules\.anchor: found "v1", which is no tag here/);
  expect(git('ls-tree', '-r', '--name-only', 'pacegate-baseline')).toContain('/sessions/');
  git('tag', 'v1');
  write('app.py', application(1_000_000));
  commit('slower');
  const weekly = await pacegate(path, ['baseline', '--format', 'markdown']);
  expect(weekly.status).toBe(0);
  expect(weekly.out).toMatch(/Creep: `here` CPU time is \d+(\.\d)? % worse than the anchor/);
  expect(anchors()).toHaveLength(1);
  const file = join(path, 'pacegate-out/anchor/session.json');
  const compared = parseSession(readFileSync(file, 'utf8'), file);
  expect(compared).toMatchObject({
    purpose: 'anchor',
    source: { baseline: { commit: git('rev-parse', 'v1') } },
  });
  expect(compared.runs).toHaveLength(90);
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  expect(anchors()).toHaveLength(1);
  expect((await pacegate(path, ['baseline', '--anchor'])).status).toBe(0);
  expect(anchors()).toHaveLength(2);
});
