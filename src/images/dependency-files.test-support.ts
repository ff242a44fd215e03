import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Runnable } from '../measure/engine.ts';
import type { Install, InterpreterVariant } from '../plan/plan.ts';
import { builderOf, folderWith, output, ready } from './images.test-support.ts';

const root = join(import.meta.dirname, '..', '..');
const SYSTEM = '/etc/ssl/certs/ca-certificates.crt';

/** A project of fixtures/projects in an image, and what it prints there without a network. */
export interface DependencyFile {
  readonly project: string;
  readonly install?: Partial<Install>;
  readonly command: readonly string[];
  readonly prints: RegExp;
  /** What the project needs changed for the tests' Python. */
  readonly change?: readonly [file: string, from: string, to: string];
}

const SUITE = [
  'python',
  '-m',
  'pytest',
  '-q',
  '-p',
  'no:cacheprovider',
  '--benchmark-max-time=0.05',
  'tests',
];
const PACKAGING = ['python', '-c', 'import packaging; print(packaging.__version__)'];

/** By the name in the table of docs/interpreters.md. */
export const DEPENDENCY_FILES: Readonly<Record<string, DependencyFile>> = {
  'uv.lock': {
    project: 'uv',
    install: { groups: ['dev'], packages: ['pytest-benchmark'] },
    command: ['python', '-c', 'import iniconfig, packaging, pytest_benchmark; print(packaging.__version__)'],
    prints: /^25\.0\n$/,
  },
  'a uv workspace': {
    project: 'workspace',
    command: ['python', '-c', 'import engine, report; print("both")'],
    prints: /^both\n$/,
  },
  'poetry.lock': {
    project: 'poetry',
    install: { groups: ['dev'] },
    command: ['python', '-c', 'import iniconfig, packaging; print(packaging.__version__)'],
    prints: /^25\.0\n$/,
  },
  'pylock.toml': { project: 'pylock', command: PACKAGING, prints: /^26\.4\n$/ },
  'pdm.lock': {
    project: 'pdm',
    install: { groups: ['bench'] },
    command: ['python', '-c', 'import iniconfig, packaging; print(packaging.__version__)'],
    prints: /^25\.0\n$/,
  },
  'Pipfile.lock': { project: 'pipenv', command: PACKAGING, prints: /^26\.4\n$/ },
  'requirements.txt': {
    project: 'local-requirements',
    command: ['tool'],
    prints: /^1\.2\.3 25\.0 2\.4\.0 1\n$/,
  },
  'pyproject.toml': {
    project: 'src-layout',
    command: ['wordcount', '--help'],
    prints: /^usage: wordcount/,
    change: ['pyproject.toml', ',<3.13', ''],
  },
  'a suite, by its group': {
    project: 'pytest-benchmark',
    install: { groups: ['bench'] },
    command: SUITE,
    prints: /test_insertion_sort[^]*1 passed/,
  },
  'a suite, by its package': {
    project: 'pytest-benchmark',
    install: { packages: ['pytest-benchmark'] },
    command: SUITE,
    prints: /test_insertion_sort[^]*1 passed/,
  },
};

/** Builds one cell of the table for real, and runs what it installed. */
export async function isInstalled(name: string, variant: InterpreterVariant): Promise<Runnable> {
  const cell = DEPENDENCY_FILES[name];
  if (cell === undefined) throw new Error(`no cell of the name ${name}`);
  const { project, install, command, prints, change } = cell;
  const tree = await folderWith({});
  await cp(join(root, 'fixtures', 'projects', project), tree, { recursive: true });
  if (change !== undefined) {
    const [file, from, to] = change;
    const text = await readFile(join(tree, file), 'utf8');
    expect(text).toContain(from);
    await writeFile(join(tree, file), text.replace(from, to));
  }
  const { prepare } = builderOf({
    root,
    build: { ca: SYSTEM },
    install: install === undefined ? undefined : { groups: [], extras: [], packages: [], ...install },
  });
  const runnable = ready(await prepare(variant, 'head', tree));
  expect(await output(runnable.image.id, ...command)).toMatch(prints);
  return runnable;
}
