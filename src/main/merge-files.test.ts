import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { drawn } from '../session/session.test-support.ts';
import { parseSessionFile } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { sessionText } from '../session/write.ts';
import { familySize, namesOfShard } from '../session/shard.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { runTerminal } from './terminal.ts';

/** `merge`, and the commands that read its files, with files only. */

afterAll(removeTemporaryFolders);

const PLACES = { probe: '', facts: '', profiler: '', variants: '', fixtures: '', examples: '' };

/** Runs the program in this process. */
async function pacegate(...args: readonly string[]) {
  const written = { out: '', log: '' };
  const stream = (name: keyof typeof written) =>
    ({
      write: (text: string) => ((written[name] += text), true),
      isTTY: false,
    }) as unknown as NodeJS.WriteStream;
  const status = await runTerminal(args, PLACES, { out: stream('out'), log: stream('log') });
  return { status, ...written };
}

const wall = (change: number) => ({ wall_time_s: { level: 1, change, spread: 0.002 } });
const gate = drawn({ a: wall(0), b: wall(0.05), c: wall(0) }, { blocks: 12 });
const shards = [1, 2].map((index): Session => {
  const names = namesOfShard(gate.variants, { index, of: 2 });
  const own = <Thing extends { readonly variant: string }>(things: readonly Thing[]) =>
    things.filter(({ variant }) => names.includes(variant));
  return {
    ...gate,
    id: `shard-${index}`,
    seed: index,
    machine: { ...gate.machine, cpuModel: `CPU ${index}` },
    shard: { index, of: 2, tests: familySize(3, gate.rules.metrics), variants: gate.variants },
    variants: [...names],
    images: own(gate.images),
    warmup: own(gate.warmup),
    runs: own(gate.runs),
  };
});
const confirmation = (change: number): Session => ({
  ...drawn({ b: wall(change) }, { blocks: 8, seed: 2 }),
  id: 'second',
  purpose: 'confirmation',
  rules: gate.rules,
  machine: { ...gate.machine, cpuModel: 'another' },
});

/** A folder for each artifact, as actions/download-artifact makes them. */
function folderOf(...sessions: readonly Session[]): string {
  const folder = temporaryFolder();
  for (const session of sessions) {
    mkdirSync(join(folder, session.id));
    writeFileSync(join(folder, session.id, 'session.json'), sessionText(session));
  }
  return folder;
}

test('merge gives the verdict of all shards, and the file that it writes gives the same', async () => {
  const folder = folderOf(...shards);
  const out = join(temporaryFolder(), 'out');
  const merged = await pacegate('merge', folder, '--out', out, '--format', 'json');
  expect(merged.status).toBe(1);
  const found = JSON.parse(merged.out) as {
    family: unknown;
    results: { variant: string; verdict: string }[];
  };
  expect(found.family).toEqual({ tests: 3, alpha: 0.05 });
  expect(found.results.map(({ variant }) => variant)).toEqual(['a', 'b', 'c']);
  expect(found.results[1]?.verdict).toBe('regressed');
  const file = join(out, 'session.json');
  expect(parseSessionFile(readFileSync(file, 'utf8'), file)).toEqual({
    format: 'pacegate-merged',
    version: 1,
    parts: shards,
  });
  expect(JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8'))).toEqual(found);
  expect(readFileSync(join(out, 'timings.csv'), 'utf8').split('\n')).toHaveLength(2 + gate.runs.length);
  for (const command of ['compare', 'report']) {
    const again = await pacegate(command, file, '--format', 'json');
    expect([again.status, JSON.parse(again.out)]).toEqual([command === 'compare' ? 1 : 0, found]);
  }
  // A merge of merged files, in any order and together with their parts, gives the same file.
  const twice = await pacegate('merge', file, folder, '--out', join(out, 'twice'), '--format', 'json');
  expect(JSON.parse(twice.out)).toEqual(found);
});

test('the report names the machine and the seed of every job', async () => {
  const out = temporaryFolder();
  const { out: text } = await pacegate(
    'merge',
    folderOf(...shards, confirmation(0.05)),
    '--out',
    out,
    '--format',
    'markdown',
  );
  expect(text).toContain('CPU 1');
  expect(text).toContain('CPU 2');
  expect(text).toMatch(/shard 2 of 2.*seed 2/);
  expect(text).toMatch(/confirmation.*another/);
});

test('a confirmed regression is marked in its row and fails the job', async () => {
  const { status, out } = await pacegate(
    'merge',
    folderOf(...shards, confirmation(0.048)),
    '--out',
    temporaryFolder(),
  );
  expect(status).toBe(1);
  expect(out).toMatch(/b +wall time .*regressed, confirmed on a second runner: \+4\.\d %\n/);
});

test('one that is not confirmed shows both figures and does not fail the job', async () => {
  const { status, out } = await pacegate(
    'merge',
    folderOf(...shards, confirmation(0.004)),
    '--out',
    temporaryFolder(),
  );
  expect(status).toBe(0);
  expect(out).toMatch(
    /regressed by \+4\.\d % in the first session and not in the second \(\+0\.\d %, another machine\): reported; it does not fail the job/,
  );
});

test('a missing shard is reported, and no verdict passes', async () => {
  const { status, out } = await pacegate('merge', folderOf(shards[1]!), '--out', temporaryFolder());
  expect(status).toBe(3);
  expect(out).toContain('Shard 1 of 2 is missing: no data for a, c.');
});

test.each<[string, () => readonly string[], RegExp]>([
  [
    'another workload',
    () => ['merge', folderOf(shards[0]!, { ...shards[1]!, workload: { ...gate.workload, hash: 'v' } })],
    /the workload's hash: .*shard-1\/session\.json has w, .*shard-2\/session\.json has v; expected: one/,
  ],
  ['an empty folder', () => ['merge', temporaryFolder()], /holds no session\.json/],
  ['a missing file', () => ['merge', 'nowhere.json'], /nowhere\.json cannot be read/],
  [
    'several heads',
    () => ['compare', ...shards.map((one) => join(folderOf(one), one.id, 'session.json'))],
    /together, run pacegate merge/,
  ],
  [
    'a shard that confirms',
    () => ['gate', '--shard', '1/2', '--confirm', 'x'],
    /--shard 1\/2 and --confirm were both given/,
  ],
])('%s is the user’s to mend: status 2, and no file is written', async (_, args, message) => {
  const out = join(temporaryFolder(), 'out');
  const [command = '', ...rest] = args();
  const { status, log } = await pacegate(command, ...rest, ...(command === 'compare' ? [] : ['--out', out]));
  expect(log).toMatch(message);
  expect(status).toBe(2);
  expect(existsSync(out)).toBe(false);
});
