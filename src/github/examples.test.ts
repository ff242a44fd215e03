import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { INPUT_NAMES } from './inputs.ts';

const EXAMPLES = readdirSync('examples').map((name) => join('examples', name));
const ACTIONLINT = join(process.env['PACEGATE_TOOLS'] ?? '/opt/pacegate-tools', 'bin', 'actionlint');
/** Without the linter the test is skipped, unless CI says that everything has to be there. */
const withLinter =
  existsSync(ACTIONLINT) || process.env['PACEGATE_REQUIRE_ENGINE'] === '1' ? test : test.skip;

withLinter('the workflows of the README are ones that actionlint accepts', () => {
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
