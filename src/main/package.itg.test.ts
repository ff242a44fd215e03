import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import {
  removeTemporaryFolders,
  repository,
  runGit,
  temporaryFolder,
} from '../source/repository.test-support.ts';
import { verdictsOf } from './project.test-support.ts';

/** The npm package as users get it: packed, installed into an empty folder without a network, and run there. */

jest.setTimeout(300_000);
afterAll(removeTemporaryFolders);

const TOP = join(import.meta.dirname, '..', '..');
/** The folder into which the package was installed, empty before. */
let installed: string;
/** The files of the archive. */
let files: readonly string[];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function run(folder: string, program: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    // The Node of the tests, which is the action's.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
  });
  return { status, out: stdout, log: stderr };
}

beforeAll(() => {
  installed = temporaryFolder();
  const archives = temporaryFolder();
  const packed = run(TOP, 'npm', 'pack', '--json', '--pack-destination', archives);
  // npm 11 answers with a list, npm 12 with an object by name.
  const [made] = Object.values(JSON.parse(packed.out) as Record<string, Packed>);
  files = (made?.files ?? []).map(({ path }) => path);
  const archive = join(archives, made?.filename ?? '');
  const { status, log } = run(installed, 'npm', 'install', '--offline', '--no-audit', '--no-fund', archive);
  expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
});

test('it contains the files that the program reads, the licences and the README, and no sources', () => {
  for (const file of [
    ...['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/licenses.txt', 'dist/cli.js'],
    ...['dist/probe.py', 'dist/serve.py', 'dist/facts.py', 'dist/diagnostics.py', 'dist/profiler/imports.py'],
    ...[
      'dist/configuration.schema.json',
      'examples/gate.yml',
      'examples/baseline.yml',
      'fixtures/demo/host.yml',
    ],
    ...['variants/official/Dockerfile', 'variants/application/Dockerfile.dockerignore'],
  ])
    expect(files).toContain(file);
  expect(
    files.filter((file) => !/^(dist|variants|examples|fixtures\/demo)\/|^[A-Z]+(\.md)?$/.test(file)),
  ).toEqual(['package.json']);
});

test('installing it installs nothing else, and runs no script', () => {
  const { packages } = JSON.parse(readFileSync(join(installed, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, object>>;
  };
  expect(Object.keys(packages)).toEqual(['', 'node_modules/pacegate']);
  expect(packages['node_modules/pacegate']).not.toHaveProperty('hasInstallScript');
});

test('npx pacegate --version is the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  expect(run(installed, 'npx', '--offline', 'pacegate', '--version')).toMatchObject({
    status: 0,
    out: `${version}\n`,
  });
});

test('npx pacegate init, then npx pacegate gate in a fresh repository: twice the work is regressed', () => {
  const folder = join(installed, 'project');
  mkdirSync(folder);
  runGit(folder, 'init', '-q', '-b', 'main');
  const project = repository(folder);
  cpSync(join(TOP, 'fixtures/projects/console-script'), folder, { recursive: true });
  project.commit('the project');
  const npx = (...args: readonly string[]) => run(folder, 'npx', '--offline', 'pacegate', ...args);

  const init = npx('init', '--yes', '--host');
  expect({ status: init.status, log: init.status === 0 ? '' : init.log }).toEqual({ status: 0, log: '' });
  project.commit('the gate');
  const source = readFileSync(join(folder, 'checksum.py'), 'utf8');
  project.write('checksum.py', source.replace('ROUNDS = 200_000', 'ROUNDS = 400_000'));
  const gate = npx('gate', '--format', 'json');
  expect({ status: gate.status, log: gate.status === 1 ? '' : gate.log }).toEqual({ status: 1, log: '' });
  expect(verdictsOf(gate.out, 'cpu_time_s')).toEqual(['regressed']);
});
