import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findValgrind } from './valgrind.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-valgrind-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A tool that says a version when it has its launcher's name, as valgrind's do. */
async function tool(path: string, says = 'valgrind-3.99.0'): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n[ -n "$VALGRIND_LAUNCHER" ] && [ "$1" = --version ] && echo '${says}'\n`);
  await chmod(path, 0o755);
}
/** No folder of packages has tools for a processor that is made up by its suffix alone: arm64's on amd64, and the other way. */
const other = process.arch === 'arm64' ? 'x64' : 'arm64';
const file = process.arch === 'arm64' ? 'cachegrind-amd64-linux' : 'cachegrind-arm64-linux';

test('VALGRIND_LIB names the folder before any other', async () => {
  await tool(join(folder, file));
  expect(await findValgrind('cachegrind', { env: { VALGRIND_LIB: folder }, architecture: other })).toEqual({
    tool: 'cachegrind',
    folder,
    file,
    version: 'valgrind-3.99.0',
  });
});

test('the tools are found next to the valgrind in the PATH, through links', async () => {
  const lib = join(folder, 'own', 'libexec', 'valgrind');
  await tool(join(lib, file));
  await tool(join(folder, 'own', 'bin', 'valgrind'));
  await mkdir(join(folder, 'bin'));
  await symlink(join(folder, 'own', 'bin', 'valgrind'), join(folder, 'bin', 'valgrind'));
  const PATH = `relative:${join(folder, 'empty')}:${join(folder, 'bin')}`;
  expect(await findValgrind('cachegrind', { env: { PATH }, architecture: other })).toMatchObject({
    folder: lib,
  });
});

test.each([
  ['cannot be started', async (path: string) => await writeFile(path, 'no program')],
  ['says something else', async (path: string) => await tool(path, '* valgrind: cannot')],
])('a tool that %s is none, and the message says where it was looked for and what to do', async (_, make) => {
  await make(join(folder, file));
  expect(await findValgrind('cachegrind', { env: { VALGRIND_LIB: folder }, architecture: other })).toBe(
    `instructions: cachegrind needs valgrind on this machine, and ${file} is in none of ${folder}, /usr/libexec/valgrind, /usr/lib/valgrind, /usr/local/libexec/valgrind, /usr/local/lib/valgrind. Install it before (\`sudo apt-get install --yes valgrind\`), or name its folder in VALGRIND_LIB`,
  );
});

test('a processor that was never tried is named', async () => {
  expect(await findValgrind('callgrind', { env: {}, architecture: 's390x' })).toBe(
    'instructions: callgrind cannot be used on a s390x processor; Pacegate supports valgrind on x64 and arm64 only',
  );
});
