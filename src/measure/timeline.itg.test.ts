import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withEngine } from '../process/engine.test-support.ts';
import type { Image } from '../session/session.ts';
import { readTimelines, type Timeline } from '../session/timeline.ts';
import { containerEngine } from './engines/container.ts';
import { twoSided } from '../session/session.test-support.ts';
import { openJournal } from './journal.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { never, runRequest } from './engines/run-request.test-support.ts';
import { timelineFile } from './timeline.ts';

jest.setTimeout(600_000);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-timeline-'));
});
afterAll(() => rm(folder, { recursive: true }));
const engine = containerEngine({
  sessionId: `timeline-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, 'probe/probe.py'),
  facts: join(import.meta.dirname, 'probe/facts.py'),
});
afterEach(() => engine.cleanUp());

async function timelineOf(...lines: readonly string[]): Promise<Timeline> {
  const timeline = timelineFile(join(folder, 'timeline.jsonl'), 's1', folder);
  const journal = timeline.beside(
    await openJournal(join(folder, 'runs.jsonl'), twoSided({ wall_time_s: [1, 1] })),
  );
  const started = new Date().toISOString();
  const { outcome, metrics, noise, exitStatus } = await timeline.watched(engine).run(
    runRequest(['python', '-c', lines.join('\n')], {
      runnable: {
        image: { variant: 'official', side: 'head', id: 'python:3.13-slim-trixie' } as Image,
        filesFrom: folder,
      },
    }),
    never,
  );
  expect(outcome).toBe('ok');
  await journal.append(
    {
      ...{ variant: 'official', side: 'head', block: 1, position: 0, attempt: 0, started },
      ...{ outcome, metrics, noise, exitStatus },
    },
    false,
  );
  await journal.close();
  const [line] = readTimelines(await readFile(join(folder, 'timeline.jsonl'), 'utf8'), 'timeline.jsonl');
  if (line === undefined) throw new Error('there is no line');
  return line;
}

withEngine('a second of CPU, and then 50 MB held, are both in a container’s samples', async () => {
  const { samples, source } = await timelineOf(
    'import time',
    'while time.process_time() < 1: pass',
    'held = b"x" * 50_000_000',
    'time.sleep(1.5)',
  );
  expect(source).toBe('cgroup');
  expect(samples.length).toBeGreaterThanOrEqual(6);
  const [first, last] = [samples[0]!, samples.at(-1)!];
  // The interpreter's start, the probe's and runc's are in it beside the second, and the starts timed behind it.
  expect(last[1]).toBeGreaterThan(1);
  expect(last[1]).toBeLessThan(2);
  expect(samples.filter(([, cpu]) => cpu > 0.1 && cpu < 0.95).length).toBeGreaterThanOrEqual(2);
  const before = samples.filter(([, cpu]) => cpu < 0.9);
  // The last sample may be of the container's end, when the workload has given its memory back.
  const memory = Math.max(...samples.map(([, , bytes]) => bytes));
  const anonymous = Math.max(...samples.map(([, , , bytes]) => bytes ?? 0));
  expect(Math.max(...before.map(([, , bytes]) => bytes))).toBeLessThan(45_000_000);
  expect(memory).toBeGreaterThan(50_000_000);
  expect(memory).toBeLessThan(90_000_000);
  expect(anonymous).toBeGreaterThan(50_000_000);
  expect(anonymous).toBeLessThan(75_000_000);
  expect(first[0]).toBeLessThan(last[0]);
  expect((await readdir(folder)).filter((name) => name.endsWith('.id'))).toEqual([]);
});

withEngine('a very short run has only the samples so far, and is not waited for', async () => {
  const started = performance.now();
  const { samples } = await timelineOf('pass');
  expect(samples.length).toBeLessThanOrEqual(Math.ceil((performance.now() - started) / 250) + 1);
});
