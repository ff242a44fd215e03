import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { PAGES } from './files.test-support.ts';
import { fencesOf, placeOf, readPage } from './markdown.test-support.ts';
import { readYamlExample } from './yaml-examples.test-support.ts';

/** What the linters say of the workflows and Dockerfiles that the pages show. */

const ACTIONLINT = toolPath('actionlint');
const ZIZMOR = toolPath('zizmor');
const HADOLINT = toolPath('hadolint');

const folder = mkdtempSync(join(tmpdir(), 'pacegate-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fences = PAGES.flatMap((path) => fencesOf(readPage(path)));

/** A file's name says where its text stands: `docs_github.md_12.yml`. */
const writeExample = (place: string, text: string, ending: string): string => {
  const path = join(folder, `${place.replace(/[/:]/g, '_')}${ending}`);
  writeFileSync(path, text);
  return path;
};

const workflows = fences
  .filter(({ language }) => language === 'yaml')
  .flatMap((fence) => {
    const example = readYamlExample(fence.value);
    return example.kind === 'workflow'
      ? [{ whole: example.text === fence.value, path: writeExample(placeOf(fence), example.text, '.yml') }]
      : [];
  });
const dockerfiles = fences
  .filter(({ language }) => language === 'dockerfile')
  .map((fence) => writeExample(placeOf(fence), fence.value, '.Dockerfile'));

test('the pages show workflows', () => expect(workflows.length).toBeGreaterThan(0));

withTool(ACTIONLINT)('actionlint accepts the workflows of the pages', () => {
  const args = ['-config-file', '.github/actionlint.yaml', ...workflows.map(({ path }) => path)];
  const { stdout, stderr } = spawnSync(ACTIONLINT, args, { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});

/** A page shows an action by its major version, which is what a reader looks for; examples/ has the commits to copy. */
const PAGE_POLICY = "rules: { unpinned-uses: { config: { policies: { '*': ref-pin } } } }\n";

withTool(ZIZMOR)('zizmor finds nothing in the whole workflows of the pages', () => {
  const whole = workflows.filter((workflow) => workflow.whole).map(({ path }) => path);
  const config = join(folder, 'zizmor-policy');
  writeFileSync(config, PAGE_POLICY);
  const args = ['--offline', '--quiet', '--no-progress', '--format=github', `--config=${config}`];
  const { stdout, stderr } = spawnSync(ZIZMOR, [...args, ...whole], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});

withTool(HADOLINT)('hadolint accepts the Dockerfiles of the pages', () => {
  if (dockerfiles.length === 0) return;
  const { stdout, stderr } = spawnSync(HADOLINT, ['--config', '.hadolint.yaml', ...dockerfiles], {
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
