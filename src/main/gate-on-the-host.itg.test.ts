import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { application, HOST, project, sessionIn, verdictsOf } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The gate on a terminal, as a separate process, without containers. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

test('without containers the same: a slower working folder is regressed against HEAD', async () => {
  const { path, write } = project(HOST);
  write('app.py', application(3_000_000));
  const { status, out, log } = await pacegate(path, ['gate', '--format', 'json']);
  expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
  expect(verdictsOf(out, 'cpu_time_s')).toEqual(['regressed']);
  expect(sessionIn(path).source).toMatchObject({ head: { dirty: true }, baseline: { dirty: false } });
});

test('a head whose workload dies is failed; a baseline whose workload dies gives no_baseline', async () => {
  const { path, write, commit } = project(HOST, { rounds: 1000, more: ', repetitions: 1' });
  write('app.py', 'def work():\n    raise SystemExit("the answer is wrong")\n');
  commit('broken');
  const broken = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(broken.status).toBe(3);
  expect(broken.out).toMatch(
    /here \(head\) failed in workload:\n {2}here \(head, warm-up\): the command ended with exit status 1\n {2}the answer is wrong/,
  );
  write('app.py', application(1000));
  commit('mended');
  const mended = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(mended.status).toBe(0);
  expect(mended.out).toMatch(/Pacegate: no baseline, so nothing was compared/);
});

test('two shards and a second session are one gate, whose file gives its verdict again', async () => {
  const { path, write, commit } = project(
    `${HOST}  lean: { interpreter: host, python: python3, flags: [-O] }\n`,
    { rounds: 400_000, more: ', repetitions: 1', rules: 'blocks: 8' },
  );
  write(
    'app.py',
    application(2_000_000).replace('    return', '    assert sum(range(3_000_000))\n    return'),
  );
  commit('slower');
  for (const shard of ['1', '2']) {
    const args = ['gate', '--baseline', 'HEAD~1', '--shard', `${shard}/2`, '--out', `shards/${shard}`];
    const { status, out, log } = await pacegate(path, args);
    expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
    expect(out).toContain(`This is shard ${shard} of 2`);
  }
  const merged = await pacegate(path, ['merge', 'shards', '--format', 'json']);
  expect(merged.status).toBe(1);
  expect(verdictsOf(merged.out, 'cpu_time_s')).toEqual(['regressed', 'regressed']);
  expect(JSON.parse(merged.out)).toMatchObject({ family: { tests: 4 } });

  const confirm = ['gate', '--baseline', 'HEAD~1', '--confirm', 'shards', '--out', 'pacegate-out/second'];
  const confirmed = await pacegate(path, [...confirm, '--format', 'json']);
  expect(confirmed.status).toBe(1);
  const rows = (JSON.parse(confirmed.out) as { results: { metric: string; confirmation: unknown }[] })
    .results;
  expect(
    rows.filter(({ metric }) => metric === 'cpu_time_s').map(({ confirmation }) => confirmation),
  ).toEqual([1, 2].map(() => expect.objectContaining({ confirmed: true, blocks: 8, sameMachine: true })));
  const again = await pacegate(path, ['compare', 'pacegate-out/second/session.json', '--format', 'json']);
  expect([again.status, JSON.parse(again.out)]).toEqual([1, JSON.parse(confirmed.out)]);
});

test('two runs are compared as stored evidence, which one night is too little for', async () => {
  const { path } = project(HOST);
  expect((await pacegate(path, ['run', '--out', 'one'])).status).toBe(0);
  const second = await pacegate(path, ['run', '--out', 'two']);
  expect(second.out).toMatch(/here +wall time +[\d.]+ m?s +[\d.]+ m?s … [\d.]+ m?s +10\n/);
  expect(readdirSync(join(path, 'two')).sort()).toEqual([
    '.gitignore',
    'openmetrics.txt',
    'report.md',
    'runs.jsonl',
    'session.json',
    'timeline.jsonl',
    'timings.csv',
  ]);
  const compared = await pacegate(path, [
    'compare',
    '--baseline',
    'one/session.json',
    '--head',
    'two/session.json',
  ]);
  expect(compared.status).toBe(0);
  expect(compared.out).toContain('1 of the 14 stored sessions that stored evidence needs');
  const timings = await pacegate(path, [
    'compare',
    '--baseline',
    'one/timings.csv',
    '--head',
    'two/timings.csv',
  ]);
  expect(timings.out).toContain('if it was the same one, set --same-machine');
});
