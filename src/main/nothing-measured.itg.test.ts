import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { HOST, project } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** A command that measured nothing, or was stopped, does not pass. Neither does its file when it is read. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const TWO = `${HOST}  lean: { interpreter: host, python: python3, flags: [-O] }\n`;

test.each([
  ['gate', ['gate', '--baseline', 'HEAD~1', '--budget', '1s']],
  ['run', ['run', '--budget', '1s']],
  ['rank', ['rank', '--budget', '1s']],
])('%s without a run ends with status 3 and says why', async (_, args) => {
  const made = project(TWO);
  made.write('app.py', 'import time\n\n\ndef work():\n    time.sleep(2)\n');
  made.commit('two');
  const { status, out, log } = await pacegate(made.path, args);
  expect(`${out}${log}`).toMatch(/budget/);
  expect(`${out}${log}`).not.toMatch(/The gate passes|unexpected error/);
  expect({ status, log: status === 3 ? '' : log }).toEqual({ status: 3, log: '' });
});

test.each([
  ['run', ['run']],
  ['rank', ['rank']],
])('%s of a workload that breaks in every variant ends with status 3', async (_, args) => {
  const made = repository();
  made.write(
    '.github/pacegate.yml',
    `version: 1\nworkload: { files: [bench.py], command: [python, bench.py] }\nvariants:\n${TWO}`,
  );
  made.write('bench.py', 'raise SystemExit("it breaks")\n');
  made.commit('one');
  const { status, out, log } = await pacegate(made.path, args);
  expect(`${out}${log}`).toMatch(/it breaks/);
  expect(status).toBe(3);
});

test('a cancelled gate does not pass when its files are compared or merged', async () => {
  const made = project(HOST, { rules: 'blocks: 30', rounds: 3_000_000 });
  made.write('README.md', 'words\n');
  made.write('bench.py', 'from app import work\n\nwork()  # again\n');
  made.commit('two');
  let told = false;
  const live = await pacegate(made.path, ['gate', '--baseline', 'HEAD~1'], (_, interrupt) => {
    const file = join(made.path, 'pacegate-out/runs.jsonl');
    if (told || !existsSync(file) || readFileSync(file, 'utf8').split('\n').length < 8) return;
    told = true;
    interrupt();
  });
  expect(told).toBe(true);
  expect(live.status).toBe(3);
  expect(live.out).not.toMatch(/The gate passes/);
  for (const args of [
    ['compare', 'pacegate-out/session.json'],
    ['compare', 'pacegate-out/runs.jsonl'],
    ['merge', 'pacegate-out', '--out', 'merged'],
    ['compare', 'merged/session.json'],
  ]) {
    const again = await pacegate(made.path, args);
    expect([args, again.status]).toEqual([args, 3]);
    expect(again.out).not.toMatch(/The gate passes/);
  }
});

test('the standard output is only JSON, whatever the workload prints', async () => {
  const made = project(HOST);
  const noise =
    'import sys\nprint("noise \\u001b[31m##[error]x")\nsys.stderr.write("\\u001b]0;t\\u0007\\u001b[2Jnoise\\n")\n';
  made.write('bench.py', `${noise}from app import work\n\nwork()\n`);
  made.commit('two');
  made.write('bench.py', `${noise}sys.exit("\\u001b[31mred\\u0000")\n`);
  made.commit('three');
  const { out, log } = await pacegate(made.path, ['gate', '--baseline', 'HEAD~1', '--format', 'json']);
  expect(JSON.parse(out)).toMatchObject({ verdict: 'failed' });
  expect(`${out}${log}`.replace(/\n/g, '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  expect(log).toContain('red');
});
