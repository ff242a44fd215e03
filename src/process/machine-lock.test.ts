import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lockFolder, lockMachine } from './machine-lock.ts';

/** The lock of a machine, between real processes. */

let folder: string;
const children: ChildProcessWithoutNullStreams[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pacegate-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that holds the machine until it is told to end. */
async function otherRun(): Promise<ChildProcessWithoutNullStreams> {
  const program = `
    const { lockMachine } = await import(${JSON.stringify(join(import.meta.dirname, 'machine-lock.ts'))});
    const signal = new AbortController().signal;
    const release = await lockMachine({ folder: ${JSON.stringify(folder)}, waitSeconds: 60, signal, info: () => {} });
    console.log('locked');
    process.stdin.once('data', async () => { await release(); process.exit(0); });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

const lock = async (waitSeconds: number, signal = new AbortController().signal) => {
  const lines: string[] = [];
  const release = await lockMachine({ folder, waitSeconds, signal, info: (line) => lines.push(line) });
  return { release, lines };
};

test('a second process waits until the first has ended, and logs which process it waits for', async () => {
  const other = await otherRun();
  const began = performance.now();
  setTimeout(() => other.stdin.write('end'), 700);
  const { release, lines } = await lock(60);
  expect(performance.now() - began).toBeGreaterThan(600);
  expect(lines).toEqual([
    expect.stringMatching(
      new RegExp(
        `^Another Pacegate run, process ${String(other.pid)} since 2.*Z, measures on this machine\\. Waiting up to 1 min for its end\\.$`,
      ),
    ),
    expect.stringMatching(/^The other run ended after \d+ s\.$/),
  ]);
  await release();
});

test('the lock of a killed process is free at once', async () => {
  const other = await otherRun();
  other.kill('SIGKILL');
  await once(other, 'exit');
  const { release, lines } = await lock(60);
  expect(lines).toEqual([]);
  await release();
});

test('after the longest wait the run ends, and the error names the measuring process and what to do', async () => {
  const other = await otherRun();
  await expect(lock(1)).rejects.toThrow(
    new RegExp(
      `^Another Pacegate run, process ${String(other.pid)} since .* still measures on this machine, and this run waited 0 min.*nothing was measured. Start fewer jobs`,
    ),
  );
  // The next one may try again.
  other.stdin.write('end');
  await once(other, 'exit');
  await (await lock(60)).release();
});

test('a cancel ends the wait', async () => {
  await otherRun();
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 300);
  await expect(lock(60, ending.signal)).rejects.toThrow('This run was cancelled while it waited');
});

test('sessions of one process share it until the last one ends', async () => {
  const [first, second] = await Promise.all([lock(60), lock(60)]);
  await first.release();
  expect(readdirSync(folder)).toEqual([`run-${process.pid}`]);
  await second.release();
  expect(readdirSync(folder)).toEqual([]);
  // Another process can have it now.
  await otherRun();
});

test('the log does not contain text of a note that any user can write', async () => {
  const other = await otherRun();
  rmSync(join(folder, `run-${String(other.pid)}`));
  writeFileSync(join(folder, 'run-1'), '{"owner":"1@::error::x","since":"now"}');
  await expect(lock(1)).rejects.toThrow(/^Another Pacegate run still measures/);
});

test('without flock, or without a folder, the run continues and logs the reason', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = folder;
  const { release, lines } = await lock(60);
  process.env['PATH'] = path;
  expect(lines).toEqual([expect.stringMatching(/^This machine is not locked, .*flock.*ENOENT/)]);
  await release();
  writeFileSync(join(folder, 'file'), '');
  const said: string[] = [];
  const signal = new AbortController().signal;
  await (
    await lockMachine({
      ...{ folder: join(folder, 'file'), waitSeconds: 1, signal },
      info: (line) => said.push(line),
    })
  )();
  expect(said).toEqual([expect.stringMatching(/^This machine is not locked, .*ENOTDIR/)]);
});

test('the folder is the same for every TMPDIR, and a variable names another', () => {
  expect(lockFolder({ TMPDIR: '/elsewhere' })).toBe('/tmp/pacegate-measuring');
  expect(lockFolder({ PACEGATE_LOCK_FOLDER: '/run/pacegate' })).toBe('/run/pacegate');
});
