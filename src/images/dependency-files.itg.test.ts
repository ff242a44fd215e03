import { join } from 'node:path';
import { expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { isInstalled } from './dependency-files.test-support.ts';
import { builderOf, debian, failure, folderWith } from './images.test-support.ts';

/** The default Dockerfile on Debian's Python, which has no pip; the nightly tier has the other cells of the table. */

jest.setTimeout(600_000);

withEngine.each(['requirements.txt', 'a suite, by its group', 'a suite, by its package'])(
  'the default image installs from %s',
  async (name) => {
    await isInstalled(name, debian);
  },
);

withEngine('a missing group is refused with its key in the configuration', async () => {
  const tree = await folderWith({ 'pyproject.toml': '[dependency-groups]\nbench = []\n', 'uv.lock': '' });
  const { prepare } = builderOf({
    root: join(import.meta.dirname, '..', '..'),
    install: { groups: ['benchmarks'], extras: [], packages: [] },
  });
  expect(failure(await prepare(debian, 'head', tree))).toContain(
    'workload.install.groups: found benchmarks; expected: a dependency group of pyproject.toml (bench).',
  );
});
