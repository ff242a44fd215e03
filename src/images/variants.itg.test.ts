import { expect, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolPath, withEngine, withTool } from '../process/engine.test-support.ts';
import { tryDocker } from './docker.ts';
import {
  builderOf,
  debian,
  failure,
  folderWith,
  official,
  output,
  ready,
  top,
} from './images.test-support.ts';
import type { InterpreterVariant } from '../plan/plan.ts';

/** Real builds of the interpreters that take no compiler, and of the lock files' three ways. */
jest.setTimeout(600_000);

const root = join(import.meta.dirname, '..', '..');
const uv = toolPath('uv');
const system = '/etc/ssl/certs/ca-certificates.crt';

/** What a build's own steps may not leave behind, one path a line. */
const JUNK =
  'ls -A /mnt /tmp; find / -xdev ( -path /var/lib/apt/lists/* -o -name *.deb -o -path */promises* -o -name ca.pem ) -print';

withEngine('an interpreter is small, clean, and starts for anybody with nothing to write', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM python\n' });
  for (const variant of [official, debian]) {
    const { image } = ready(await builderOf({ dockerfile: 'Dockerfile' }).prepare(variant, 'head', tree));
    const base = variant === official ? 'python:3.13-slim-trixie' : 'debian:trixie-slim';
    const find = ['sh', '-c', JUNK.replace(/[()*]/g, '\\$&')];
    // What the base has in these places is not ours.
    const junk = (text: string) => text.split('\n').filter(Boolean).sort();
    const before = junk(await output(base, ...find));
    expect(junk(await output(image.id, ...find)).filter((line) => !before.includes(line))).toEqual([]);
    for (const flag of ['-B', '-O', '-OO']) {
      const run = [
        'run',
        '--rm',
        '--network',
        'none',
        '--read-only',
        '--user',
        '12345:12345',
        '--cap-drop',
        'ALL',
      ];
      const { stdout, stderr } = await tryDocker([
        ...[...run, image.id, 'python', flag, '-v', '-c', 'import ssl, sqlite3; print(ssl.__cached__)'],
      ]);
      expect(stdout).toMatch(/__pycache__\/ssl\.cpython-313(\.opt-[12])?\.pyc\n$/);
      // Nothing is compiled at the start: each module's bytecode is there and fits.
      expect(
        stderr
          .split('\n')
          .filter((line) => /^# (code object from .*\.py'$|wrote|could not create)/.test(line)),
      ).toEqual([]);
      expect(stderr).toMatch(/^# code object from '.*ssl\.cpython-313.*\.pyc'$/m);
    }
  }
});

withEngine(
  'each lock file brings its dependencies into the image, and not those for development',
  async () => {
    const { builder, prepare } = builderOf({ root, build: { ca: system } });
    for (const tool of ['uv', 'poetry', 'pip']) {
      const tree = join(root, 'fixtures', 'projects', tool);
      const lock = await readFile(
        join(tree, (await readdir(tree)).find((name) => /lock$|\.txt$/.test(name)) ?? ''),
        'utf8',
      );
      // The addresses of the public index alone: no proxy's name gets in with a lock file that is made anew.
      const hosts = [...lock.matchAll(/https?:\/\/([^/"\s]+)/g)].map(([, host]) => host ?? '');
      expect(hosts.filter((host) => !['pypi.org', 'files.pythonhosted.org'].includes(host))).toEqual([]);

      const { image, python } = ready(await prepare(debian, 'head', tree));
      expect([tool, await output(image.id, python, 'main.py')]).toEqual([
        tool,
        "[<Version('3.9')>, <Version('3.13')>]\niniconfig None\n",
      ]);
      expect(await output(image.id, 'sh', '-c', 'ls /opt/venv/bin; find / -name ca.pem')).not.toMatch(
        /pip|uv|poetry|pem/,
      );
    }
    await builder.cleanUp();
  },
);

/** It takes the engine and uv: without one of them it is skipped where neither has to be there. */
const withUv = existsSync(uv) ? withEngine : withTool(uv);

/**
 * A mirror with one archive and its list, as python-build-standalone and uv lay them out. The archive is a
 * stand-in, see its Dockerfile.
 */
async function mirrorWith(build: string, change: { sha256?: string } = {}) {
  const archive = join(top, 'standalone');
  const { status, stderr } = await tryDocker([
    ...['buildx', 'build', '--output', `type=local,dest=${archive}`, join(root, 'fixtures', 'standalone')],
  ]);
  if (status !== 0) throw new Error(stderr);
  const version = (await readFile(join(archive, 'version'), 'utf8')).trim();
  const [major, minor, patch] = version.split('.').map(Number);
  const name = `cpython-${version}+${build}-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz`;
  const folder = await folderWith({ [join(build, 'README')]: '' });
  await copyFile(join(archive, 'python.tar.gz'), join(folder, build, name));
  const sha256 = createHash('sha256')
    .update(await readFile(join(archive, 'python.tar.gz')))
    .digest('hex');
  const list = {
    [`cpython-${version}-linux-x86_64-gnu`]: {
      ...{ name: 'cpython', arch: { family: 'x86_64', variant: null }, os: 'linux', libc: 'gnu' },
      ...{ major, minor, patch, prerelease: '', variant: null, build, sha256, ...change },
      url: `https://github.com/astral-sh/python-build-standalone/releases/download/${build}/${encodeURIComponent(name)}`,
    },
  };
  await writeFile(join(folder, 'list.json'), JSON.stringify(list));
  return { folder, version };
}

async function standalone(folder: string, args: Record<string, string>): Promise<InterpreterVariant> {
  const tools = join(top, 'uv');
  await mkdir(tools, { recursive: true });
  await copyFile(uv, join(tools, 'uv'));
  return {
    ...debian,
    name: 'uv',
    interpreter: 'uv',
    args: {
      UV_PYTHON_INSTALL_MIRROR: 'file:///opt/python-mirror',
      UV_PYTHON_DOWNLOADS_JSON_URL: 'file:///opt/python-mirror/list.json',
      ...args,
    },
    contexts: { uv: tools, 'python-mirror': folder },
  };
}

withUv('uv installs only the archive that its list names, from a mirror', async () => {
  const tree = await folderWith({
    'bench.py': 'import sys\nprint(sys.version.split()[0], sys.base_prefix)\n',
  });
  const { folder, version } = await mirrorWith('20250723');
  const { prepare } = builderOf();
  const given = { PYTHON_VERSION: '3.13', PYTHON_BUILD: '20250723' };
  const { image, python } = ready(await prepare(await standalone(folder, given), 'head', tree));
  expect(await output(image.id, python, 'bench.py')).toBe(`${version} /opt/python-standalone/current\n`);
  // Neither uv nor the archive is in it.
  expect(await output(image.id, 'sh', '-c', 'ls -A /opt/python-standalone; command -v uv; ls /opt')).toBe(
    `cpython-${version}-linux-x86_64-gnu\ncurrent\npython-standalone\nvenv\n`,
  );

  const other = { ...given, PYTHON_BUILD: '20250101' };
  expect(failure(await prepare(await standalone(folder, other), 'head', tree))).toMatch(/^uv.*: .*20250101/s);
});

withUv('an archive that is not the one the list names is refused', async () => {
  const tree = await folderWith({ 'bench.py': '' });
  const { folder } = await mirrorWith('20250723', { sha256: '0'.repeat(64) });
  const variant = await standalone(folder, { PYTHON_VERSION: '3.13' });
  expect(failure(await builderOf().prepare(variant, 'head', tree))).toMatch(/[Hh]ash mismatch/);
});
