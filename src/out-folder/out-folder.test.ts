import { execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { openOutFolder } from './out-folder.ts';
import { statusOfFiles, writeResults } from '../pipeline/results.ts';
import { twoSided } from '../session/session.test-support.ts';
import { compareSession } from '../verdict/compare.ts';
import { readSessions } from './session-files.ts';

afterAll(removeTemporaryFolders);

const filesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort();

test.each([
  ['/proc/x', /^The out folder \/proc\/x cannot be made and written \(ENOENT.*Name another with --out\.$/],
  ['/proc/x/y', /^The out folder \/proc\/x\/y cannot be made and written \(ENOENT/],
  ['/dev/null', /^The out folder \/dev\/null cannot be made and written \(EEXIST/],
  ['/dev/null/x', /^The out folder \/dev\/null\/x cannot be made and written \(/],
  ['/proc', /^The out folder \/proc cannot be made and written \(/],
])('%s as the out folder is refused at once', async (folder, message) => {
  const opening = openOutFolder(folder);
  await expect(opening).rejects.toThrow(ConfigurationError);
  await expect(opening).rejects.toThrow(message);
});

test('a link that leads nowhere is refused; a folder that is made ignores itself, one that was there does not', async () => {
  const folder = temporaryFolder();
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  await expect(openOutFolder(join(folder, 'link'))).rejects.toThrow(/cannot be made and written/);
  const made = await openOutFolder(join(folder, 'a/b'));
  expect(readdirSync(made.path)).toContain('.gitignore');
  await made.close();
  const there = await openOutFolder(folder);
  expect(readdirSync(there.path)).not.toContain('.gitignore');
  await there.close();
  expect(filesIn(folder)).toEqual(['a', 'link']);
});

test('files of an earlier run are moved aside when the next begins: they are kept and not mistaken for the new ones', async () => {
  const folder = temporaryFolder();
  const session = twoSided({ wall_time_s: [1, 1] });
  const first = await openOutFolder(folder);
  await writeResults(first, session, compareSession(session), () => 'first\n');
  await first.write('profiles/a.callgrind', 'profile');
  await first.close();
  writeFileSync(join(folder, 'mine.txt'), 'mine');
  // A second run that fails at once.
  await (await openOutFolder(folder)).close();
  expect(filesIn(folder)).toEqual(['mine.txt', 'previous']);
  expect(filesIn(join(folder, 'previous'))).toEqual([
    'comparison.json',
    'openmetrics.txt',
    'profiles',
    'report.md',
    'session.json',
    'timings.csv',
  ]);
  await expect(readSessions([folder])).rejects.toThrow(/holds no session\.json and no runs\.jsonl/);
  // A third run that only wrote its runs.
  const third = await openOutFolder(folder);
  await third.write('runs.jsonl', '');
  await third.close();
  await (await openOutFolder(folder)).close();
  expect(filesIn(join(folder, 'previous'))).toEqual(['runs.jsonl']);
});

test('files of these names that no run left stay where they are', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'report.md'), 'mine');
  mkdirSync(join(folder, 'profiles'));
  const out = await openOutFolder(folder);
  expect(filesIn(folder)).toEqual(['profiles', 'report.md']);
  await out.close();
});

test('two runs cannot have one folder; that of a process that is gone is free', async () => {
  const folder = temporaryFolder();
  const lock = join(folder, '.pacegate-lock');
  const [, place = ''] = ownerOfThisProcess().split('@');
  const other = spawn('sleep', ['60']);
  writeFileSync(lock, `${other.pid}@${place}`);
  const message = new RegExp(
    `^Another run of Pacegate \\(process ${other.pid}\\) writes into ${folder}\\. Wait for its end`,
  );
  await expect(openOutFolder(folder)).rejects.toThrow(message);
  // A process on this machine is checked directly, for a lock of any age.
  utimesSync(lock, 0, 0);
  await expect(openOutFolder(folder)).rejects.toThrow(message);
  const ended = new Promise((resolve) => other.on('close', resolve));
  other.kill('SIGKILL');
  await ended;
  const out = await openOutFolder(folder);
  expect(readFileSync(lock, 'utf8')).toBe(ownerOfThisProcess());
  await out.close();
  // A process in another container counts as running while it renews its lock.
  writeFileSync(lock, `1@${place}9`);
  await expect(openOutFolder(folder)).rejects.toThrow(/^Another run of Pacegate \(process 1\)/);
  utimesSync(lock, new Date(), new Date(Date.now() - 120_000));
  await (await openOutFolder(folder)).close();
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that was removed in the meantime is made again', async () => {
  const out = await openOutFolder(join(temporaryFolder(), 'out'));
  rmSync(out.path, { recursive: true });
  expect(readFileSync(await out.write('report.md', 'text'), 'utf8')).toBe('text');
  await out.close();
});

test('a file that cannot be written does not stop the others; status 0 becomes 3, and a refusal stays one', async () => {
  const session = twoSided({ wall_time_s: [1, 1] });
  const out = await openOutFolder(temporaryFolder());
  mkdirSync(join(out.path, 'timings.csv'));
  writeFileSync(join(out.path, 'timings.csv', 'x'), '');
  await expect(out.write('timings.csv', '')).rejects.toThrow(MeasurementError);
  await writeResults(out, session, compareSession(session), () => {
    throw new TypeError('no report');
  });
  expect(filesIn(out.path)).toEqual(['comparison.json', 'openmetrics.txt', 'session.json', 'timings.csv']);
  expect((await readSessions([out.path]))[0]?.session.id).toBe(session.id);
  const said: string[] = [];
  expect(statusOfFiles(out, 0, (text) => said.push(text))).toBe(3);
  expect(statusOfFiles(out, 1, () => undefined)).toBe(1);
  expect(said).toEqual([
    expect.stringMatching(/timings\.csv cannot be written \(/),
    expect.stringMatching(
      /^A file of the run could not be made from the measurements \(TypeError: no report\)\. This is a fault of Pacegate/,
    ),
  ]);
  await out.close();
});

test('a full disk stops no other file either', async () => {
  const folder = temporaryFolder();
  // A file system of 64 kB needs privileges that some machines do not grant.
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return;
  }
  try {
    const out = await openOutFolder(folder);
    writeFileSync(join(folder, 'filler'), Buffer.alloc(40_000));
    const session = { ...twoSided({ wall_time_s: [1, 1] }), notes: ['x'.repeat(100_000)] };
    await writeResults(out, session, compareSession(session), () => 'short\n');
    // No file is half written.
    expect(filesIn(folder)).not.toContain('session.json');
    expect(filesIn(folder)).toContain('report.md');
    expect(out.lost()[0]).toMatch(/session\.json cannot be written \(ENOSPC.*Is the disk full/);
    await out.close();
  } finally {
    execFileSync('umount', [folder]);
  }
});
