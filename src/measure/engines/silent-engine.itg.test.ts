import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../process/command.ts';
import { startOwnEngine, withOwnEngine, type OwnEngine } from '../../process/own-engine.test-support.ts';
import type { Image } from '../../session/session.ts';
import { containerEngine } from './container.ts';
import { ownerOfThisProcess } from '../../process/owner.ts';
import { never, runRequest } from './run-request.test-support.ts';
import { until } from '../../process/patience.test-support.ts';

/** An engine that falls silent in a run, dies in it, or is stopped: whose fault that is, and how long it takes. */
jest.setTimeout(600_000);
const PYTHON_IMAGE = 'python:3.13-slim-trixie';
const shared = process.env['DOCKER_HOST'];
let own: OwnEngine | undefined;
let folder = '';
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-silent-'));
});
afterAll(async () => {
  if (shared === undefined) Reflect.deleteProperty(process.env, 'DOCKER_HOST');
  else process.env['DOCKER_HOST'] = shared;
  await own?.stop();
  await rm(folder, { recursive: true });
});

/** One run, which something is done to the engine in. */
async function runWhile(fault: (engine: OwnEngine) => unknown, timeoutSeconds = 600) {
  own ??= await startOwnEngine(PYTHON_IMAGE);
  const host = own.host;
  process.env['DOCKER_HOST'] = host;
  const engine = containerEngine({
    sessionId: `silent-${process.pid}-${(count += 1)}`,
    owner: ownerOfThisProcess(),
    probe: join(import.meta.dirname, '../probe/probe.py'),
    facts: join(import.meta.dirname, '../probe/facts.py'),
  });
  const request = runRequest(['sleep', '300'], {
    runnable: { image: { variant: 'official', side: 'head', id: PYTHON_IMAGE } as Image, filesFrom: folder },
    workload: { timeoutSeconds },
  });
  const running = engine.run(request, never);
  await until(async () => (await runCommand('docker', ['-H', host, 'ps', '--quiet'])).stdout.trim() !== '');
  await delay(500);
  const began = performance.now();
  await fault(own);
  const result = await running;
  return { result, seconds: (performance.now() - began) / 1000, engine, request };
}

withOwnEngine('an engine that freezes in a run is the engine’s fault, within half a minute', async () => {
  const { result, seconds, engine, request } = await runWhile(({ pid }) => process.kill(pid(), 'SIGSTOP'));
  expect(result).toMatchObject({ outcome: 'engine', metrics: {} });
  expect(result.message).toMatch(/^the Docker engine does not answer, which is not caused by what is built/);
  expect(seconds).toBeLessThan(45);
  // The next one does not wait as long, and the clean-up does not wait for what cannot be.
  const began = performance.now();
  expect(await engine.run(request, never)).toMatchObject({ outcome: 'engine' });
  await expect(engine.facts(request.runnable, { secondsLeft: 1 })).rejects.toThrow(/engine does not answer/);
  await engine.cleanUp();
  expect((performance.now() - began) / 1000).toBeLessThan(65);
  process.kill(own?.pid() ?? 0, 'SIGCONT');
});

withOwnEngine('a run that hangs while the engine answers is an error of the workload', async () => {
  const { result } = await runWhile(() => undefined, 2);
  expect(result.outcome).toBe('timeout');
});

withOwnEngine('a container that another program stops is not an engine error', async () => {
  const { result } = await runWhile(async ({ host }) => {
    const { stdout } = await runCommand('docker', ['-H', host, 'ps', '--quiet']);
    await runCommand('docker', ['-H', host, 'stop', stdout.trim()]);
  });
  expect(result).toMatchObject({ outcome: 'signal' });
});

withOwnEngine(
  'an engine that is stopped in a run ends its containers, which is no fault of theirs',
  async () => {
    const { result } = await runWhile(({ pid }) => process.kill(pid(), 'SIGTERM'));
    expect(result).toMatchObject({ outcome: 'engine' });
    await own?.stop();
    own = undefined;
  },
);

withOwnEngine('an engine that is killed in a run is the engine’s fault', async () => {
  const { result } = await runWhile(({ pid }) => process.kill(pid(), 'SIGKILL'));
  expect(result).toMatchObject({ outcome: 'engine' });
  await own?.stop();
  own = undefined;
});
