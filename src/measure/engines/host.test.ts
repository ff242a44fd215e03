import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import type { Engine, RunResult } from '../engine.ts';
import { killProcessesWith, processesWith } from '../../process/host-processes.ts';
import { hostEngine } from './host.ts';
import { resolveInterpreter } from './host-interpreter.ts';
import { never, runRequest } from './run-request.test-support.ts';
import { until } from '../../process/patience.test-support.ts';

const probe = join(import.meta.dirname, '../probe/probe.py');
const facts = join(import.meta.dirname, '../probe/facts.py');
let python: string;
let folder: string;
let engine: Engine;
beforeAll(async () => {
  python = await resolveInterpreter('python3');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-host-'));
  engine = hostEngine({ probe, facts, workFolder: folder });
});
afterEach(async () => {
  await engine.cleanUp();
  await rm(folder, { recursive: true });
});

/** The workload's living processes. */
const alive = () => processesWith(`PACEGATE_METRICS=${folder}/`);
const requested = (...lines: readonly string[]) =>
  runRequest(['sh', '-c', lines.join('\n')], { runnable: { python, workingDirectory: folder } });

/** A tree of processes that does not end by itself: children, orphans, a session of its own, deaf ears. */
const TREE = [
  'echo $PPID > probe.pid',
  'setsid sh -c \'trap "" TERM INT HUP; sleep 300; sleep 300\' &',
  '(setsid sleep 300 &)',
  'sleep 300',
];
/** The four of the tree with the command itself. */
const TREE_SIZE = 5;

/** Starts the tree and gives the probe's process id as soon as all of it is there. */
async function startTree(signal: AbortSignal): Promise<{ run: Promise<RunResult>; probePid: number }> {
  const run = engine.run(requested(...TREE), signal);
  await until(async () => (await alive()).length === TREE_SIZE);
  return { run, probePid: Number(await readFile(join(folder, 'probe.pid'), 'utf8')) };
}

test('the file of metrics replaces {metrics}, and is removed after it is read', async () => {
  const result = await engine.run(
    requested('test "$PACEGATE_METRICS" = {metrics} && echo "tasks 12" >{metrics}'),
    never,
  );
  expect(result).toMatchObject({ outcome: 'ok', metrics: { tasks: 12 } });
  expect(await readdir(folder)).toEqual([]);
});

