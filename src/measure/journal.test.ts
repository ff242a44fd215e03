import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareSession } from '../verdict/compare.ts';
import { exitStatus } from '../verdict/exit-status.ts';
import { run as anyRun, twoSided } from '../session/session.test-support.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { isJournal, readJournal, sessionOfJournal } from '../session/journal.ts';
import { openJournal } from './journal.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-journal-'));
  path = join(folder, 'runs.jsonl');
});
afterAll(() => rm(folder, { recursive: true }));

const SESSION: Session = { ...twoSided({ wall_time_s: [1, 1] }), warmup: [], runs: [] };

const run = (block: number, change: Partial<Run> = {}): Run =>
  anyRun({
    ...{ variant: 'official', block, started: '2026-01-31T12:00:00.000Z' },
    metrics: { wall_time_s: 1.25, tasks: 1e-9 },
    noise: { load_1m: 0.5 },
    ...change,
  });

async function written(...runs: readonly (readonly [Run, boolean])[]): Promise<string> {
  const journal = await openJournal(path, SESSION);
  for (const [one, warmup] of runs) await journal.append(one, warmup);
  await journal.close();
  return await readFile(path, 'utf8');
}

test('appended runs are read back unchanged, with the warm-up separate', async () => {
  const failed = run(2, {
    outcome: 'oom',
    metrics: {},
    exitStatus: null,
    message: 'two\nlines, "quoted" – é',
  });
  const text = await written([run(0), true], [run(1), false], [failed, false]);
  expect(readJournal(text, 'runs.jsonl')).toMatchObject({ warmup: [run(0)], runs: [run(1), failed] });
});

test('each run is on the disk before the next one starts', async () => {
  const journal = await openJournal(path, SESSION);
  for (const block of [1, 2, 3]) {
    await journal.append(run(block), false);
    expect(readJournal(await readFile(path, 'utf8'), path).runs).toHaveLength(block);
  }
  await journal.close();
});

test('an older journal of the same name is replaced', async () => {
  await written([run(1), false], [run(2), false]);
  expect(readJournal(await written([run(3), false]), path)).toMatchObject({ warmup: [], runs: [run(3)] });
});

test('a last line that a crash cut anywhere is left out', async () => {
  const text = await written([run(0), true], [run(1), false]);
  const first = text.indexOf('\n', text.indexOf('\n') + 1) + 1;
  for (const end of [first, first + 1, text.length - 1])
    expect(readJournal(text.slice(0, end), 'runs.jsonl')).toMatchObject({ warmup: [run(0)], runs: [] });
  expect(readJournal('', 'runs.jsonl')).toMatchObject({ warmup: [], runs: [] });
});

test.each([
  ['broken JSON', '{"warmup":fal', /^out\/runs\.jsonl:2: not a run .*JSON.*Remove the line/],
  ['an empty line', '', /^out\/runs\.jsonl:2: /],
  ['no run', '{"warmup":false}', /^out\/runs\.jsonl:2: .*side: .*; .*outcome: /],
  ['a run that does not say whether it warmed up', JSON.stringify(run(1)), /:2: .*warmup: /],
  [
    'an infinite number',
    JSON.stringify({ warmup: false, ...run(1) }).replace('1.25', '1e999'),
    /wall_time_s/,
  ],
])('%s in the middle is an error that names file and line', async (_, bad, message) => {
  const [, good = ''] = (await written([run(1), false])).split('\n');
  const read = () => readJournal([good, bad, good, ''].join('\n'), 'out/runs.jsonl');
  expect(read).toThrow(ConfigurationError);
  expect(read).toThrow(message);
});

test('the session of a run that was killed is read back from its journal: interrupted, and nothing to pass by', async () => {
  const whole = twoSided({ wall_time_s: [1, 1] });
  const journal = await openJournal(path, { ...whole, warmup: [], runs: [] });
  for (const one of whole.warmup) await journal.append(one, true);
  const settings = {
    repetitions: { a: 3 },
    declaredMetrics: { tasks: { unit: 'rows', better: 'higher' as const } },
  };
  await journal.describe({ repetitions: {}, declaredMetrics: {} });
  await journal.describe(settings);
  for (const one of whole.runs) await journal.append(one, false);
  // No close: the process is gone.
  const text = await readFile(path, 'utf8');
  await journal.close();
  expect(isJournal(text)).toBe(true);
  const session = sessionOfJournal(text, path);
  expect(session).toMatchObject({
    id: whole.id,
    warmup: whole.warmup,
    runs: whole.runs,
    workload: { ...whole.workload, repetitions: settings.repetitions },
    declaredMetrics: settings.declaredMetrics,
    interrupted: true,
  });
  expect(session.notes.at(-1)).toMatch(/^This session was read back from runs\.jsonl/);
  expect(exitStatus(compareSession(session), ['regressed'])).toBe(3);
});

test('a journal without its first line is refused, and the message names what is missing', () => {
  const text = `${JSON.stringify({ warmup: false, ...run(1) })}\n`;
  expect(isJournal(text)).toBe(false);
  expect(() => sessionOfJournal(text, 'old/runs.jsonl')).toThrow(
    /^old\/runs\.jsonl does not name the session of its runs/,
  );
});

test('a journal that cannot be written stops no run and is reported', async () => {
  for (const bad of ['/dev/full', join(folder, 'missing', 'runs.jsonl')]) {
    const journal = await openJournal(bad, SESSION);
    await journal.append(run(1), false);
    await journal.append(run(2), false);
    await journal.close();
    expect(journal.trouble()).toMatch(/ is incomplete \(Error: EN/);
  }
});

test.each([
  ['lists in lists', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, /found 51 nested lists and objects/],
  ['lists without number', `[${'[],'.repeat(6e5)}0]`, /found 60000\d lists and objects/],
])('%s are refused before anything is made of them', (_, value, message) => {
  const text = `{"format":"pacegate-runs","version":1,"session":{"notes":${value}}}\n`;
  expect(isJournal(text)).toBe(true);
  expect(() => sessionOfJournal(text, 'runs.jsonl')).toThrow(ConfigurationError);
  expect(() => sessionOfJournal(text, 'runs.jsonl')).toThrow(message);
});

test('a journal of more lines than a session has runs is refused, and one of more runs too', async () => {
  const line = `${JSON.stringify({ warmup: false, ...run(1) })}\n`;
  expect(() => readJournal(line.repeat(44_002), 'runs.jsonl')).toThrow(
    /^runs\.jsonl cannot be read as the runs of a session: found 44002 lines; must be at most 44001\. Measure again\.$/,
  );
  const [header = ''] = (await written()).split('\n');
  expect(() => sessionOfJournal(`${header}\n${line.repeat(20_001)}`, 'runs.jsonl')).toThrow(
    /runs: found 20001; must be at most 20000/,
  );
});

test('the message on a line with many wrong values is short', () => {
  const metrics = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`metric_${n}`, 'x']));
  const text = `${JSON.stringify({ warmup: false, ...run(1), metrics })}\n`;
  let message = '';
  try {
    readJournal(text, 'runs.jsonl');
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(/^runs\.jsonl:1: .*metrics\.metric_9: .*; … and 2990 more\)/);
  expect(message.length).toBeLessThan(2000);
});
