import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { HOST, project } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** User errors on a terminal. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

test.each([
  ['too few blocks for the doctor', ['doctor', '--blocks', '3'], /Expected: a whole number from 8/],
  [
    'an anchor that is not configured',
    ['baseline', '--anchor'],
    /rules\.anchor: found nothing, but --anchor needs it/,
  ],
  ['an unknown option', ['gate', '--baselin', 'x'], /unknown option '--baselin'/],
  ['an unknown command', ['gaet'], /unknown command 'gaet'/],
  ['an unknown verdict', ['gate', '--fail-on', 'slower'], /Found slower; expected: none, failed, regressed/],
  ['a bad duration', ['gate', '--budget', 'soon'], /Expected: a duration such as 90s/],
  ['no configuration', ['gate', '--config', 'none.yml'], /There is no configuration at .*none\.yml/],
  ['a missing file', ['compare', 'none.json'], /none\.json cannot be read/],
  ['a shard that is none', ['gate', '--shard', '3/2'], /Expected: INDEX\/OF, such as 2\/5/],
  ['nothing to compare', ['compare'], /There is nothing to compare/],
  ['a baseline that is no commit', ['gate', '--baseline', 'nowhere'], /--baseline nowhere names no commit/],
])('%s is the user’s to mend: status 2, and no file is written', async (_, args, message) => {
  const { path } = project(HOST);
  const { status, log } = await pacegate(path, args);
  expect(log).toMatch(message);
  expect(status).toBe(2);
  expect(existsSync(join(path, 'pacegate-out/session.json'))).toBe(false);
});
