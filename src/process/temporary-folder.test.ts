import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from './temporary-folder.ts';

/** Which folder an engine in another container sees too. */

const [yes, no] = [() => true, () => false];
const runner = { RUNNER_TEMP: '/home/runner/_work/_temp' };

test.each([
  ['a runner in a container: on its work volume', runner, yes, '/home/runner/_work/_temp'],
  ['a runner in a container, where the user names another', { ...runner, TMPDIR: '/own' }, yes, tmpdir()],
  ['a runner on a machine: the system’s, which survives a killed job', runner, no, tmpdir()],
  ['a terminal in a container', {}, yes, tmpdir()],
])('%s', (_, environment, isContainer, folder) =>
  expect(temporaryFolder(environment, isContainer)).toBe(folder),
);

test('a pod is a container, whatever its engine left in it', () =>
  expect(temporaryFolder({ ...runner, KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe(runner.RUNNER_TEMP));
