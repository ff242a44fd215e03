import { afterEach, describe, expect, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import { toolPath, withEngine } from '../../process/engine.test-support.ts';
import { profileOf, type CallGraph } from '../../session/profile.ts';
import type { Image } from '../../session/session.ts';
import { containerEngine } from '../engines/container.ts';
import { SESSION_LABEL } from '../engines/container-arguments.ts';
import type { ProfileRequest } from '../engine.ts';
import { ownerOfThisProcess } from '../../process/owner.ts';
import { profileRun } from './profile-run.ts';
import { findPySpy } from './py-spy.ts';
import { never, runRequest, type RequestChange } from '../engines/run-request.test-support.ts';

/** Profiles inside real containers, which have no network, no capability and a user of their own. */

jest.setTimeout(600_000);

const sessionId = `profile-${process.pid}`;
const engine = containerEngine({
  sessionId,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, '../probe/probe.py'),
  facts: join(import.meta.dirname, '../probe/facts.py'),
});
const folders: string[] = [];
afterEach(async () => {
  await engine.cleanUp();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const scripts = join(import.meta.dirname, '../probe/profiler');

/** What three processes and a thread do, called so often by each. */
const PROGRAM = `import multiprocessing, threading

def burn(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

def work():
    for _ in range(10):
        burn(600_000)

if __name__ == '__main__':
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    child = multiprocessing.get_context('fork').Process(target=work)
    child.start()
    child.join()
    work()
`;

async function profiled(
  profile: Omit<ProfileRequest, 'scripts'>,
  { runnable, workload }: RequestChange = {},
): Promise<CallGraph | string> {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-profiled-'));
  folders.push(folder);
  writeFileSync(join(folder, 'bench.py'), PROGRAM);
  const request = runRequest(['python', 'bench.py'], {
    runnable: {
      image: { variant: 'official', side: 'head', id: 'python:3.13-slim-trixie' } as Image,
      filesFrom: folder,
      workingDirectory: '/srv',
      ...runnable,
    },
    workload: { files: ['bench.py'], ...workload },
  });
  const result = await profileRun(
    engine,
    { ...request, repetitions: 1, longestSeconds: 10, profile: { ...profile, scripts } },
    never,
  );
  const left = await runCommand('docker', [
    ...['ps', '--all', '--quiet', '--filter', `label=${SESSION_LABEL}=${sessionId}`],
  ]);
  expect(left.stdout).toBe('');
  return result;
}

const graphOf = (result: CallGraph | string): CallGraph => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};

describe('in a container', () => {
  withEngine('cProfile counts the calls of every process and thread', async () => {
    const graph = graphOf(await profiled({ kind: 'time', profiler: 'cprofile' }));
    expect(graph.functions.find(({ name }) => name === 'burn')).toMatchObject({
      file: 'bench.py',
      line: 3,
      calls: 30,
    });
    expect(graph.processes).toBe(2);
    expect(profileOf(graph).functions[0]?.name).toBe('burn');
  });

  withEngine('py-spy, given to the container, meets it at work in every process and thread', async () => {
    const pySpy = toolPath('py-spy');
    const graph = graphOf(await profiled({ kind: 'time', profiler: 'py-spy', pySpy }));
    const [largest] = graph.functions;
    expect(largest).toMatchObject({ name: 'burn', file: 'bench.py' });
    // The rest is threads that wait, which it takes for work now and then.
    expect((largest?.own ?? 0) / graph.own).toBeGreaterThan(0.5);
    expect(graph.processes).toBeGreaterThanOrEqual(2);
    const names = graph.stacks.map(({ frames }) => frames.map((frame) => graph.functions[frame]?.name));
    expect(names).toContainEqual(expect.arrayContaining(['<module>', 'work', 'burn']));
  });

  withEngine('memory and the start, as a user without rights', async () => {
    const change: RequestChange = { workload: { memoryBytes: 256 << 20 } };
    const memory = graphOf(await profiled({ kind: 'memory', profiler: 'cprofile' }, change));
    expect(memory.own).toBeGreaterThan(100_000);
    const imports = graphOf(await profiled({ kind: 'imports', profiler: 'cprofile' }));
    expect(imports.functions.map(({ name }) => name)).toContain('encodings');
  });
});

withEngine('the program itself is found behind a script of its name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-path-'));
  folders.push(folder);
  writeFileSync(join(folder, 'py-spy'), '#!/bin/sh\nexec nothing\n', { mode: 0o755 });
  const [, tools = ''] = /^(.*)\/[^/]*$/.exec(toolPath('py-spy')) ?? [];
  expect(await findPySpy(`${folder}:/nowhere:relative:${tools}`)).toBe(toolPath('py-spy'));
  expect(await findPySpy(folder)).toBeUndefined();
});
