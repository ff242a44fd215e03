import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest } from '@jest/globals';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { gateLastCommit, pacegate } from './terminal.test-support.ts';

/** Users' benchmark suites (fixtures/suites), gated unchanged, with the real tools. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const SUITES = join(import.meta.dirname, '..', '..', 'fixtures', 'suites');
/** The Python of the environment that `.ci/tools` makes. Only it has pyperf and pytest-benchmark. */
const PYTHON = toolPath('../suites/bin/python');

interface Row {
  readonly metric: string;
  readonly unit: string;
  readonly verdict: string;
  readonly gated: boolean;
  readonly head: { readonly median: number };
}

/** A repository with a suite. The head renders a page six times over, which noise does not hide. */
function slower(suite: string) {
  const made = repository();
  cpSync(join(SUITES, suite), made.path, { recursive: true });
  made.write(
    'pacegate.yml',
    readFileSync(join(SUITES, suite, 'pacegate.yml'), 'utf8').replace('python: python3', `python: ${PYTHON}`),
  );
  made.commit('one');
  const before = readFileSync(join(SUITES, suite, 'templates.py'), 'utf8');
  made.write(
    'templates.py',
    before.replace(
      '    return "".join(',
      '    for _ in range(5):\n        "".join([str(values.get(part)) for part in parts])\n    return "".join(',
    ),
  );
  made.commit('slower');
  return made.path;
}

withTool(PYTHON).each([
  ['pytest', 'test_render', ['test_compile_1', 'test_compile_50']],
  ['pyperf', 'render_page', ['compile_page']],
])(
  'a %s suite is gated as it is, without listing it: %s is regressed, the others are judged and are not',
  async (suite, worse, others) => {
    const directory = slower(suite);
    const { status, out, log } = await gateLastCommit(directory);
    expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
    const { results } = JSON.parse(out) as { results: readonly Row[] };
    const row = (name: string) => results.find(({ metric }) => metric === name);
    expect(row(worse)).toMatchObject({ gated: true, verdict: 'regressed', unit: 's' });
    for (const name of others) expect(row(name)).toMatchObject({ gated: true, unit: 's' });
    for (const name of others) expect(row(name)?.verdict).not.toBe('regressed');
    expect(results.filter(({ gated }) => gated)).toHaveLength(1 + others.length);
    // The figures are microseconds, without the start of the tool.
    for (const name of [worse, ...others]) expect(row(name)?.head.median).toBeLessThan(0.01);
    const file = join(directory, 'pacegate-out/session.json');
    expect(parseSession(readFileSync(file, 'utf8'), file).workload.repetitions).toEqual({ here: 1 });
    // The file contains its rules by name, so it gives the verdict again.
    const again = await pacegate(directory, [
      ...['compare', 'pacegate-out/session.json', '--format', 'json'],
    ]);
    expect(JSON.parse(again.out)).toEqual(JSON.parse(out));
  },
);
