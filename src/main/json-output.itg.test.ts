import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { application, HOST, project } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** With `--format json` the standard output is one JSON document. All other output goes to the error stream. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

/** Simulates a library that prints while the program runs. */
const NOISE = 'data:text/javascript,setInterval(()=>console.log("noise"),20).unref()';
/** Shows Node's warnings with their origin, such as a file handle that nobody closed. */
const ENVIRONMENT = { NODE_OPTIONS: `--trace-warnings --import=${NOISE.replaceAll('"', '%22')}` };

/** Runs a command, and reads its whole standard output as JSON. */
async function answerOf(directory: string, args: readonly string[]) {
  const { status, out, log } = await pacegate(
    directory,
    [...args, '--format', 'json'],
    undefined,
    ENVIRONMENT,
  );
  expect({ args, warnings: log.match(/\(node:\d+\).*(\n +at .*)*/g) }).toEqual({ args, warnings: null });
  return { status, log, answer: JSON.parse(out) as Readonly<Record<string, unknown>> };
}

test('each command with --format json prints only JSON', async () => {
  const { path, write, commit } = project(
    `${HOST}  lean: { interpreter: host, python: python3, flags: [-O] }\n`,
    {
      rounds: 100_000,
      more: ', repetitions: 1',
      rules: 'blocks: 8',
    },
  );
  // A workload's output must not be part of the result.
  write('bench.py', 'from app import work\n\nprint("{}")\nwork()\n');
  write('app.py', application(600_000));
  commit('slower');
  const gated = await answerOf(path, ['gate', '--baseline', 'HEAD~1', '--variants', 'here', '--seed', '7']);
  expect(gated.answer).toMatchObject({ verdict: 'regressed' });
  expect(gated.log).toMatch(/^noise$/m);
  expect(gated.log).toMatch(/^Verdict$/m);

  const session = join(path, 'pacegate-out/session.json');
  expect((await answerOf(path, ['compare', session])).answer).toEqual(gated.answer);
  expect((await answerOf(path, ['merge', session])).answer).toMatchObject({ verdict: 'regressed' });
  expect((await answerOf(path, ['report', session])).answer).toEqual(gated.answer);
  for (const args of [
    ['run', '--variants', 'here', '--out', 'run'],
    ['rank', '--blocks', '6', '--out', 'rank'],
    ['doctor', '--variants', 'here', '--blocks', '8'],
    ['facts', 'python3'],
    ['facts', 'python3', 'no-such-interpreter-anywhere/python'],
  ])
    expect(typeof (await answerOf(path, args)).answer).toBe('object');
});
