import { afterAll, expect, jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { runCommand } from '../../process/command.ts';
import { withEngine } from '../../process/engine.test-support.ts';
import type { Image } from '../../session/session.ts';
import { containerEngine } from '../engines/container.ts';
import { readContainerProcess } from '../engines/container-facts.ts';
import { readProcess } from './machine-reading.ts';
import { ownerOfThisProcess } from '../../process/owner.ts';
import { runRequest } from '../engines/run-request.test-support.ts';

jest.setTimeout(600_000);
const options = { sessionId: `itg-status-${process.pid}`, owner: ownerOfThisProcess() };
const engine = containerEngine({ ...options, probe: '', facts: '' });
afterAll(() => engine.cleanUp());

const runnable = (change: { id: string; python?: string }) =>
  runRequest([], {
    runnable: {
      image: { variant: 'a', side: 'head', id: change.id } as Image,
      python: change.python ?? 'python',
    },
  }).runnable;

withEngine(
  'a process in a container of ours says of seccomp and speculation what another image’s says',
  async () => {
    const seen = await readContainerProcess(runnable({ id: 'python:3.13-slim-trixie' }), options);
    const other = await runCommand('docker', [
      ...['run', '--rm', '--network', 'none', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      ...['debian:trixie-slim', 'cat', '/proc/self/status'],
    ]);
    expect(seen).toEqual(readProcess(other.stdout));
    expect(seen.seccomp).toBeDefined();
    // The kernel has one set of words: where the host says them, so does the container.
    const here = readProcess(await readFile('/proc/self/status', 'utf8'));
    expect(seen.storeBypass === undefined).toBe(here.storeBypass === undefined);
    const { stdout } = await runCommand('docker', [
      'ps',
      '--all',
      '--quiet',
      '--filter',
      `name=${options.sessionId}`,
    ]);
    expect(stdout).toBe('');
  },
);

withEngine('a container that does not start gives no reading', async () => {
  const nothing = { seccomp: undefined, storeBypass: undefined, indirectBranch: undefined };
  const asked = runnable({ id: 'debian:trixie-slim', python: 'no-such-python' });
  expect(await readContainerProcess(asked, options)).toEqual(nothing);
});
