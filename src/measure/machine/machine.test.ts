import { afterEach, expect, test } from '@jest/globals';
import { cpus } from 'node:os';
import { cpuFlags } from '../../session/cpu.ts';
import { machineSchema } from '../../session/session.ts';
import { thisMachine } from './machine.ts';

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

test.each([
  ['x86', 'model name\t: A\nvmx flags\t: vnmi\nflags\t\t: sse2 fpu\n\nflags\t\t: other\n', ['fpu', 'sse2']],
  ['ARM', 'processor\t: 0\nFeatures\t: fp asimd crc32 \n', ['asimd', 'crc32', 'fp']],
  ['a machine that does not say', 'processor: 0\n', []],
])('the flags of the first processor of %s, sorted', (_, text, flags) => {
  expect(cpuFlags(text)).toEqual(flags);
});

test('this machine is described as a session stores it, with the runner’s image where there is one', async () => {
  process.env['ImageOS'] = 'ubuntu24';
  process.env['ImageVersion'] = '20260101.1';
  const machine = await thisMachine('Docker 28.0');
  expect(machineSchema.parse(machine)).toEqual(machine);
  expect(machine).toMatchObject({
    cores: cpus().length,
    engine: 'Docker 28.0',
    runnerImage: 'ubuntu24 20260101.1',
  });
  delete process.env['ImageOS'];
  delete process.env['ImageVersion'];
  expect(await thisMachine('Docker 28.0')).toEqual({ ...machine, runnerImage: '' });
});
