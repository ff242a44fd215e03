import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { HOST, IMAGES, project } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The doctor on a terminal, with and without an engine. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

test('doctor reports the smallest loss that a gate finds here, and leaves no files', async () => {
  const { path, git, write } = project(HOST);
  const table = await pacegate(path, ['doctor', '--blocks', '8']);
  expect({ status: table.status, log: table.status === 0 ? '' : table.log }).toEqual({ status: 0, log: '' });
  expect(table.out).toMatch(/^Machine: .*, \d+ cores?, [\d.]+ GiB, Linux /);
  expect(table.out).toMatch(/\n {2}good {6}.*clock|\n {2}bad {7}clock/s);
  expect(table.out).toMatch(/here +wall time +3 % .*\nhere +CPU time +3 % /);
  expect(table.out).toMatch(/\nPacegate: the smallest loss that a gate finds here is .* of the limit\n$/);
  expect(table.out).not.toMatch(/engine|storage driver/);
  expect(table.out).toMatch(/A gate of unchanged code measures for about .* here/);
  const json = await pacegate(path, ['doctor', '--blocks', '8', '--seed', '3', '--format', 'json']);
  expect(JSON.parse(json.out)).toMatchObject({ format: 'pacegate-doctor', seed: 3, rows: [{}, {}] });
  expect(git('status', '--porcelain')).toBe('');
  expect(existsSync(join(path, 'pacegate-out'))).toBe(false);
  expect((JSON.parse(json.out) as { findings: { name: string }[] }).findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['processor', 'kernel', 'clock', 'PSI', 'turbo']),
  );
  write('app.py', 'raise SystemExit(1)\n');
  const failed = await pacegate(path, ['doctor']);
  expect(failed.status).toBe(3);
  expect(failed.out).toMatch(/^Machine: /);
});

test('doctor reports the findings on the machine if there is no engine', async () => {
  const { path } = project(IMAGES);
  const nowhere = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
  const table = await pacegate(path, ['doctor'], undefined, nowhere);
  expect(table.status).toBe(3);
  expect(table.out).toMatch(/^Machine: .*\n {2}bad {7}engine: no answer\. /);
  expect(table.log).toMatch(/no engine answered/);
  const json = await pacegate(path, ['doctor', '--format', 'json'], undefined, nowhere);
  expect(json.status).toBe(3);
  expect(JSON.parse(json.out)).toMatchObject({
    format: 'pacegate-doctor',
    findings: expect.arrayContaining([
      expect.objectContaining({ name: 'engine', judgement: 'bad' }),
    ]) as unknown,
    rows: [],
    error: expect.stringContaining('no engine answered') as unknown,
  });
});

test('without a configuration the doctor examines the machine and its engine', async () => {
  const folder = temporaryFolder();
  const nowhere = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
  const { status, out, log } = await pacegate(folder, ['doctor'], undefined, nowhere);
  expect(status).toBe(0);
  expect(out).toMatch(/^Machine: .*\n {2}bad {7}engine: no answer\. /);
  expect(log).toContain('`pacegate init` writes a configuration');
  const json = await pacegate(folder, ['doctor', '--format', 'json'], undefined, nowhere);
  expect(JSON.parse(json.out)).toEqual({
    format: 'pacegate-doctor',
    version: expect.anything() as unknown,
    findings: expect.arrayContaining([expect.objectContaining({ name: 'kernel' })]) as unknown,
    rows: [],
  });
  const named = await pacegate(folder, ['doctor', '--config', 'none.yml']);
  expect([named.status, named.log]).toEqual([2, expect.stringContaining('There is no configuration at')]);
});

withEngine('the doctor looks into a container of the images that it measures', async () => {
  const { path } = project('  official: { interpreter: official, python: "3.13" }\n');
  const { status, out } = await pacegate(path, ['doctor', '--blocks', '8', '--format', 'json']);
  expect(status).toBe(0);
  const { findings } = JSON.parse(out) as { findings: { name: string; judgement: string; value: string }[] };
  const of = (name: string) => findings.find((finding) => finding.name === name);
  expect(of('engine')?.value).toMatch(/^Docker \d/);
  expect(of('seccomp in containers')?.value).toMatch(/filter/);
});
