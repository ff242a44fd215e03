import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { runCommand } from '../../process/command.ts';
import { PROPERTIES, type InterpreterFacts } from '../../session/facts.ts';
import { factsArguments, readFacts } from './facts-answer.ts';
import { hostEngine } from '../engines/host.ts';
import { resolveInterpreter } from '../engines/host-interpreter.ts';
import { runRequest } from '../engines/run-request.test-support.ts';

jest.setTimeout(600_000);
const script = join(import.meta.dirname, 'facts.py');
let python: string;
let folder: string;
beforeAll(async () => {
  python = await resolveInterpreter('python3');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-facts-'));
});
afterEach(() => rm(folder, { recursive: true }));

const ask = async (interpreter: string, flags: readonly string[] = []): Promise<InterpreterFacts> =>
  await hostEngine({ probe: '', facts: script, workFolder: folder }).facts(
    runRequest([], { runnable: { python: interpreter, flags } }).runnable,
  );

/** A line of Python with facts.py imported. @returns what it printed, read as JSON */
async function inside(...lines: readonly string[]): Promise<unknown> {
  const code = ['import sys, json, os', `sys.path.insert(0, ${JSON.stringify(import.meta.dirname)})`];
  const { status, stdout, stderr } = await runCommand(python, [
    '-c',
    [...code, 'sys.dont_write_bytecode = True', 'import facts', ...lines].join('\n'),
  ]);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('this machine’s interpreter', () => {
  test('gives every property one of three values', async () => {
    const facts = await ask(python);
    expect(facts).toMatchObject({
      python: expect.stringMatching(/^3\.\d+\.\d+/),
      implementation: 'CPython',
      executable: expect.stringMatching(/^\/.*python3/),
      libc: expect.stringMatching(/^(glibc|musl) \d+\.\d+/),
      allocator: expect.stringMatching(/^(pymalloc|mimalloc) on (glibc|musl)$/),
    });
    expect(Object.keys(facts.properties).sort()).toEqual([...PROPERTIES].sort());
    expect(Object.keys(facts.libraries)).toEqual(expect.arrayContaining(['zlib', 'expat']));
  });

  test('is asked at the level of optimisation that the workload runs at', async () => {
    expect(factsArguments({ flags: ['-O', '-X', 'importtime'] }, '/f.py')).toEqual([
      '-O',
      '-I',
      '-S',
      '/f.py',
    ]);
    expect((await ask(python, ['-O'])).properties.bytecode?.observed).toMatch(/yes|no/);
    // Compiled files are looked for where this interpreter would look.
    expect(
      await inside(
        'cached = [facts.compiled_library()]',
        'sys.pycache_prefix = "/nowhere"',
        'print(json.dumps(cached + [facts.compiled_library()]))',
      ),
    ).toEqual(['yes', 'no']);
  });

  test('in a virtual environment has the environment’s packages and its own', async () => {
    await runCommand(python, ['-m', 'venv', '--without-pip', join(folder, 'v')]);
    const site = (
      await runCommand(join(folder, 'v/bin/python'), ['-c', 'import site; print(site.getsitepackages()[0])'])
    ).stdout.trim();
    const distribution = join(site, 'Some_Thing-1.2.dist-info');
    await runCommand('mkdir', ['-p', distribution, join(site, 'broken-1.dist-info')]);
    await writeFile(
      join(distribution, 'METADATA'),
      'Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.2\n',
    );
    const { packages } = await ask(join(folder, 'v/bin/python'));
    expect(packages).toEqual({ ...(await ask(python)).packages, 'some-thing': '1.2' });
  });

  test('uses the grammar of Python 3.8 and only the standard library', async () => {
    expect(
      await inside(
        'import ast',
        'tree = ast.parse(open(facts.__file__).read(), feature_version=(3, 8))',
        'names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]',
        'print(json.dumps(sorted(set(names))))',
      ),
    ).toEqual([
      'hashlib',
      'importlib',
      'importlib.util',
      'json',
      'os',
      'platform',
      're',
      'site',
      'struct',
      'subprocess',
      'sys',
      'sysconfig',
      'threading',
      'time',
    ]);
  });
});

test('a module that ends the process is named with its reason, and does not lose the others', async () => {
  // The children run the file itself, so the module that ends them must be one that it knows.
  const source = await readFile(script, 'utf8');
  const [main = ''] = source.split('if __name__ ==').slice(-1);
  const ends = 'LIBRARIES["ends"] = ("os", lambda module: module.kill(module.getpid(), 9))\n\n\n';
  const copy = join(folder, 'facts.py');
  await writeFile(copy, source.replace(`if __name__ ==${main}`, `${ends}if __name__ ==${main}`));
  const { stdout } = await runCommand(python, [
    '-c',
    [
      'import sys, json',
      `sys.path.insert(0, ${JSON.stringify(folder)})`,
      'import facts',
      'print(json.dumps(facts.imported(["json", "no_such_module", "library:ends", "library:zlib", "string"])))',
    ].join('\n'),
  ]);
  expect(JSON.parse(stdout)).toEqual({
    json: [true, ''],
    no_such_module: [false, "ModuleNotFoundError: No module named 'no_such_module'"],
    'library:ends': [false, 'importing it ended the process (signal 9)'],
    'library:zlib': [true, expect.stringMatching(/^\d/)],
    string: [true, ''],
  });
});

const required = process.env['PACEGATE_REQUIRE_ENGINE'] === '1';
const withCompiler = spawnSync('gcc', ['--version']).status === 0 || required ? test : test.skip;

const FUNCTIONS = 1100;
const each = (count: number, write: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join('\n');

/** A library with as many functions as an interpreter's core has at least; a few lead to a function that is cold. */
const LIBRARY = [
  'int use(int *v, int a, int b);',
  'void leave(int) __attribute__((noreturn, cold));',
  each(
    FUNCTIONS,
    (i) =>
      `int f${i}(int *v, int n) { int s = use(v, n, ${i}); if (s < 0) { s = use(v, s, 7); s += use(v, 3, s) / (v[0] + ${i}); } return s; }`,
  ),
  each(8, (i) => `int e${i}(int x) { if (use(0, x, ${i})) leave(x + 1); return use(0, x, 2); }`),
].join('\n');

/** What trains it: it calls every other function, and never goes the longer way in them. */
const PROGRAM = [
  each(FUNCTIONS, (i) => `int f${i}(int *, int);`),
  'int use(int *v, int a, int b) { return a + b + !v; }',
  'void leave(int x) { for (;;) x++; }',
  'int main(void) { int v[4] = {1, 2, 3, 4}; int s = 0; for (int k = 0; k < 100; k++) {',
  each(FUNCTIONS / 2, (i) => `s += f${2 * i}(v, 4);`),
  '} return s == 42; }',
].join('\n');

describe('a binary', () => {
  let library: string;
  const gcc = async (...args: readonly string[]) => {
    const { status, stderr } = await runCommand('gcc', args, { cwd: folder });
    if (status !== 0) throw new Error(stderr);
  };
  const look = async (file: string) => {
    const { stdout } = await runCommand(python, ['-I', '-S', script, 'look', file]);
    return JSON.parse(stdout) as Record<string, string>;
  };
  const build = async (...flags: readonly string[]) => {
    library = join(folder, 'libcore.so');
    await gcc('-O2', '-fPIC', '-shared', '-Wl,-soname,libcore.so', ...flags, 'core.c', '-o', library);
    return library;
  };
  beforeEach(async () => {
    await writeFile(join(folder, 'core.c'), LIBRARY);
    await writeFile(join(folder, 'program.c'), PROGRAM);
  });

  withCompiler('compiled with a profile shows it in where its functions lie, stripped or not', async () => {
    await build('-fprofile-generate', '-fprofile-update=single');
    await gcc('program.c', '-L.', '-lcore', '-Wl,-rpath,$ORIGIN', '-o', 'program');
    await runCommand(join(folder, 'program'), [], { cwd: folder });
    await build('-fprofile-use', '-Wno-missing-profile');
    expect(await look(library)).toMatchObject({
      pgo: 'yes',
      march: expect.any(String),
      frame_pointers: 'no',
    });
    await runCommand('strip', ['--strip-all', library]);
    expect(await look(library)).toMatchObject({ pgo: 'yes', bolt: 'no', lto: 'unknown' });
  });

  withCompiler('compiled without one shows that too', async () => {
    await build();
    expect(await look(library)).toMatchObject({ pgo: 'no', frame_pointers: 'no', assertions: 'no' });
    await runCommand('strip', ['--strip-all', library]);
    expect(await look(library)).toMatchObject({ pgo: 'no' });
    // Without the compiler's name it may be one that never moves what is cold.
    await runCommand('objcopy', ['--remove-section', '.comment', library]);
    expect(await look(library)).toMatchObject({ pgo: 'unknown', bolt: 'unknown' });
  });

  withCompiler('that was compiled without moving cold code shows no profile', async () => {
    await build('-fno-reorder-blocks-and-partition');
    expect(await look(library)).toMatchObject({ pgo: 'unknown' });
  });

  withCompiler('with frame pointers, with assertions, of a few functions', async () => {
    await build('-fno-omit-frame-pointer');
    expect(await look(library)).toMatchObject({ frame_pointers: 'yes', pgo: 'no' });
    await writeFile(join(folder, 'core.c'), '#include <assert.h>\nint f(int x) { assert(x); return x; }');
    await build();
    expect(await look(library)).toMatchObject({
      frame_pointers: 'unknown',
      pgo: 'unknown',
      march: 'unknown',
      assertions: 'unknown',
      needed: expect.arrayContaining(['libc.so.6']),
    });
  });

  withCompiler('that declares the instructions that it needs', async () => {
    await writeFile(join(folder, 'core.c'), 'int f(int x) { return x; }');
    // What the linker writes for `-z x86-64-v3`; gcc 12 passes it on.
    if (process.arch !== 'x64') return;
    await build('-Wl,-z,x86-64-v3');
    expect(await look(library)).toMatchObject({ march: 'yes' });
  });

  withCompiler('with a section of BOLT’s', async () => {
    await writeFile(join(folder, 'core.c'), 'int f(int x) { return x; }');
    await build();
    await writeFile(join(folder, 'note'), 'BOLT');
    await runCommand('objcopy', ['--add-section', `.note.bolt_info=${join(folder, 'note')}`, library]);
    expect(await look(library)).toMatchObject({ bolt: 'yes' });
  });

  test.each([
    ['is no ELF file', 'hello'],
    ['is cut off', '\u007fELF\u0002\u0001\u0001'],
    ['is empty', ''],
  ])('that %s says nothing', async (_, content) => {
    await writeFile(join(folder, 'file'), content);
    expect(await look(join(folder, 'file'))).toEqual({});
    expect(await look(join(folder, 'none'))).toEqual({});
  });
});

test('symbols tell of link-time optimisation where they are left', async () => {
  const known = (files: readonly string[], names: readonly string[], gcc: boolean) =>
    `facts.link_time_optimised([(name, 4, 0, 0) for name in ${JSON.stringify(files)}] + [(name, 2, 1, 0) for name in ${JSON.stringify(names)}], ${gcc ? 'True' : 'False'})`;
  const core = ['dictobject.c', 'listobject.c', 'typeobject.c', 'import.c', 'object.c'];
  expect(
    await inside(
      `print(json.dumps([${[
        known(core, [], true),
        known(core, [], false),
        known(['<artificial>'], ['f'], true),
        known(['crtstuff.c'], ['f.lto_priv.0'], true),
        // Some of the core as files, some merged: nobody builds so.
        known(['dictobject.c', '<artificial>'], ['f'], true),
        known(['crtstuff.c'], ['f'], true),
        'facts.link_time_optimised([], True)',
      ].join(', ')}]))`,
    ),
  ).toEqual(['no', 'unknown', 'yes', 'yes', 'unknown', 'unknown', 'unknown']);
});

test('the flags of sysconfig are not used if they describe another binary', async () => {
  const declared = (variables: Record<string, unknown>, shared: boolean) =>
    inside(
      'import sysconfig',
      `sysconfig.get_config_vars = lambda: json.loads(${JSON.stringify(JSON.stringify(variables))})`,
      `print(json.dumps(facts.declared((3, 14), ${shared ? 'True' : 'False'})))`,
    );
  const flags = {
    PY_CFLAGS: '-O2 -march=x86-64 -O3',
    PY_CORE_CFLAGS: '-march=native -fno-omit-frame-pointer',
  };
  const optimised =
    "'--enable-optimizations' '--with-lto=thin' '--without-lto' '--with-lto' '--enable-bolt=no'";
  const [words, optimization, march] = (await declared(
    { ...flags, CONFIG_ARGS: optimised, Py_ENABLE_SHARED: 1, Py_GIL_DISABLED: 1 },
    true,
  )) as [Record<string, string>, string, string];
  expect(words).toMatchObject({
    pgo: 'yes',
    lto: 'yes',
    bolt: 'no',
    march: 'yes',
    frame_pointers: 'yes',
    gil: 'no',
    jit: 'no',
    tail_call: 'no',
    shared_libpython: 'yes',
  });
  expect([optimization, march]).toEqual(['-O3', 'native']);
  // Debian's, whose binary is static: not one "no".
  const [debian] = (await declared(
    { ...flags, CONFIG_ARGS: "'--enable-shared'", Py_ENABLE_SHARED: 1 },
    false,
  )) as [Record<string, string>];
  expect(debian).toMatchObject({ shared_libpython: 'yes', pgo: 'unknown', lto: 'unknown', march: 'unknown' });
  expect(Object.values(debian)).not.toContain('no');
  // A stand-alone build's flags are stripped: what is left may say yes, what is missing says nothing.
  const [standalone] = (await declared(
    { ...flags, CONFIG_ARGS: "'--with-lto'", PYTHON_BUILD_STANDALONE: 1, Py_ENABLE_SHARED: 0 },
    false,
  )) as [Record<string, string>];
  expect(standalone).toMatchObject({ lto: 'yes', pgo: 'unknown', bolt: 'unknown' });
});

describe('an answer', () => {
  const words = { who: 'official (head)', notStarted: 'it does not start' };
  const answered = (stdout: string, rest = {}) =>
    readFacts({ status: 0, signal: null, stderr: '', timedOut: false, stdout, ...rest }, words);
  const whole = { python: '3', implementation: 'CPython', executable: '/p', compiler: 'GCC', libc: 'glibc' };

  test('of an older version leaves out what it did not read', () => {
    expect(answered(JSON.stringify(whole))).toMatchObject({
      properties: {},
      packages: {},
      systemPackages: null,
    });
  });

  test.each([
    ['is not JSON', 'hello', {}, /^official \(head\): the interpreter's facts .* found "hello"$/],
    ['has another shape', '{"python": 3}', {}, /cannot be read/],
    [
      'has a word that is none',
      JSON.stringify({ ...whole, properties: { pgo: { declared: 'perhaps', observed: 'no' } } }),
      {},
      /cannot be read/,
    ],
    [
      'did not come',
      '',
      { status: 127, stderr: 'not found' },
      /^official \(head\): it does not start\nnot found$/,
    ],
    ['did not end', '', { status: null, timedOut: true }, /did not report its facts within 90 s$/],
  ])('that %s is an error', (_, stdout, rest, message) => {
    expect(() => answered(stdout, rest)).toThrow(message);
  });

  test('of an interpreter that floods is bounded', async () => {
    const flood = join(folder, 'python');
    await writeFile(flood, '#!/bin/sh\nexec yes\n');
    await chmod(flood, 0o755);
    await expect(ask(flood)).rejects.toThrow(
      'official: the interpreter was ended by SIGKILL; its answer may not be longer than 1048576 bytes',
    );
  });
});
