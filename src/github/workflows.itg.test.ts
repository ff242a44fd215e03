import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { filesIn, projectWorkflows } from './workflows.test-support.ts';

/** The linters' findings about the project's own workflows, and about the examples that users copy. */

const WORKFLOWS = [...filesIn('.github/workflows'), ...filesIn('examples'), ...projectWorkflows()];
const ACTIONLINT = toolPath('actionlint');
const ZIZMOR = toolPath('zizmor');

withTool(ACTIONLINT)('actionlint accepts the workflows and the examples', () => {
  const { status, stdout, error } = spawnSync(ACTIONLINT, WORKFLOWS, { encoding: 'utf8' });
  expect({ status, stdout, error }).toEqual({ status: 0, stdout: '', error: undefined });
});

// `--offline`: the audits that ask GitHub whether a commit belongs to its tag need a token and a network.
withTool(ZIZMOR)('zizmor finds nothing in the workflows, the examples, action.yml and dependabot.yml', () => {
  const audited = [...WORKFLOWS, 'action.yml', '.github/dependabot.yml'];
  const args = ['--offline', '--quiet', '--no-progress', '--format=json-v1', '--config=.github/zizmor.yml'];
  const { status, stdout, stderr } = spawnSync(ZIZMOR, [...args, ...audited], { encoding: 'utf8' });
  expect({ status, findings: JSON.parse(stdout) as unknown, stderr }).toEqual({
    status: 0,
    findings: [],
    stderr: '',
  });
});

withTool(ZIZMOR)('zizmor refuses an action that is not pinned to a commit', () => {
  const workflow = 'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    steps: [{ uses: a/b@v1 }]\n';
  const args = ['--offline', '--quiet', '--format=json-v1', '--config=.github/zizmor.yml', '-'];
  const { status, stdout } = spawnSync(ZIZMOR, args, { encoding: 'utf8', input: workflow });
  expect(status).not.toBe(0);
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([expect.objectContaining({ ident: 'unpinned-uses' })]),
  );
});

test('there are workflows to look at', () => expect(WORKFLOWS.length).toBeGreaterThan(6));
