import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InterpreterVariant } from '../plan/plan.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { cpuFlags, neededFlags } from '../session/cpu.ts';
import { tryDocker } from './docker.ts';
import {
  builderOf,
  carried,
  failure,
  folderWith,
  output,
  ready,
  tagged,
  top,
} from './images.test-support.ts';
import { removeImages } from './store.ts';

/**
 * The Dockerfile that compiles CPython, all of it but the compiling: in pyenv's place stands a builder that writes down
 * what it was told and unpacks an interpreter that is there. Real compilations take up to half an hour;
 * `npm run reproduce:talk` does them.
 */
jest.setTimeout(600_000);

const BUILDER = `#!/bin/sh
set -eu
mkdir -p "$3"
tar -xzf /opt/python-source/python.tar.gz -C "$3" --strip-components=1
{ echo "$1 $2"; echo "$PYTHON_CONFIGURE_OPTS"; echo "$PYTHON_CFLAGS"; echo "$MAKE_OPTS"; echo "\${PROFILE_TASK-its own}"
  command -v llvm-bolt clang || true; } > "$3/told"
`;

let contexts: Record<string, string> = {};
let before: readonly string[] = [];
const prefix = 'pacegate-interpreter/pyenv';

beforeAll(async () => {
  if ((await tryDocker(['version']).catch(() => undefined))?.status !== 0) return;
  before = await tagged(prefix);
  const archive = join(top, 'interpreter');
  const fixture = join(import.meta.dirname, '..', '..', 'fixtures', 'standalone');
  const built = await tryDocker(['buildx', 'build', '--output', `type=local,dest=${archive}`, fixture]);
  if (built.status !== 0) throw new Error(built.stderr);
  const builder = 'plugins/python-build';
  const definitions = ['3.13.4', '3.13.5', '3.13.5t', '3.12.1'].map((name): [string, string] => [
    `${builder}/share/python-build/${name}`,
    '',
  ]);
  const pyenv = await folderWith({
    ...Object.fromEntries<string>(definitions),
    [`${builder}/bin/python-build`]: BUILDER,
  });
  await chmod(join(pyenv, builder, 'bin/python-build'), 0o755);
  const source = await folderWith({ README: 'x' });
  await copyFile(join(archive, 'python.tar.gz'), join(source, 'python.tar.gz'));
  contexts = { 'pyenv-source': pyenv, 'python-source': source };
});
afterAll(async () => {
  await removeImages((await tagged(prefix)).filter((tag) => !before.includes(tag)));
});

const variant = (
  interpreter: InterpreterVariant['interpreter'],
  args: Record<string, string>,
  march?: string,
): InterpreterVariant => ({
  ...carried,
  name: interpreter,
  kind: 'interpreter',
  interpreter,
  args: { PYTHON_VERSION: '3.13', DEBIAN_RELEASE: 'trixie', TEST: String(process.pid), ...args },
  contexts,
  ...(march === undefined ? {} : { march }),
});

const told = async (image: string) =>
  (await output(image, 'cat', '/opt/python/told')).split('\n').map((line) => line.trim());

const here = neededFlags('native', cpuFlags(readFileSync('/proc/cpuinfo', 'utf8')));

withEngine('each flavour tells the builder its options; the newest definition is taken', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM python\n' });
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });

  const plain = ready(await prepare(variant('pyenv', { FLAVOUR: 'plain' }), 'head', tree));
  const [version, options, cflags, make, training] = await told(plain.image.id);
  expect([version, options, cflags, training]).toEqual(['--verbose 3.13.5', '', '', 'its own']);
  expect(make).toMatch(/^-j\d+$/);
  expect(plain.image.cpuFlags).toBeUndefined();
  // What the extensions need was found and installed, and nothing of the compiler came along.
  expect(
    await output(plain.image.id, 'python', '-c', 'import ssl, sqlite3, readline; print("imports")'),
  ).toBe('imports\n');
  expect(await output(plain.image.id, 'sh', '-c', 'command -v gcc make curl; echo none')).toBe('none\n');

  const native = ready(
    await prepare(
      variant(
        'pyenv-native',
        { FLAVOUR: 'native', CONFIGURE_OPTIONS: '--with-assertions', PROFILE_TASK: '-m test' },
        'native',
      ),
      'head',
      tree,
    ),
  );
  expect((await told(native.image.id)).slice(1, 5)).toEqual([
    '--enable-optimizations --with-lto --with-assertions',
    '-march=native -mtune=native',
    expect.stringMatching(/^-j\d+$/),
    '-m test',
  ]);
  expect(native.image.cpuFlags).toEqual(here);

  const bolt = ready(await prepare(variant('pyenv-bolt', { FLAVOUR: 'bolt' }, 'x86-64-v2'), 'head', tree));
  const words = await told(bolt.image.id);
  expect(words.slice(1, 3)).toEqual(['--enable-optimizations --with-lto --enable-bolt', '-march=x86-64-v2']);
  expect(words).toContainEqual(expect.stringMatching(/\/llvm-bolt$/));
  expect(bolt.image.cpuFlags).toContain('sse4_2');
});

withEngine('a builder on a processor that can do more than the machine that asked is refused', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM python\n' });
  // As a machine without this flag would ask; the builder is this one.
  const flag = ['avx2', 'avx', 'sse4a', 'fma', 'bmi2'].find((name) => here.includes(name));
  if (flag === undefined) return;
  const asked = variant('pyenv-native', {
    FLAVOUR: 'native',
    // As above, so that the compiler is installed already.
    CONFIGURE_OPTIONS: '--with-assertions',
    CPU_FLAGS: here.filter((name) => name !== flag).join(' '),
  });
  expect(failure(await builderOf({ dockerfile: 'Dockerfile' }).prepare(asked, 'head', tree))).toMatch(
    new RegExp(`the builder's CPU has ${flag}, and the machine that asked`),
  );
});
