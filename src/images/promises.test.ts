import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import {
  chmod,
  cp,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * variants/promises against an interpreter that is broken on purpose: a copy of this machine's, without the parts of
 * the standard library that take long to compile. Each test breaks one thing, and mends it.
 */
jest.setTimeout(600_000);

const promises = join(import.meta.dirname, '..', '..', 'variants', 'promises');
const LEFT_OUT =
  /(^|\/)(test|tests|idlelib|lib2to3|tkinter|turtledemo|ensurepip|site-packages|dist-packages|distutils|unittest|pydoc_data|email|__pycache__|config-[^/]*)(\/|$)/;

let top: string;
let python: string;
let library: string;
let version: string;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'pacegate-promises-'));
  await chmod(top, 0o755);
  const facts = spawnSync(
    'python3',
    [
      '-c',
      'import json, sys, os, sysconfig as s; print(json.dumps([os.path.realpath(sys.executable), s.get_path("stdlib"), s.get_config_var("LIBDIR"), "%d.%d.%d" % sys.version_info[:3]]))',
    ],
    { encoding: 'utf8' },
  );
  const [executable, stdlib, libraries, found] = JSON.parse(facts.stdout) as [string, string, string, string];
  version = found;
  library = join(top, 'lib', basename(stdlib));
  python = join(top, 'bin', 'python');
  await mkdir(join(top, 'bin'), { recursive: true });
  await cp(stdlib, library, {
    recursive: true,
    dereference: true,
    preserveTimestamps: true,
    filter: (path) => !LEFT_OUT.test(path.slice(stdlib.length)),
  });
  await copyFile(executable, python);
  for (const shared of globSync('libpython3*.so*', { cwd: libraries }))
    await copyFile(join(libraries, shared), join(top, 'lib', shared));
  expect(run(python, [join(promises, 'compile.py')])).toMatchObject({ status: 0, stderr: '' });
});
afterAll(() => rm(top, { recursive: true, force: true }));

let environment: Record<string, string>;
beforeEach(() => {
  environment = { PATH: `${join(top, 'bin')}:/usr/bin:/bin`, LD_LIBRARY_PATH: join(top, 'lib') };
});

function run(command: string, args: string[], more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: `${join(top, 'bin')}:/usr/bin:/bin`, LD_LIBRARY_PATH: join(top, 'lib'), ...more },
  });
  return { status, stdout, stderr };
}

const check = (...args: string[]) => run(python, ['-B', join(promises, 'check.py'), ...args], environment);

/** The lines of the promises that do not hold. */
function broken(...args: string[]): string[] {
  const { status, stderr } = check(...args);
  const lines = stderr.trimEnd().split('\n').filter(Boolean);
  expect(status).toBe(lines.length > 0 ? 1 : 0);
  return lines.slice(0, -1);
}

/** What all the bytecode says, in one value. */
function bytecode(): string {
  const hash = createHash('sha256');
  for (const file of globSync('**/*.pyc', { cwd: library }).sort())
    hash.update(file).update(readFileSync(join(library, file)));
  return hash.digest('hex');
}

const extension = (name: string) => {
  const [file] = globSync(join(library, 'lib-dynload', `${name}.*.so`));
  if (file === undefined) throw new Error(`this machine's Python has no ${name}`);
  return file;
};

const files = () => globSync('**', { cwd: top }).sort();

test('every promise of a whole interpreter holds, and nothing is left behind', () => {
  const before = files();
  expect(check('--version', version)).toEqual({
    status: 0,
    stdout: `Python ${version}: every promise holds\n`,
    stderr: '',
  });
  expect(files()).toEqual(before);
});

test('it does not make the bytecode that it is to look for', () => {
  const { status, stderr } = run(python, [join(promises, 'check.py')], environment);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/start it as `python -B`/)]);
});

test('the same sources give the same bytecode, independent of earlier files and of the hash seed', async () => {
  const before = bytecode();
  for (const file of globSync('**/__pycache__', { cwd: library }))
    await rm(join(library, file), { recursive: true });
  expect(run(python, [join(promises, 'compile.py')], { PYTHONHASHSEED: '7' }).status).toBe(0);
  expect(bytecode()).toBe(before);
});

test('path: python is in the PATH, and is this one', async () => {
  environment['PATH'] = '/nowhere';
  expect(broken('--only', 'path')).toEqual([
    expect.stringMatching(/^path: no `python` in the PATH \(\/nowhere\)/),
  ]);

  const other = join(top, 'other');
  await mkdir(other);
  await writeFile(join(other, 'python'), '#!/bin/sh\necho /somewhere\n', { mode: 0o755 });
  environment['PATH'] = `${other}:${join(top, 'bin')}`;
  expect(broken('--only', 'path')).toEqual([
    expect.stringMatching(/is the interpreter of \/somewhere, and this one/),
  ]);

  await writeFile(join(other, 'python'), '#!/bin/sh\necho no library >&2; exit 127\n', { mode: 0o755 });
  expect(broken('--only', 'path')).toEqual([expect.stringMatching(/does not start: no library$/)]);
});

