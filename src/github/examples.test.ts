import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { INPUT_NAMES } from './inputs.ts';

const EXAMPLES = readdirSync('examples')
  .filter((name) => name.endsWith('.yml'))
  .map((name) => join('examples', name));
const ACTIONLINT = toolPath('actionlint');
withTool(ACTIONLINT)('the workflows of the README are ones that actionlint accepts', () => {
  const { status, stdout, error } = spawnSync(ACTIONLINT, EXAMPLES, { encoding: 'utf8' });
  expect({ status, stdout, error }).toEqual({ status: 0, stdout: '', error: undefined });
});

interface Workflow {
  readonly permissions: object;
  readonly jobs: Record<
    string,
    { readonly steps: readonly { readonly uses: string; readonly with?: object }[] }
  >;
}

test.each(EXAMPLES)('%s names its permissions and gives inputs that the action has', (path) => {
  const { permissions, jobs } = parse(readFileSync(path, 'utf8')) as Workflow;
  expect(Object.keys(permissions)).toContain('contents');
  const own = Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .filter(({ uses }) => uses.startsWith('pacegate/'));
  expect(own.length).toBeGreaterThan(0);
  for (const { with: inputs = {} } of own)
    expect([...INPUT_NAMES]).toEqual(expect.arrayContaining(Object.keys(inputs)));
});
