import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** Another program removes the temporary folder while a gate measures with its files. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

async function gateWithoutItsFolder(variant: string) {
  const { path, write, commit } = repository();
  write(
    'pacegate.yml',
    `version: 1
workload: { files: [bench], command: [python, bench/bench.py] }
variants: { one: ${variant} }
rules: { blocks: 30, budget: 5m }
`,
  );
  write('bench/data.txt', 'data\n');
  // The data are read late, when they may be removed already.
  write('bench/bench.py', 'import time\ntime.sleep(0.7)\nprint(open("bench/data.txt").read())\n');
  write('docker-bake.json', JSON.stringify({ target: { image: { context: '.' } } }));
  write('Dockerfile', 'FROM python:3.13-slim-trixie\nWORKDIR /app\nCOPY app.py /app/\n');
  write('app.py', 'X = 1\n');
  commit('one');
  write('app.py', 'X = 2\n');
  commit('two');
  const temporary = temporaryFolder();
  const journal = join(path, 'pacegate-out/runs.jsonl');
  let removed = false;
  const ended = await pacegate(
    path,
    ['gate', '--baseline', 'HEAD~1', '--config', 'pacegate.yml'],
    () => {
      if (removed || !existsSync(journal) || readFileSync(journal, 'utf8').split('\n').length < 8) return;
      removed = true;
      for (const name of readdirSync(temporary))
        // A run may write into the folder while it is removed.
        rmSync(join(temporary, name), { recursive: true, force: true, maxRetries: 20 });
    },
    { TMPDIR: temporary },
  );
  expect(removed).toBe(true);
  const file = join(path, 'pacegate-out/session.json');
  return { ...ended, session: parseSession(readFileSync(file, 'utf8'), file) };
}

const what = {
  test: async (variant: string) => {
    const { status, out, log, session } = await gateWithoutItsFolder(variant);
    expect({ status, log }).toMatchObject({ status: 3 });
    expect(out).toContain('no data');
    const [failure] = session.failures;
    expect(failure).toMatchObject({ stage: 'engine' });
    expect(failure?.message).toMatch(
      /^one \((head|baseline), block \d+\): \/\S+ is not there any more: something removed it during the session, so the run says nothing about the workload\. Look for what cleans the folder for temporary files \(TMPDIR\), and run this once more\.$/,
    );
    expect(session.runs.map(({ outcome }) => outcome)).not.toContain('nonzero');
    expect(log).not.toMatch(/^ {4}at /m);
  },
};

test('on this machine it is not an error of the workload, and the cause is named', async () => {
  await what.test('{ interpreter: host, python: python3 }');
});

withEngine('in containers neither', async () => {
  await what.test('{ bake: image, file: docker-bake.json, python: python }');
});
