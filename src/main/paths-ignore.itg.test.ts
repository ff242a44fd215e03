import { afterAll, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { HOST, project, sessionIn } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** A change of ignored paths only, on a terminal and with this machine's Python. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const RULES = "blocks: 10, paths-ignore: ['docs/**', '**.md']";
const gate = async (path: string) => await pacegate(path, ['gate', '--baseline', 'HEAD~1']);

test('it is not measured and passes, and the file of the run gives the same verdict', async () => {
  const { path, write, commit } = project(HOST, { rounds: 1000, rules: RULES });
  write('docs/page.txt', 'words\n');
  write('notes/today.md', 'words\n');
  commit('words');
  const { status, out } = await gate(path);
  expect({ status, out }).toMatchObject({
    status: 0,
    out: expect.stringContaining('skipped: only ignored paths changed'),
  });
  const session = sessionIn(path);
  expect(session).toMatchObject({
    skipped: { files: 2, patterns: ['docs/**', '**.md'] },
    runs: [],
    images: [],
  });
  expect(readFileSync(join(path, 'pacegate-out/report.md'), 'utf8')).toContain(
    'all 2 files of this change match',
  );
  const again = await pacegate(path, ['compare', 'pacegate-out/session.json']);
  expect(again.status).toBe(0);
  expect(again.out).toContain('skipped: only ignored paths changed');
});

test('a change to another file too, or a file moved out of the code, is measured', async () => {
  const { path, write, commit, git } = project(HOST, { rounds: 1000, rules: RULES });
  write('README.md', 'words\n');
  write('other.py', 'x = 1\n');
  commit('words and code');
  await gate(path);
  expect(sessionIn(path).runs).not.toEqual([]);
  git('mv', 'other.py', 'other.md');
  commit('moved');
  await gate(path);
  expect(sessionIn(path).runs).not.toEqual([]);
});
