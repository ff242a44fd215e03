import { expect, test } from '@jest/globals';
import { buildFailureMessage } from './build-failure.ts';

const STEP =
  'RUN --mount=from=pacegate-installer,target=/pacegate python -B /pacegate/install.py dependencies';
const failed = (target: string, step: string, ...lastLines: string[]) =>
  buildFailureMessage({
    variant: 'debian',
    side: 'head',
    step: { target, step, error: 'process did not complete successfully: exit code: 2', lastLines },
    words: [],
  } as unknown as Parameters<typeof buildFailureMessage>[0]);
const STALE = 'error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.';

test.each([
  ['debian-head', STEP, "Pacegate's default Dockerfile"],
  ['debian-head', 'RUN uv sync --locked', "the application's Dockerfile"],
])('a lock file that is out of date ends the message of %s: %s', (target, step, whose) => {
  const lines = failed(target, step, STALE).split('\n');
  expect(lines[0]).toContain(`of ${whose}: exit code: 2.`);
  expect(lines.at(-1)).toBe('The lock file is out of date: run `uv lock` and commit uv.lock.');
});

test('an interpreter’s failure does not mention lock files, and an unknown failure has no advice', () => {
  expect(failed('interpreter', 'RUN uv python install', STALE)).not.toContain('run `uv lock`');
  expect(failed('debian-head', STEP, 'odd').split('\n').at(-1)).toMatch(
    /^Correct the file that this step reads/,
  );
});
