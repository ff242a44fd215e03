import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { openBaselineBranch } from '../baseline/branch.ts';
import { nightAgainstItself } from '../session/session.test-support.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** `pacegate baseline list`, `show`, `verify`, `export` and `prune` as a user runs them. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CONFIGURATION = `version: 1
workload: { command: [python3, app.py] }
variants: { here: { interpreter: host, python: python3 } }
`;

const project = repository();
const run = async (...args: readonly string[]) =>
  await pacegate(project.path, ['baseline', ...args, '--baseline-branch', 'nights']);

test('the commands look after the branch', async () => {
  project.write('.github/pacegate.yml', CONFIGURATION);
  project.write('app.py', 'print(1)\n');
  project.commit('app');
  expect(await run('list')).toMatchObject({
    status: 2,
    log: expect.stringContaining('There is no branch nights, so nothing is stored yet.'),
  });

  const branch = openBaselineBranch({ directory: project.path, branch: 'nights' });
  const how = { blocks: 8, noise: 0.02 };
  for (const day of [0, 1, 2]) await branch.append(nightAgainstItself(day, how));

  const { status, out } = await run('list');
  expect({ status, lines: out.split('\n').length }).toEqual({ status: 0, lines: 7 });
  expect((await run('verify')).status).toBe(0);
  expect((await run('show')).out).toContain('against itself (95 %)');
  expect(JSON.parse((await run('show', 'night-1', '--format', 'json')).out)).toMatchObject({ id: 'night-1' });
  expect((await run('show', '2026010')).log).toContain(
    '3 sessions on the branch nights have an id or a file',
  );
  expect((await run('show', 'x')).log).toContain('`pacegate baseline list` shows them');

  const folder = join(project.path, 'exported');
  expect((await run('export', folder)).status).toBe(0);
  expect(readdirSync(join(folder, 'pacegate', 'sessions'))).toHaveLength(3);

  expect((await run('prune', '--keep', '1')).out).toContain('Nothing was written.');
  expect((await run('prune', '--keep', '1', '--yes')).out).toContain('nights is one commit now');
  expect((await run('list')).out).toContain('1 night, 0 sessions of the anchor, 2 older nights as summaries');
  expect((await run('prune', '--keep', '0')).status).toBe(2);
  expect((await run('lst')).status).toBe(2);
});
