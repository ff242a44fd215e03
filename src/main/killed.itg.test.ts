import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { until } from '../process/patience.test-support.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The remains of a gate that was killed during the build, with the real engine. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CLI = join(import.meta.dirname, '..', 'cli.ts');
/** A unique name, so that the remains of other sessions are not counted. */
const VARIANT = `killed${process.pid}`;

const images = () =>
  spawnSync('docker', ['images', '--format', '{{.Repository}}', `pacegate/${VARIANT}-*`], {
    encoding: 'utf8',
  })
    .stdout.split('\n')
    .filter((line) => line !== '');

const processesOf = (folder: string) =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });

withEngine(
  'a gate that is killed in a build ends the build within seconds; the next start removes its images',
  async () => {
    const { path, write, commit } = repository();
    write(
      'pacegate.yml',
      `version: 1
workload: { files: [bench.py], command: [python, bench.py] }
variants:
  ${VARIANT}: { bake: quick, file: docker-bake.json, python: python }
  slow: { bake: slow, file: docker-bake.json, python: python }
rules: { blocks: 8 }
`,
    );
    write('bench.py', 'pass\n');
    write(
      'docker-bake.json',
      JSON.stringify({
        target: { quick: { context: '.', target: 'quick' }, slow: { context: '.', target: 'slow' } },
      }),
    );
    write(
      'Dockerfile',
      'FROM python:3.13-slim-trixie AS quick\nCOPY bench.py /quick.py\nFROM quick AS slow\nRUN --network=none sleep 1000\n',
    );
    commit('one');
    write('app.py', 'X = 1\n');
    commit('two');

    const temporary = temporaryFolder();
    const gate = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        CLI,
        'gate',
        '--baseline',
        'HEAD~1',
        '--config',
        'pacegate.yml',
      ],
      { cwd: path, env: { ...process.env, TMPDIR: temporary }, stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => gate.once('exit', resolve));
    const isBuilding = () =>
      images().length === 2 && processesOf(temporary).some((pid) => pid !== String(gate.pid));
    await until(isBuilding);
    gate.kill('SIGKILL');
    await ended;
    await until(() => processesOf(temporary).length === 0, 60);
    expect(images()).toHaveLength(2);

    const next = await pacegate(
      path,
      ['run', '--config', 'pacegate.yml', '--variants', VARIANT, '--budget', '20s'],
      undefined,
      { TMPDIR: temporary },
    );
    expect(next).toMatchObject({ status: 0 });
    expect({ images: images(), temporary: readdirSync(temporary) }).toEqual({ images: [], temporary: [] });
  },
);
