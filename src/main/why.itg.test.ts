import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { explain } from '../diagnosis/explain.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { namedAsCause } from './causes.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The causes of a regression, by the program in real containers: a planted function, and another interpreter. */

jest.setTimeout(600_000);

const ORDERS = join(import.meta.dirname, '..', '..', 'fixtures', 'orders');
const OFFICIAL = 'python:3.13-slim-trixie';
/** Debian's debug build of the same Python, in which every function takes longer. */
const DEBUG = `pacegate-test/python-debug:${process.pid}`;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-debug-'));
  writeFileSync(
    join(folder, 'Dockerfile'),
    `FROM ${OFFICIAL}
RUN apt-get update && apt-get install -y --no-install-recommends python3.13-dbg && rm -rf /var/lib/apt/lists/*
RUN ln -sf /usr/bin/python3.13d /usr/local/bin/python
`,
  );
  try {
    execFileSync('docker', ['build', '--quiet', '--tag', DEBUG, folder], { stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
afterAll(() => {
  removeTemporaryFolders();
  execFileSync('docker', ['image', 'rm', '--force', DEBUG], { stdio: 'pipe' });
});

function project(variant: string, files: string) {
  const made = repository();
  cpSync(ORDERS, made.path, { recursive: true });
  made.write(
    '.github/pacegate.yml',
    `version: 1
workload: { files: [${files}], command: [python, bench.py], repetitions: 1 }
variants: { orders: ${variant} }
metrics: { wall_time_s: { gate: false }, max_rss_bytes: { gate: false }, image_size_bytes: { gate: false } }
rules: { blocks: 8, alpha: 0.01 }
`,
  );
  made.commit('one');
  return made;
}

async function gated({ path }: { readonly path: string }) {
  const { status, out, log } = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
  const file = join(path, 'pacegate-out/session.json');
  const session = parseSession(readFileSync(file, 'utf8'), file);
  const [explanation] = session.explanations ?? [];
  const explained = explanation === undefined ? undefined : explain(explanation);
  if (explained === undefined) throw new Error(`no explanation: ${explanation?.problem ?? log}`);
  return { out, explained, named: namedAsCause(session) };
}

withEngine('a planted function is named in the report and in the other files', async () => {
  const made = project('{ interpreter: official, python: "3.13" }', 'bench.py');
  made.write(
    'orders.py',
    readFileSync(join(ORDERS, 'orders.py'), 'utf8').replace(
      '    return total(orders)',
      '    for _ in range(60):\n        total(orders)\n    return total(orders)',
    ),
  );
  made.commit('slower');
  const { out, explained, named } = await gated(made);
  expect(named).toEqual(['total']);
  expect(explained.functions[0]).toMatchObject({
    file: 'orders.py',
    name: 'total',
    calls: { baseline: 20, head: 1220 },
  });
  expect(out).toMatch(
    /^Why orders regressed: total \(orders\.py:\d+\) took .* more CPU \(.*20 → 1220 calls\)/m,
  );
  expect(readFileSync(join(made.path, 'pacegate-out/report.md'), 'utf8')).toMatch(
    /\*\*Why\*\* `orders` regressed: `total` \(orders\.py:\d+\)/,
  );
  expect(readdirSync(join(made.path, 'pacegate-out/profiles')).sort()).toEqual([
    'orders-baseline-cpu.callgrind',
    'orders-baseline-cpu.speedscope.json',
    'orders-head-cpu.callgrind',
    'orders-head-cpu.speedscope.json',
  ]);
  const again = await pacegate(made.path, ['report', 'pacegate-out/session.json']);
  expect(again.out).toMatch(/^Why orders regressed: total/m);
});

withEngine('if all functions take longer, none is named, and the other differences are', async () => {
  const made = project(`{ image: "${DEBUG}", baseline: "${OFFICIAL}" }`, 'bench.py, orders.py');
  made.commit('the same code');
  // One profile for each side. On a busy machine one gate in ten names a function that another process delayed. A
  // faulty rule would name a wrong function every time.
  let found = await gated(made);
  for (let more = 2; found.named.length > 0 && more > 0; more -= 1) found = await gated(made);
  const { out, explained, named } = found;
  expect(named).toEqual([]);
  expect(explained.own.head).toBeGreaterThan(1.3 * explained.own.baseline);
  expect(out).toMatch(/no function stands out\. All of them together grew by .*, which are listed below\./);
  expect(out).toMatch(/^More than your code changed in orders: .*assertions no → yes/m);
});