describe('nothing of a workload is left alive', () => {
  test('when the run is aborted', async () => {
    const controller = new AbortController();
    const { run } = await startTree(controller.signal);
    controller.abort();
    await run;
    expect(await alive()).toEqual([]);
  });

  test('when the run is aborted before it has begun', async () => {
    const result = await engine.run(requested(...TREE), AbortSignal.abort());
    expect(result.outcome).toBe('engine');
    expect(await alive()).toEqual([]);
  });

  test('when the run is aborted and the probe does not hear it', async () => {
    const controller = new AbortController();
    const { run, probePid } = await startTree(controller.signal);
    process.kill(probePid, 'SIGSTOP');
    controller.abort();
    expect(await run).toMatchObject({ outcome: 'engine', message: 'the probe gave no answer (SIGKILL)' });
    expect(await alive()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGHUP', 'SIGTERM'] as const)('when %s reaches the probe', async (signal) => {
    const { run, probePid } = await startTree(never);
    process.kill(probePid, signal);
    expect(await run).toMatchObject({
      outcome: 'engine',
      message: 'the probe gave no answer (status 143)',
    });
    expect(await alive()).toEqual([]);
  });

  test('when the probe is killed, which its orphans do not keep the run from noticing', async () => {
    const { run, probePid } = await startTree(never);
    process.kill(probePid, 'SIGKILL');
    expect(await run).toMatchObject({ outcome: 'engine', message: 'the probe gave no answer (SIGKILL)' });
    expect(await alive()).toEqual([]);
  });

  test('when Pacegate itself is killed', async () => {
    // A process in Pacegate's place, which has just started the probe.
    const code = 'import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(300)';
    const pacegate = spawn(
      python,
      [
        '-c',
        code,
        python,
        '-I',
        '-S',
        probe,
        'run',
        `--metrics=${folder}/m`,
        '--',
        'sh',
        '-c',
        TREE.join('\n'),
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    await until(async () => (await alive()).length === TREE_SIZE);
    pacegate.kill('SIGKILL');
    await until(async () => (await alive()).length === 0);
  });

  test('after the clean-up, which keeps other sessions', async () => {
    const other = `PACEGATE_METRICS=${folder}-2/`;
    const start = (mark: string) =>
      spawn('sleep', ['300'], { stdio: 'ignore', env: { ...process.env, PACEGATE_METRICS: mark.slice(17) } });
    start(`PACEGATE_METRICS=${folder}/metrics-1.json`);
    start(`${other}metrics-1.json`);
    try {
      await until(async () => (await alive()).length === 1 && (await processesWith(other)).length === 1);
      await engine.cleanUp();
      expect(await alive()).toEqual([]);
      expect(await processesWith(other)).toHaveLength(1);
    } finally {
      await killProcessesWith(other);
    }
  });
});

describe('a run that cannot be started', () => {
  test('for want of its interpreter is the variant’s failure', async () => {
    const request = runRequest(['true'], {
      runnable: { python: '/nowhere/python', workingDirectory: folder },
    });
    expect(await engine.run(request, never)).toMatchObject({
      outcome: 'nonzero',
      message: expect.stringMatching(/^the interpreter \/nowhere\/python cannot be started\nenv: .*nowhere/),
    });
  });

  test('for want of its folder names the folder', async () => {
    const request = runRequest(['true'], { runnable: { python, workingDirectory: `${folder}/none` } });
    expect(await engine.run(request, never)).toMatchObject({
      outcome: 'engine',
      message: expect.stringContaining(`${folder}/none is not there any more`),
    });
  });

  test('because of the probe has the probe’s last words', async () => {
    await writeFile(`${folder}/broken.py`, 'import none');
    const broken = hostEngine({ probe: `${folder}/broken.py`, facts, workFolder: folder });
    expect(await broken.run(requested('true'), never)).toMatchObject({
      outcome: 'engine',
      message: expect.stringMatching(
        /^the probe gave no answer \(status 1\)\n.*broken\.py.*No module named 'none'/s,
      ),
    });
  });

  test('an interpreter that does not answer is an error that names the variant', async () => {
    const { runnable } = runRequest([], { runnable: { python: 'false' } });
    await expect(engine.facts(runnable)).rejects.toThrow('official: the interpreter false does not start');
  });
});

describe('a command', () => {
  test('with too much output is killed, and the kept output is bounded', async () => {
    const result = await runCommand('yes', [], { maxStdoutBytes: 1_000_000 });
    expect(result).toMatchObject({ status: null, signal: 'SIGKILL', timedOut: false });
    expect(result.stdout.length).toBeLessThanOrEqual(1_000_000);
  });

  test('that floods its error stream keeps its last 16 KiB, also of one endless line', async () => {
    const seen: number[] = [];
    const result = await runCommand('sh', ['-c', 'head -c 50000000 /dev/zero >&2; printf "\\nend" >&2'], {
      onStderrLine: (line) => seen.push(line.length),
    });
    expect(result.stderr).toHaveLength(16_384);
    expect(result.stderr).toMatch(/\nend$/);
    expect(seen).toHaveLength(2);
    expect(Math.max(...seen)).toBeLessThan(200_000);
  });

  test('that exceeds its time is killed, and the result reports it', async () => {
    const result = await runCommand('sh', ['-c', 'trap "" TERM; echo begun; sleep 300 & wait'], {
      timeoutSeconds: 1,
    });
    expect(result).toMatchObject({ status: null, signal: 'SIGKILL', timedOut: true, stdout: 'begun\n' });
  });

  test('that does not end when asked to is killed', async () => {
    const controller = new AbortController();
    const mark = `PACEGATE_TEST=${folder}`;
    const result = runCommand('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], {
      signal: controller.signal,
      env: { PACEGATE_TEST: folder },
    });
    await until(async () => (await processesWith(mark)).length === 2);
    controller.abort();
    expect(await result).toMatchObject({ status: null, signal: 'SIGKILL', timedOut: false });
  });

  test('is not waited for in the person of a process that it left with its pipes', async () => {
    const mark = `PACEGATE_TEST=${folder}`;
    try {
      const result = await runCommand('sh', ['-c', 'sleep 300 & echo done; echo words >&2; exit 4'], {
        env: { PACEGATE_TEST: folder },
        timeoutSeconds: 1,
      });
      expect(result).toMatchObject({ status: 4, stdout: 'done\n', stderr: 'words\n', timedOut: false });
      expect(await processesWith(mark)).toHaveLength(1);
    } finally {
      await killProcessesWith(mark);
    }
  });
});
