import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MOST_SAMPLES, readTimelines, type TimelineSample } from '../session/timeline.ts';
import type { Engine, RunResult } from './engine.ts';
import { hostEngine } from './engines/host.ts';
import { resolveInterpreter } from './engines/host-interpreter.ts';
import { run, twoSided } from '../session/session.test-support.ts';
import { openJournal } from './journal.ts';
import { never, runRequest } from './engines/run-request.test-support.ts';
import { timelineFile } from './timeline.ts';
import { findCgroup, processTree, type Found } from './usage-sources.ts';
import { SAMPLE_SECONDS, watch, type WatchWorld } from './usage-watch.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-timeline-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A clock that moves when it is told to, calling what is due on its way. */
function script(): WatchWorld & { pass: (seconds: number) => void; readonly looks: () => number } {
  let time = 0;
  let calls = 0;
  let due: { at: number; call: () => void } | undefined;
  return {
    now: () => time,
    after: (seconds, call) => {
      due = { at: time + seconds, call };
      return () => void (due = undefined);
    },
    pass: (seconds) => {
      const end = time + seconds;
      while (due !== undefined && due.at <= end + 1e-9) {
        const { at, call } = due;
        due = undefined;
        time = at;
        calls += 1;
        call();
      }
      time = end;
    },
    looks: () => calls,
  };
}
const source = (look: Found['look']): Found => ({ source: 'cgroup', look });

