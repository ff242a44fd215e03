import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { processesWith } from '../process/host-processes.ts';
import { sessionOfJournal } from '../session/journal.ts';
import { parseSession } from '../session/read.ts';
import { until } from '../process/patience.test-support.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** How the program ends after signals, tested as a separate process with this machine's Python. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CLI = join(import.meta.dirname, '../cli.ts');

function project(workload = 'import time; time.sleep(0.6)\n') {
  const made = repository();
  made.write(
    '.github/pacegate.yml',
    'version: 1\nworkload: { files: [bench.py], command: [python, bench.py], timeout: 60s }\nvariants:\n  here: { interpreter: host, python: python3 }\nrules: { blocks: 30 }\n',
  );
  made.write('bench.py', workload);
  made.commit('one');
  made.write('app.py', 'X = 1\n');
  made.commit('two');
  return made.path;
}

interface Started {
  readonly child: ChildProcess;
  /** The folder for its temporary files. */
  readonly temporary: string;
  readonly out: string;
  readonly log: () => string;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
}

/**
 * Starts a gate.
 * @param stdout a file for its output
 */
function start(path: string, stdout?: string, temporary = temporaryFolder()): Started {
  const printedTo = stdout === undefined ? 'ignore' : openSync(stdout, 'w');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, 'gate', '--baseline', 'HEAD~1', '--budget', '60s'],
    { cwd: path, env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', printedTo, 'pipe'] },
  );
  if (typeof printedTo === 'number') closeSync(printedTo);
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<{ status: number | null; signal: string | null }>((resolve) => {
    child.on('close', (status, signal) => {
      resolve({ status, signal });
    });
  });
  return { child, temporary, out: join(path, 'pacegate-out'), log: () => log, ended };
}

/** Waits until two blocks are on the disk. */
const measuring = async ({ out }: Started) => {
  const file = join(out, 'runs.jsonl');
  await until(() => existsSync(file) && readFileSync(file, 'utf8').split('\n').length > 7);
};

const running = async ({ temporary }: Started) => await processesWith(`PACEGATE_METRICS=${temporary}/`);

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
  '%s keeps the session, and leaves nothing behind',
  async (signal) => {
    const gate = start(project());
    await measuring(gate);
    gate.child.kill(signal);
    expect(await gate.ended).toEqual({ status: 3, signal: null });
    const file = join(gate.out, 'session.json');
    expect(parseSession(readFileSync(file, 'utf8'), file).runs.length).toBeGreaterThan(2);
    expect(readdirSync(gate.temporary)).toEqual([]);
    expect(readdirSync(gate.out)).not.toContain('.pacegate-lock');
    await until(async () => (await running(gate)).length === 0, 60);
  },
);

test('a second Ctrl-C ends at once, and leaves nothing behind either; its runs can be read', async () => {
  const path = project('import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1)\n');
  const gate = start(path);
  await measuring(gate);
  gate.child.kill('SIGINT');
  await until(() => gate.log().includes('Cancelled'));
  gate.child.kill('SIGINT');
  const ended = await gate.ended;
  // The first signal may be enough. Then the second one reaches a program that is ending and no longer listens.
  expect([130, 3, null]).toContain(ended.status);
  expect(readdirSync(gate.temporary)).toEqual([]);
  expect(readdirSync(gate.out)).not.toContain('.pacegate-lock');
  await until(async () => (await running(gate)).length === 0, 60);
  expect(
    sessionOfJournal(readFileSync(join(gate.out, 'runs.jsonl'), 'utf8'), 'runs.jsonl').runs.length,
  ).toBeGreaterThan(2);
});

test('after SIGKILL the runs are read back as a session, and the next start stops and removes the rest', async () => {
  const path = project();
  const gate = start(path);
  await measuring(gate);
  gate.child.kill('SIGKILL');
  expect(await gate.ended).toMatchObject({ signal: 'SIGKILL' });
  expect(readdirSync(gate.temporary)).toHaveLength(1);
  const report = await pacegate(path, ['report', 'pacegate-out', '--format', 'json']);
  expect(report.status).toBe(0);
  expect(report.out).toContain('"wall_time_s"');
  const compared = await pacegate(path, ['compare', 'pacegate-out/runs.jsonl']);
  expect(compared.status).toBe(3);
  const next = start(path, undefined, gate.temporary);
  await until(() => existsSync(join(next.out, 'previous/runs.jsonl')));
  await measuring(next);
  // The killed run's files are in `previous`, its temporary folder is removed, and the remaining one belongs to this
  // run.
  expect(readdirSync(next.temporary)).toHaveLength(1);
  expect(readdirSync(join(next.out, 'previous'))).toContain('runs.jsonl');
  next.child.kill('SIGTERM');
  expect(await next.ended).toMatchObject({ status: 3 });
  expect(readdirSync(next.temporary)).toEqual([]);
});

test('a second gate into one folder is refused, and the first continues', async () => {
  const path = project();
  const gate = start(path);
  await measuring(gate);
  const second = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(second.status).toBe(2);
  expect(second.log).toMatch(
    /^pacegate: Another run of Pacegate \(process \d+\) writes into .*pacegate-out\. Wait/,
  );
  gate.child.kill('SIGTERM');
  expect(await gate.ended).toMatchObject({ status: 3 });
});

test('a full standard output is reported in one line; the files are written, and status 0 becomes 3', async () => {
  const path = project();
  const gate = start(path, '/dev/full');
  await measuring(gate);
  gate.child.kill('SIGTERM');
  expect((await gate.ended).status).toBe(3);
  expect(gate.log()).toMatch(/pacegate: the standard output cannot be written \(ENOSPC/);
  expect(gate.log()).not.toMatch(/^ {4}at /m);
  expect(readdirSync(gate.temporary)).toEqual([]);
  const again = await pacegate(path, ['report', 'pacegate-out/session.json', '--format', 'csv']);
  expect(again.status).toBe(0);
});

test.each([
  [['gate', '--out', '/proc/x'], {}, /The out folder \/proc\/x cannot be made and written/],
  [
    ['gate'],
    { TMPDIR: '/nowhere' },
    /The folder for temporary files \/nowhere cannot be used \(ENOENT.*Set TMPDIR/,
  ],
  [['gate'], { PATH: '/nowhere' }, /git/],
  [['facts', '/etc/passwd'], {}, /\/etc\/passwd/],
])('%j with %j is the user’s to mend, in one sentence', async (args, environment, message) => {
  const { status, out, log } = await pacegate(project(), args, undefined, environment);
  expect(log).toMatch(message);
  expect(log).not.toMatch(/unexpected error|^ {4}at /m);
  expect([status, out]).toEqual([2, '']);
});

test('a folder next to the work folders that is not one of them is kept', async () => {
  const gate = start(project());
  mkdirSync(join(gate.temporary, 'pacegate-work-mine'));
  await measuring(gate);
  gate.child.kill('SIGTERM');
  await gate.ended;
  expect(readdirSync(gate.temporary)).toEqual(['pacegate-work-mine']);
});
