import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../src/process/command.ts';
import { PYTHON, PYTHON_SOURCE, UV } from './configuration.ts';

/** What cannot be downloaded without internet, made from what is there; each says in a sentence what it is. */

const OFFICIAL = `python:${PYTHON}-slim-trixie`;
const LABEL = 'org.pacegate.stand-in';

type Say = (line: string) => void;

async function docker(args: readonly string[], say: Say = () => undefined, signal?: AbortSignal) {
  const result = await runCommand('docker', args, {
    onStderrLine: say,
    ...(signal === undefined ? {} : { signal }),
  });
  return { ...result, stdout: result.stdout.trim() };
}

/** The image that the official interpreter is taken from: pulled, or compiled with the official options. */
export async function officialBase(top: string, say: Say, signal: AbortSignal): Promise<string> {
  const label = ['image', 'inspect', '--format', `{{index .Config.Labels "${LABEL}"}}`, OFFICIAL];
  const here = await docker(label);
  if (here.status !== 0 && (await docker(['pull', '--quiet', OFFICIAL])).status !== 0) {
    say(`${OFFICIAL} cannot be pulled: compiled here with the official image's options (about 20 minutes)`);
    const built = await docker(
      [
        ...['buildx', 'build', '--progress', 'plain', '--output', 'type=docker', '--tag', OFFICIAL],
        ...['--build-context', `python-source=${PYTHON_SOURCE}`, '--build-arg', `PYTHON_FULL=${PYTHON}`],
        join(top, 'benchmarks', 'talk', 'official'),
      ],
      say,
      signal,
    );
    if (built.status !== 0) throw new Error(`the official stand-in does not build:\n${built.stderr}`);
  }
  const found = await docker(label);
  return found.stdout === ''
    ? `\`official\` is Docker's own ${OFFICIAL}.`
    : `\`official\` is a stand-in: ${found.stdout} (its image could not be pulled here).`;
}

/**
 * An archive in the layout of python-build-standalone with the list that uv reads, and uv itself.
 * @param folder gets `mirror/` and `uv/`, the named contexts of variants/uv
 */
export async function makeStandalone(top: string, folder: string): Promise<string> {
  const build = '20250723';
  const mirror = join(folder, 'mirror');
  const uv = join(folder, 'uv');
  await mkdir(mirror, { recursive: true });
  await mkdir(uv, { recursive: true });
  await copyFile(UV, join(uv, 'uv'));
  const name = `cpython-${PYTHON}+${build}-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz`;
  const packed = await docker([
    ...['buildx', 'build', '--output', `type=local,dest=${folder}/standalone`],
    join(top, 'fixtures', 'standalone'),
  ]);
  if (packed.status !== 0) throw new Error(`the archive for uv cannot be made: ${packed.stderr}`);
  await copyFile(join(folder, 'standalone', 'python.tar.gz'), join(mirror, name));
  const bytes = await readFile(join(mirror, name));
  const [major, minor, patch] = PYTHON.split('.').map(Number);
  const entry = {
    ...{ name: 'cpython', arch: { family: 'x86_64', variant: null }, os: 'linux', libc: 'gnu' },
    ...{ major, minor, patch, prerelease: '', variant: null, build },
    url: `file:///opt/python-mirror/${name}`,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  await writeFile(
    join(mirror, 'downloads.json'),
    JSON.stringify({ [`cpython-${PYTHON}-linux-x86_64-gnu`]: entry }),
  );
  return `\`uv\` is a stand-in: real uv installed an archive in the layout of python-build-standalone, made of Debian's interpreter and libraries, for theirs cannot be downloaded here. Its row says what the way costs (size, build), and nothing about how fast their build is.`;
}
