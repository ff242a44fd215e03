import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { sessionText } from '../session/write.ts';
import { drawn } from '../session/session.test-support.ts';
import { withTimelines } from '../report/openmetrics.test-support.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import type { CommandContext } from './commands/command.ts';
import { mergeCommand } from './commands/merge.ts';
import { reportCommand } from './commands/report.ts';
import { foldersOf, timelinesIn, timelinesText } from '../out-folder/timeline-files.ts';

afterAll(removeTemporaryFolders);

const SESSION = drawn({ official: { wall_time_s: { level: 1, change: 0, spread: 0.001 } } }, { blocks: 8 });
const LINES = withTimelines(SESSION);

/** A folder as a job leaves it, and the output of the commands in it. */
function job(timeline: string) {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'job'));
  writeFileSync(join(folder, 'job/session.json'), sessionText(SESSION));
  writeFileSync(join(folder, 'job/timeline.jsonl'), timeline);
  const printed: string[] = [];
  const warned: string[] = [];
  const nothing = () => undefined;
  const context: CommandContext = {
    places: { probe: '', facts: '', profiler: '', variants: '', fixtures: '', examples: '' },
    print: (text) => void printed.push(text),
    colour: false,
    width: 100,
    log: { info: nothing, step: nothing, transient: nothing, warn: (line) => void warned.push(line) },
    signal: new AbortController().signal,
  };
  return { folder, printed, warned, context };
}

test('timelines are next to their sessions, each folder is read once, and timelines may be missing', async () => {
  const { folder } = job(timelinesText(LINES));
  const folders = foldersOf([
    join(folder, 'job/session.json'),
    join(folder, 'job/timings.csv'),
    join(folder, 'x.json'),
  ]);
  expect(folders).toEqual([join(folder, 'job'), folder]);
  expect(await timelinesIn(folders)).toEqual(LINES);
});

test('a merge keeps the timelines of its sessions, and its report has them', async () => {
  const { folder, printed, context } = job(timelinesText(LINES));
  const out = join(folder, 'merged');
  expect(await mergeCommand(context, [join(folder, 'job')], { out, format: 'openmetrics' })).toBe(0);
  expect(await timelinesIn([out])).toEqual(LINES);
  expect(printed[0]).toBe(readFileSync(join(out, 'openmetrics.txt'), 'utf8'));
  expect(printed[0]?.match(/^pacegate_timeline_cpu_seconds_total\{/gm)).toHaveLength(LINES.length * 3);
  await reportCommand(context, join(out, 'session.json'), { format: 'openmetrics' });
  expect(printed[1]).toBe(printed[0]);
});

test('a timeline that cannot be read prevents no verdict, and is reported to the command that needs it', async () => {
  const { folder, warned, context } = job('{}\n');
  const out = join(folder, 'merged');
  expect(await mergeCommand(context, [join(folder, 'job')], { out, format: 'json' })).toBe(0);
  expect(warned).toEqual([expect.stringContaining('timeline.jsonl:1: not a run')]);
  await expect(
    reportCommand(context, join(folder, 'job/session.json'), { format: 'openmetrics' }),
  ).rejects.toThrow(/timeline\.jsonl:1: not a run's timeline/);
});
