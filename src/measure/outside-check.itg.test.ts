import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { twoSided } from '../session/session.test-support.ts';
import { runCommand } from '../process/command.ts';
import { withEngine } from '../process/engine.test-support.ts';
import type { Image } from '../session/session.ts';
import { containerEngine } from './engines/container.ts';
import { openJournal } from './journal.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { never, runRequest } from './engines/run-request.test-support.ts';
import { timelineFile } from './timeline.ts';

/** Images whose interpreter lies, and honest ones that are hard to count, against the kernel's own count. */
jest.setTimeout(600_000);
const PYTHON_IMAGE = 'python:3.13-slim-trixie';
const LYING_IMAGE = `pacegate-itg-lying:${process.pid}`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-outside-'));
});
afterAll(async () => {
  await runCommand('docker', ['image', 'rm', '--force', LYING_IMAGE]);
  await rm(folder, { recursive: true });
});
const engine = containerEngine({
  sessionId: `outside-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, 'probe/probe.py'),
  facts: join(import.meta.dirname, 'probe/facts.py'),
});
afterEach(() => engine.cleanUp());

async function run(image: string, lines: readonly string[], repetitions = 1) {
  const timeline = timelineFile(join(folder, 'timeline.jsonl'), 's1', folder);
  const journal = timeline.beside(
    await openJournal(join(folder, 'runs.jsonl'), twoSided({ wall_time_s: [1, 1] })),
  );
  const result = await timeline.watched(engine).run(
    runRequest(['python', '-c', lines.join('\n')], {
      runnable: { image: { variant: 'official', side: 'head', id: image } as Image, filesFrom: folder },
      repetitions,
    }),
    never,
  );
  await journal.close();
  return result;
}

const BURN = [
  'import os, signal, threading, time',
  'def burn(seconds):',
  '    end = time.thread_time() + seconds',
  '    while time.thread_time() < end: pass',
];

withEngine(
  'a program in the place of the interpreter that edits the probe’s answer is found out',
  async () => {
    const wrapper = [
      '#!/usr/bin/python3.13',
      'import json, os, subprocess, sys',
      'real = "/usr/bin/python3.13"',
      'if "/pacegate/probe.py" not in sys.argv: os.execv(real, [real] + sys.argv[1:])',
      'done = subprocess.run([real] + sys.argv[1:], stdout=subprocess.PIPE, text=True)',
      'answer = json.loads(done.stdout.strip().splitlines()[-1])',
      'for name in ("cpu_time_s", "user_time_s", "system_time_s", "wall_time_s"): answer["metrics"][name] *= 0.124',
      'if answer["cgroupCpu"] is not None: answer["cgroupCpu"] *= 0.124',
      'print(json.dumps(answer))',
    ];
    await writeFile(join(folder, 'python'), wrapper.join('\n'), { mode: 0o755 });
    await writeFile(
      join(folder, 'Dockerfile'),
      `FROM ${PYTHON_IMAGE}\nRUN --network=none rm -f /usr/local/bin/python\nCOPY --chmod=755 python /usr/local/bin/python\n`,
    );
    const built = await runCommand('docker', ['build', '--quiet', '--tag', LYING_IMAGE, folder]);
    expect(built.stderr + String(built.status)).toMatch(/0$/);
    const result = await run(LYING_IMAGE, [...BURN, 'burn(1)']);
    expect(result).toMatchObject({ outcome: 'nonzero', metrics: {} });
    expect(result.message).toMatch(
      /^the figures from inside and outside differ: the run reports that its container used 0\.\d\d s of CPU time, and the kernel counted [1-9]\.\d\d s\. /,
    );
  },
);

withEngine.each([
  ['one process', ['burn(1.2)'], 1],
  [
    'threads',
    [
      'all = [threading.Thread(target=burn, args=(0.6,)) for _ in range(3)]',
      'for one in all: one.start()',
      'for one in all: one.join()',
    ],
    1,
  ],
  [
    'children that the kernel forgets',
    [
      'signal.signal(signal.SIGCHLD, signal.SIG_IGN)',
      'for _ in range(4):',
      '    if os.fork() == 0:',
      '        burn(0.3)',
      '        os._exit(0)',
      'try: os.wait()',
      'except ChildProcessError: pass',
    ],
    1,
  ],
  ['many short repetitions', ['burn(0.02)'], 30],
  ['nothing but a start', ['pass'], 1],
])('honest figures of %s are believed', async (_, lines, repetitions) => {
  const result = await run(PYTHON_IMAGE, [...BURN, ...lines], repetitions);
  expect(result.message).toBeUndefined();
  expect(result.outcome).toBe('ok');
});

withEngine('children that the kernel forgets are in CPU time, whatever their share', async () => {
  const child = (forget: boolean) => [
    ...BURN,
    ...(forget ? ['signal.signal(signal.SIGCHLD, signal.SIG_IGN)'] : []),
    'burn(0.6)',
    'if os.fork() == 0:',
    '    burn(0.1)',
    '    os._exit(0)',
    'try: os.wait()',
    'except ChildProcessError: pass',
  ];
  const forgotten = (await run(PYTHON_IMAGE, child(true))).metrics['cpu_time_s'] ?? 0;
  const waited = (await run(PYTHON_IMAGE, child(false))).metrics['cpu_time_s'] ?? 0;
  expect(forgotten).toBeGreaterThan(0.69);
  expect(Math.abs(forgotten / waited - 1)).toBeLessThan(0.05);
});