test('version: a part of it is a prefix of whole numbers, and t is another build', () => {
  const [major = '', minor = '', patch = ''] = version.split('.');
  for (const asked of ['', version, `${major}.${minor}`, major])
    expect([asked, broken('--only', 'version', '--version', asked)]).toEqual([asked, []]);
  for (const asked of ['2.7', `${major}.${minor}.${patch}9`, `${major}.${minor.slice(0, 1)}`, `${version}.1`])
    expect(broken('--only', 'version', '--version', asked)).toEqual([
      expect.stringContaining(`has Python ${version}, not ${asked}`),
    ]);
  expect(broken('--only', 'version', '--version', `${version}t`)).toEqual([
    expect.stringMatching(/has the GIL, and .*t was asked for/),
  ]);
  expect(broken('--only', 'version', '--version', 'latest')).toEqual([
    expect.stringMatching(/which is no version/),
  ]);
});

test('modules: a shared library that is missing is named, with what to do', async () => {
  const file = extension('_bz2');
  const whole = await readFile(file);
  const without = Buffer.from(whole);
  const at = without.indexOf('libbz2.so');
  expect(at).toBeGreaterThan(0);
  without.write('libbz9.so', at);
  await rm(file);
  await writeFile(file, without);
  expect(broken('--only', 'modules')).toEqual([
    expect.stringMatching(
      /_bz2 does not import: .*libbz9\.so\S* is missing: install its package in the final stage/,
    ),
  ]);
  expect(broken('--only', 'modules', '--without', '_bz2')).toEqual([]);
  await rm(file);
  await writeFile(file, whole);
});

test('modules: one that was never compiled, and one that is not a module', async () => {
  const file = extension('_lzma');
  await rename(file, `${file}.away`);
  expect(broken('--only', 'modules')).toEqual([
    expect.stringMatching(/^modules: _lzma is not there: it was not compiled/),
  ]);
  await writeFile(file, 'no ELF');
  expect(broken('--only', 'modules')).toEqual([
    expect.stringMatching(/^modules: _lzma does not import: ImportError/),
  ]);
  await rename(`${file}.away`, file);
});

test('modules: code for another CPU ends Python, and the module is named', async () => {
  const folder = join(top, 'illegal');
  await mkdir(folder);
  await writeFile(join(folder, 'readline.py'), 'import os\nos.kill(os.getpid(), 4)\n');
  environment['PYTHONPATH'] = folder;
  expect(broken('--only', 'modules')).toEqual([
    'modules: readline ends Python with signal 4: it was compiled for another CPU than this one',
  ]);
});

test('bytecode: missing and outdated files, at every level', async () => {
  const cache = join(library, '__pycache__');
  const [level] = globSync(join(cache, 'textwrap.*.opt-2.pyc'));
  const whole = await readFile(level ?? '');
  await rm(level ?? '');
  expect(broken('--only', 'bytecode')).toEqual([
    expect.stringMatching(/textwrap\.\S+\.opt-2\.pyc is not there: compile the standard library/),
  ]);
  // That of another Python.
  await writeFile(level ?? '', Buffer.concat([Buffer.from('XXXX'), whole.subarray(4)]));
  expect(broken('--only', 'bytecode')).toEqual([
    expect.stringMatching(/opt-2\.pyc is not of its source or of this/),
  ]);
  await writeFile(level ?? '', whole);

  const source = join(library, 'textwrap.py');
  const text = await readFile(source);
  await writeFile(source, `${text.toString()}\n# patched\n`);
  expect(broken('--only', 'bytecode')).toEqual([
    expect.stringMatching(/textwrap\.\S+\.pyc \(and 2 more\) is not of its source/),
  ]);
  await writeFile(source, text);
  expect(broken('--only', 'bytecode')).toEqual([]);
});

test('bytecode: a time in it has to be that of the source', async () => {
  const source = join(library, 'textwrap.py');
  const compile =
    'import py_compile, sys; py_compile.compile(sys.argv[1], invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP, doraise=True)';
  expect(run(python, ['-c', compile, source]).status).toBe(0);
  expect(broken('--only', 'bytecode')).toEqual([]);
  await utimes(source, 1, 1);
  expect(broken('--only', 'bytecode')).toEqual([
    expect.stringMatching(/textwrap\.cpython-\d+\.pyc is not of its source/),
  ]);
  expect(run(python, [join(promises, 'compile.py')]).status).toBe(0);
});

test('bytecode: a file that this Python cannot parse needs none', async () => {
  const template = join(library, 'template.py');
  await writeFile(template, 'print "{{ name }}"\n');
  expect(broken('--only', 'bytecode')).toEqual([]);
  await rm(template);
});

test('venv: where the module is left out, as Debian leaves it', async () => {
  await rename(join(library, 'venv'), join(library, 'away'));
  expect(broken('--only', 'venv')).toEqual([
    expect.stringMatching(/No module named venv \(Debian has it in/),
  ]);
  await rename(join(library, 'away'), join(library, 'venv'));
  expect(broken('--only', 'venv')).toEqual([]);
});

// Root alone can become somebody else.
const withRoot = process.getuid?.() === 0 ? test : test.skip;
withRoot('user: a user without privileges cannot read a file that only root can read', async () => {
  const folder = join(library, 'json');
  await chmod(folder, 0o700);
  expect(broken('--only', 'user')).toEqual([
    expect.stringMatching(/^user: user 10001 cannot read .*\/json: .*go\+rX/),
  ]);
  await chmod(folder, 0o755);
  await chmod(python, 0o700);
  expect(broken('--only', 'user')).toEqual([
    expect.stringMatching(/^user: user 10001 cannot start it: .*Permission denied.*go\+rX/),
  ]);
  await chmod(python, 0o755);
});

test('a call with wrong arguments has its own status', () => {
  expect(check('--only', 'everything').status).toBe(2);
});