describe('watching', () => {
  test('takes the first sample as soon as there is something to look at, then one each interval', () => {
    const world = script();
    let cpu = 0;
    const there = source(() => [(cpu += 0.1), 1000, 600]);
    const { stop } = watch(() => (world.now() > 0.12 ? there : undefined), world);
    world.pass(0.12);
    world.pass(0.6);
    expect(stop()).toEqual({
      interval: SAMPLE_SECONDS,
      source: 'cgroup',
      note: undefined,
      samples: [
        [0.15, 0.1, 1000, 600],
        [0.4, 0.2, 1000, 600],
        [0.65, 0.3, 1000, 600],
      ],
    });
    world.pass(10);
    expect(cpu).toBeCloseTo(0.3);
  });

  test('keeps a long run within its bound, from its start to its end, and looks ever more rarely', () => {
    const world = script();
    const { stop } = watch(() => source(() => [world.now(), 1, null]), world);
    world.pass(3600);
    const { samples, interval } = stop();
    expect(samples.length).toBeLessThanOrEqual(MOST_SAMPLES);
    expect(samples.length).toBeGreaterThanOrEqual(MOST_SAMPLES / 2);
    expect(samples[0]![0]).toBe(0);
    expect(samples.at(-1)![0]).toBeGreaterThan(3600 - interval);
    expect(interval).toBe(16);
    const gaps = samples.slice(1).map(([t], index) => t - samples[index]![0]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(interval + 0.001);
    expect(world.looks()).toBeLessThan(MOST_SAMPLES * 5);
  });

  test('never lets CPU time go back', () => {
    const world = script();
    const used = [1, 3, 2.5, 4];
    const { stop } = watch(() => source(() => [used.shift() ?? 4, 1, 1]), world);
    world.pass(3 * SAMPLE_SECONDS);
    expect(stop().samples.map(([, cpu]) => cpu)).toEqual([1, 3, 3, 4]);
  });

  test('gives the reason if there are no samples: no trace, a run that had ended, a reading that failed', () => {
    const world = script();
    const lost = watch(() => undefined, world);
    world.pass(600);
    expect(world.looks()).toBeLessThan(250);
    expect(lost.stop()).toMatchObject({ samples: [], note: expect.stringContaining('another machine') });
    expect(watch(() => source(() => undefined), script()).stop().note).toContain(
      'ended before the first reading',
    );
    const failing = watch(() => {
      throw new Error('EMFILE');
    }, script());
    expect(failing.stop()).toMatchObject({ samples: [], note: expect.stringContaining('EMFILE') });
  });
});

const ID = 'ab'.repeat(32);
async function kernel(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return { cgroup: folder, proc: folder };
}

describe('the cgroup of a container', () => {
  test.each([`docker/${ID}`, `system.slice/docker-${ID}.scope`])('version 2 at %s', async (place) => {
    const roots = await kernel({
      [`${place}/cpu.stat`]: 'usage_usec 1250000\nuser_usec 1\nsystem_usec 2\n',
      [`${place}/memory.current`]: '8192\n',
      [`${place}/memory.stat`]: 'anon 4096\nfile 4096\nanon_thp 7\n',
    });
    expect(findCgroup(ID, roots)?.look()).toEqual([1.25, 8192, 4096]);
  });

  test('version 1', async () => {
    const roots = await kernel({
      [`cpuacct/docker/${ID}/cpuacct.usage`]: '2500000000\n',
      [`memory/docker/${ID}/memory.usage_in_bytes`]: '8192\n',
      [`memory/docker/${ID}/memory.stat`]: 'cache 1\nrss 4000\ntotal_cache 1\ntotal_rss 4096\n',
    });
    expect(findCgroup(ID, roots)?.look()).toEqual([2.5, 8192, 4096]);
  });

  test('without the controller of memory, or with another name than an id, there is none', async () => {
    const roots = await kernel({ [`docker/${ID}/cpu.stat`]: 'usage_usec 1\n' });
    expect(findCgroup(ID, roots)).toBeUndefined();
    expect(findCgroup('../../etc', roots)).toBeUndefined();
    expect(findCgroup('', roots)).toBeUndefined();
  });

  test('that has gone gives nothing', async () => {
    const roots = await kernel({
      [`docker/${ID}/cpu.stat`]: 'usage_usec 1\n',
      [`docker/${ID}/memory.current`]: '1\n',
    });
    const found = findCgroup(ID, roots);
    expect(found?.look()).toEqual([0.000001, 1, null]);
    await rm(join(folder, 'docker'), { recursive: true });
    expect(found?.look()).toBeUndefined();
  });
});

test('a tree of processes is summed, with ended processes and with names that contain brackets', async () => {
  const stat = (name: string, times: string) =>
    `7 (${name}) S 1 7 7 0 -1 4194304 1 2 3 4 ${times} 20 0 1 0 1\n`;
  const status = (rss: number, anonymous: number) =>
    `Name:\tx\nVmRSS:\t  ${rss} kB\nRssAnon:\t  ${anonymous} kB\n`;
  const roots = await kernel({
    '7/stat': stat('py) R 1', '100 20 3 4'),
    '7/status': status(10, 4),
    '7/task/7/children': '8 ',
    '7/task/9/children': '10 11 ',
    '8/stat': stat('sh', '1 1 0 0'),
    '8/status': status(2, 1),
    '8/task/8/children': '',
    // A zombie has no memory any more; 11 has gone since.
    '10/stat': stat('z', '1 0 0 0'),
    '10/status': 'Name:\tz\n',
  });
  expect(processTree(7, roots).look()).toEqual([1.3, 12 * 1024, 5 * 1024]);
  expect(processTree(12, roots).look()).toBeUndefined();
});

const RUN = run({
  ...{ variant: 'official', block: 3, position: 1, started: '2026-01-31T12:00:00.000Z' },
  ...{ metrics: {}, noise: {} },
});
const journal = () => openJournal(join(folder, 'runs.jsonl'), twoSided({ wall_time_s: [1, 1] }));

async function hostRun(script: readonly string[], lines: (samples: readonly TimelineSample[]) => void) {
  const python = await resolveInterpreter('python3');
  const timeline = timelineFile(join(folder, 'timeline.jsonl'), 's1', folder);
  const engine = timeline.watched(
    hostEngine({
      probe: join(import.meta.dirname, 'probe/probe.py'),
      facts: join(import.meta.dirname, 'probe/facts.py'),
      workFolder: folder,
    }),
  );
  const kept = timeline.beside(await journal());
  const request = runRequest([python, '-c', script.join('\n')], {
    runnable: { python, workingDirectory: folder },
  });
  const result = await engine.run(request, never);
  await kept.append({ ...RUN, block: 0 }, true);
  await engine.run(request, never);
  await kept.append(RUN, false);
  await kept.close();
  expect(timeline.trouble()).toBeUndefined();
  const text = await readFile(join(folder, 'timeline.jsonl'), 'utf8');
  const [line, ...more] = readTimelines(text, 'timeline.jsonl');
  expect(more).toEqual([]);
  expect(line).toMatchObject({ session: 's1', variant: 'official', side: 'head', block: 3, position: 1 });
  expect(line).toMatchObject({ interval_s: SAMPLE_SECONDS, source: 'processes' });
  lines(line?.samples ?? []);
  return result;
}

test('a real run on the host shows its CPU and its memory, a child’s too; a warm-up is not kept', async () => {
  const burn = 'import time; s = time.process_time()\nwhile time.process_time() - s < 0.5: pass';
  const result = await hostRun(
    [
      'import subprocess, sys, time',
      `subprocess.run([sys.executable, "-c", ${JSON.stringify(burn)}])`,
      'held = b"x" * 50_000_000',
      'time.sleep(0.9)',
    ],
    (samples) => {
      const cpu = samples.at(-1)?.[1] ?? 0;
      // The last sample may be of the end, when the memory has been given back.
      const memory = Math.max(...samples.map(([, , bytes]) => bytes));
      const anonymous = Math.max(...samples.map(([, , , bytes]) => bytes ?? 0));
      expect(cpu).toBeGreaterThan(0.45);
      expect(cpu).toBeLessThan(1.6);
      expect(memory).toBeGreaterThan(50_000_000);
      expect(anonymous).toBeGreaterThan(50_000_000);
      expect(anonymous).toBeLessThan(90_000_000);
      expect(samples.length).toBeGreaterThanOrEqual(4);
    },
  );
  expect(result.outcome).toBe('ok');
}, 60_000);

describe('nothing that goes wrong with the timeline reaches a run', () => {
  const result: RunResult = {
    outcome: 'ok',
    metrics: { wall_time_s: 1 },
    declared: {},
    noise: {},
    exitStatus: 0,
    message: undefined,
  };
  const engine: Engine = {
    run: () => Promise.resolve(result),
    facts: () => Promise.reject(new Error('not asked')),
    cleanUp: () => Promise.resolve(),
  };

  test('a file that cannot be written is reported, and the run counts', async () => {
    const timeline = timelineFile(join(folder, 'missing', 'timeline.jsonl'), 's1', folder);
    const kept = timeline.beside(await journal());
    expect(await timeline.watched(engine).run(runRequest(['true']), never)).toBe(result);
    await kept.append(RUN, false);
    await kept.close();
    expect(timeline.trouble()).toMatch(/cannot be written.*ENOENT/);
    expect(await readdir(folder)).toEqual(['runs.jsonl']);
  });

  test('a run that is over at once has a line with a note', async () => {
    const path = join(folder, 'timeline.jsonl');
    const timeline = timelineFile(path, 's1', folder);
    const kept = timeline.beside(await journal());
    await timeline.watched(engine).run(runRequest(['true']), never);
    await kept.append(RUN, false);
    await kept.close();
    expect(readTimelines(await readFile(path, 'utf8'), path)).toMatchObject([
      { samples: [], note: expect.stringContaining('was found') },
    ]);
  });

  test('no run is given a file that another has had, for the client would refuse it', async () => {
    const files = new Set<string>();
    const noting: Engine = {
      ...engine,
      run: ({ traces }) => {
        files.add(traces!.containerIdFile);
        return Promise.resolve(result);
      },
    };
    for (const name of ['one', 'two']) {
      const timeline = timelineFile(join(folder, `${name}.jsonl`), 's1', folder);
      const kept = timeline.beside(await journal());
      for (let run = 0; run < 3; run++) await timeline.watched(noting).run(runRequest(['true']), never);
      await kept.close();
    }
    expect(files.size).toBe(6);
  });

  test('an error of the engine is passed on, and its id file is removed', async () => {
    const timeline = timelineFile(join(folder, 'timeline.jsonl'), 's1', folder);
    const broken: Engine = {
      ...engine,
      run: async ({ traces }) => {
        await writeFile(traces!.containerIdFile, ID);
        throw new Error('broken');
      },
    };
    await expect(timeline.watched(broken).run(runRequest(['true']), never)).rejects.toThrow('broken');
    expect((await readdir(folder)).filter((name) => name.endsWith('.id'))).toEqual([]);
  });

  test('no file stays open, whether or not a journal closes the timeline', async () => {
    const path = join(folder, 'handles.jsonl');
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      });
    const unused = timelineFile(path, 's1', folder);
    await unused.watched(engine).run(runRequest(['true']), never);
    expect(open()).toEqual([]);
    const kept = timelineFile(path, 's1', folder).beside(await journal());
    await kept.append(RUN, false);
    await kept.close();
    expect(open()).toEqual([]);
  });
});

test('a truncated timeline is read up to its end, and a file that is not one is named', () => {
  const line = JSON.stringify({
    ...{ session: 's', variant: 'v', side: 'head', block: 1, position: 0, attempt: 0 },
    ...{ started: RUN.started, interval_s: 0.25, samples: [[0, 0, 0, null]] },
  });
  expect(readTimelines(`${line}\n${line.slice(0, 40)}`, 'f')).toHaveLength(1);
  expect(() => readTimelines(`${line}\n{"session":1}\n`, 'f')).toThrow(/^f:2: not a run's timeline.*session/);
});
