import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, jest } from '@jest/globals';
import type { Variant } from '../plan/plan.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { exportTree } from '../source/export.ts';
import { builderOf, carried, folderWith, never } from './images.test-support.ts';

/** What the real engine says of steps that want the history, which no side's files have. */

jest.setTimeout(600_000);

const bake: Variant = {
  ...carried,
  name: 'own',
  kind: 'bake',
  file: 'docker-bake.json',
  target: 'image',
  python: 'python',
} as unknown as Variant;

/** The files of a commit, as a side has them. */
async function committed(...steps: readonly string[]): Promise<string> {
  const folder = await folderWith({
    'docker-bake.json': JSON.stringify({ target: { image: { context: '.' } } }),
    Dockerfile: ['FROM debian:trixie-slim', ...steps].join('\n'),
  });
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], { cwd: folder });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'one');
  const tree = join(await folderWith({}), 'tree');
  await exportTree(folder, 'HEAD', tree);
  return tree;
}

withEngine.each([
  ['COPY .git /git'],
  ['RUN --mount=type=bind,source=.git,target=/git true'],
  ['RUN --mount=type=bind,source=.git/HEAD,target=/head true'],
  [
    'RUN --network=none echo "LookupError: setuptools-scm was unable to detect version for /app." >&2; exit 1',
  ],
  [
    'RUN --network=none echo "fatal: not a git repository (or any of the parent directories): .git" >&2; exit 128',
  ],
])('%s: the message says that there is no .git, and what to do', async (step) => {
  const tree = await committed(step);
  const { builder } = builderOf();
  await builder.check();
  const result = await builder.prepare({ variant: bake, side: 'head', tree, filesFrom: tree }, never);
  expect(result).toMatchObject({ kind: 'failed', failure: { stage: 'build' } });
  const lines = result.kind === 'failed' ? result.failure.message.split('\n') : [];
  expect(lines.at(-1)).toMatch(
    /^The build context has no \.git, on either side: it holds the files of the commit\. Give the step what it reads there in another way, such as a version with SETUPTOOLS_SCM_PRETEND_VERSION/,
  );
});

withEngine('the message of a step that fails for another reason does not mention .git', async () => {
  const tree = await committed('RUN --network=none echo ".gitignore is broken" >&2; exit 1');
  const { builder } = builderOf();
  await builder.check();
  const result = await builder.prepare({ variant: bake, side: 'head', tree, filesFrom: tree }, never);
  expect(result.kind === 'failed' ? result.failure.message : '').toMatch(/Correct this step/);
});
