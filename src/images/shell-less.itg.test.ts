import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { join } from 'node:path';
import { containerEngine } from '../measure/engines/container.ts';
import { runRequest } from '../measure/engines/run-request.test-support.ts';
import type { InterpreterVariant } from '../plan/plan.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { isInstalled } from './dependency-files.test-support.ts';
import { tryDocker } from './docker.ts';
import { builderOf, carried, failure, folderWith, never, output, ready } from './images.test-support.ts';
import { removeImages } from './store.ts';

/**
 * Images that cannot be pulled where the tests run, by stand-ins that have what the Dockerfiles rely on: a hardened image
 * without a shell that runs as `nonroot`, and a Wolfi whose `apk` installs one package for each minor version of Python.
 */
jest.setTimeout(600_000);

const hardened = `pacegate-test/hardened:${process.pid}`;
const wolfi = `pacegate-test/wolfi:${process.pid}`;

const HARDENED = `FROM python:3.13-slim-trixie
ENV PYTHON_VERSION=3.13.5
RUN ["python3", "-c", "import os; [os.remove('/usr/bin/' + name) for name in ('sh', 'bash', 'dash', 'rbash')]"]
USER 65532:65532
CMD ["python3"]
`;

const WOLFI = `FROM python:3.13-slim-trixie
RUN mkdir /packages && mv /usr/local/bin/python* /packages/
COPY --chmod=755 apk /usr/local/bin/apk
`;
const APK = `#!/bin/sh
set -eu
echo "$*" > /apk.told
case "$*" in *" python-3.13") cp -P /packages/python* /usr/local/bin/;; *) echo "unable to select packages" >&2; exit 1;; esac
`;

beforeAll(async () => {
  if ((await tryDocker(['version']).catch(() => undefined))?.status !== 0) return;
  for (const [tag, files] of [
    [hardened, { Dockerfile: HARDENED }],
    [wolfi, { Dockerfile: WOLFI, apk: APK }],
  ] as const) {
    const built = await tryDocker(['buildx', 'build', '--load', '--tag', tag, await folderWith(files)]);
    if (built.status !== 0) throw new Error(built.stderr);
  }
});
const containers = containerEngine({
  sessionId: `itg-shell-less-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, '../measure/probe/probe.py'),
  facts: join(import.meta.dirname, '../measure/probe/facts.py'),
});
afterAll(async () => {
  await containers.cleanUp();
  await removeImages([hardened, wolfi]);
});

const variant = (
  interpreter: 'dhi' | 'wolfi',
  base: string,
  python = '3.13',
  more: Readonly<Record<string, string>> = {},
): InterpreterVariant => ({
  ...carried,
  name: interpreter,
  kind: 'interpreter',
  interpreter,
  args: { PYTHON_VERSION: python, BASE_IMAGE: base, ...more },
  contexts: {},
});

withEngine('an image without a shell is compiled, checked, installed into, asked and measured', async () => {
  const runnable = await isInstalled('requirements.txt', variant('dhi', hardened));
  const shell = await output(runnable.image.id, 'sh', '-c', 'echo a shell');
  expect(shell).toMatch(/"sh": executable file not found/);

  const facts = await containers.facts(runnable);
  expect(facts.python).toBe('3.13.5');
  expect(facts.properties.bytecode?.observed).toBe('yes');
  expect(facts.brokenModules).toEqual({});

  const command = [
    'python',
    '-c',
    'import os; assert os.getuid() == 10001; [hash(n) for n in range(10 ** 6)]',
  ];
  const result = await containers.run(runRequest(command, { runnable }), never);
  expect(result).toMatchObject({ outcome: 'ok', exitStatus: 0 });
  expect(result.metrics['cpu_time_s']).toBeGreaterThan(0.01);
  expect(result.metrics['max_rss_bytes']).toBeGreaterThan(5_000_000);
});

withEngine('the builder asks an interpreter without a shell which Python it is', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM dhi.io/python:3.13\nCOPY app.py /\n', 'app.py': '' });
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const built = await prepare(variant('dhi', hardened), 'head', tree);
  expect(ready(built).image.base?.reference).toBe(hardened);
  expect(built.kind === 'ready' ? await built.interpreter?.(never) : undefined).toMatchObject({
    kind: 'answered',
    python: { python: '3.13.5', implementation: 'CPython' },
  });
});

withEngine('another version than the one asked for, and a step that needs a shell, are refused', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM python\nRUN echo a step\n' });
  const refused = async (given: InterpreterVariant) =>
    failure(await builderOf({ dockerfile: 'Dockerfile' }).prepare(given, 'head', tree));
  // The image's own PYTHON_VERSION does not take the place of what was asked for.
  expect(await refused(variant('dhi', hardened, '3.12'))).toContain(
    'version: the image has Python 3.13.5, not 3.12',
  );
  expect(await refused(variant('dhi', hardened))).toMatch(
    /dhi \(head\): the build stopped at `.*RUN echo a step`[^]*This image has no shell: write the step as a list of words .*distribution: debian13-dev/,
  );
});

withEngine('Wolfi’s Python comes by its package for the minor version', async () => {
  const tree = await folderWith({ Dockerfile: 'FROM python\n' });
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const { image } = ready(await prepare(variant('wolfi', wolfi, '3.13.5'), 'head', tree));
  expect(await output(image.id, 'cat', '/apk.told')).toBe(
    'add --no-cache ca-certificates-bundle python-3.13\n',
  );
  expect(await output(image.id, 'python', '-c', 'import ssl; print(ssl.__cached__)')).toMatch(/\.pyc\n$/);
  expect(failure(await prepare(variant('wolfi', wolfi, '3.12'), 'head', tree))).toContain(
    'unable to select packages',
  );
  // The repository has one patch release of each minor version, and that may be another.
  expect(failure(await prepare(variant('wolfi', wolfi, '3.13.4'), 'head', tree))).toContain(
    'version: the image has Python 3.13.5, not 3.13.4',
  );
});
