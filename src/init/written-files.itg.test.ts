import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { madeUp, TEMPLATES, writtenFor } from './projects.test-support.ts';
import { workflowFiles } from './written-files.ts';

/** The linters' findings about the workflows and Dockerfiles that `init` writes. */

const ACTIONLINT = toolPath('actionlint');
const ZIZMOR = toolPath('zizmor');
const HADOLINT = toolPath('hadolint');

const folder = mkdtempSync(join(tmpdir(), 'pacegate-init-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const workflows = ['.github/pacegate.yml', 'services/orders/pacegate.yml', '.github/other.yml']
  .flatMap((configuration) => workflowFiles(configuration, TEMPLATES))
  .map(({ path, text }) => write(path, text));

/** Projects that read their own version. With these files the default image does not install them. */
const dockerfiles = ['pylock.toml', 'Pipfile.lock', 'requirements.txt', 'unrelated'].map((file) =>
  write(
    `${file}-project/Dockerfile`,
    writtenFor(
      madeUp({
        [file]: '',
        'pyproject.toml': '[project]\nname = "tool"\nversion = "1"\n',
        'tool/__init__.py': 'from importlib.metadata import version\n__version__ = version("tool")\n',
      }),
    ).of('pacegate.Dockerfile'),
  ),
);

withTool(ACTIONLINT)('actionlint accepts the workflows', () => {
  const { status, stdout, error } = spawnSync(ACTIONLINT, workflows, { encoding: 'utf8' });
  expect({ status, stdout, error }).toEqual({ status: 0, stdout: '', error: undefined });
  expect(new Set(workflows).size).toBe(6);
});

withTool(ZIZMOR)('zizmor finds nothing in the workflows', () => {
  const args = ['--offline', '--quiet', '--no-progress', '--format=json-v1', '--config=.github/zizmor.yml'];
  const { status, stdout, stderr } = spawnSync(ZIZMOR, [...args, ...workflows], { encoding: 'utf8' });
  expect({ status, findings: JSON.parse(stdout) as unknown, stderr }).toEqual({
    status: 0,
    findings: [],
    stderr: '',
  });
});

withTool(HADOLINT)('hadolint accepts the Dockerfiles', () => {
  // The same exceptions as for the examples: `FROM python` has no tag on purpose, and the tools are the newest ones.
  const args = ['--ignore', 'DL3006', '--ignore', 'DL3013'];
  const { status, stdout, error } = spawnSync(HADOLINT, [...args, ...dockerfiles], { encoding: 'utf8' });
  expect({ status, stdout, error }).toEqual({ status: 0, stdout: '', error: undefined });
});
