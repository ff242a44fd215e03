import { execFileSync } from 'node:child_process';
import { expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { readEngine } from './engine-reading.ts';

jest.setTimeout(600_000);
const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();

withEngine('the engine’s reading matches that of docker', async () => {
  const { engine, storageDriver, cgroup, cgroupDriver, disk } = await readEngine();
  const [version, driver, cgroups, by, root] = docker(
    ...['info', '--format'],
    '{{.ServerVersion}}\n{{.Driver}}\n{{.CgroupVersion}}\n{{.CgroupDriver}}\n{{.DockerRootDir}}',
  ).split('\n');
  expect(engine).toBe(`Docker ${version ?? ''}`);
  expect({ storageDriver, cgroup: String(cgroup), cgroupDriver }).toEqual({
    storageDriver: driver,
    cgroup: cgroups,
    cgroupDriver: by,
  });
  // Of an engine on another machine there is none to say.
  if (disk !== undefined) {
    expect(disk.path).toBe(root);
    const free =
      1024 *
      Number(execFileSync('df', ['--output=avail', '-k', disk.path], { encoding: 'utf8' }).split('\n')[1]);
    expect(disk.freeBytes / free).toBeCloseTo(1, 1);
  }
});
