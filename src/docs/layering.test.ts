import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../process/command.ts';

/** The rules of .dependency-cruiser.mjs report what they forbid, on a small tree with one fault of each kind. */

const files = {
  'session/read.ts': "import { join } from 'node:path';\nexport const file = join('a');\n",
  'session/digest.ts': "export { createHash } from 'node:crypto';\n",
  'session/run.ts': 'export interface Run { readonly block: number }\nexport const RUN = 1;\n',
  'verdict/compare.ts': "export { RUN } from '../session/run.ts';\n",
  'evidence/pairs.ts': "export { RUN } from '../verdict/compare.ts';\n",
  'report/markdown.ts': "export * from '@actions/core';\n",
  'measure/engine.ts': 'export interface Engine { readonly name: string }\nexport const ENGINE = 1;\n',
  'measure/loop.ts': "export { WORDS } from './engines/container.ts';\n",
  'measure/engines/container.ts':
    "import { ENGINE } from '../engine.ts';\nimport { join } from 'node:path';\nexport const WORDS = join(String(ENGINE));\n",
  'measure/results/read.ts': "export { ENGINE } from '../engine.ts';\n",
  'measure/lonely/new.ts': "export { RUN } from '../../session/run.ts';\n",
  'pipeline/gate.ts': "export { ENGINE } from '../measure/engine.ts';\n",
  'pipeline/ports.ts': "export type { Engine } from '../measure/engine.ts';\n",
  'pipeline/gate.test.ts': "export { WORDS } from '../measure/engines/container.ts';\n",
  'plan/a.ts': "import type { B } from './b.ts';\nexport interface A { readonly b?: B }\n",
  'plan/b.ts': "import type { A } from './a.ts';\nexport interface B { readonly a?: A }\n",
  'main/compose.ts': "export { WORDS } from '../measure/engines/container.ts';\n",
};

const TOP = resolve(import.meta.dirname, '../..');
let tree: string;
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'pacegate-layers-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(tree, 'src', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json', 'node_modules', 'package.json'])
    symlinkSync(join(TOP, name), join(tree, name));
});
afterAll(() => rmSync(tree, { recursive: true }));

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

test('each fault is reported with its file, and nothing else is', async () => {
  const cruiser = join(TOP, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout, stderr } = await runCommand(
    process.execPath,
    [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'],
    { cwd: tree },
  );
  expect(stderr).toBe('');
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
  const found = summary.violations.map(
    ({ from, to, rule }) => `${from} → ${to.replace(/^.*node_modules/, '')}: ${rule.name}`,
  );
  expect(found.sort()).toEqual([
    'src/evidence/pairs.ts → src/verdict/compare.ts: src/evidence imports only src/errors, src/session, src/statistics',
    'src/measure/lonely/new.ts → src/session/run.ts: each folder of src has a row in .dependency-cruiser.mjs',
    'src/measure/loop.ts → src/measure/engines/container.ts: src/measure imports only src/errors, src/session, src/statistics, src/plan, src/process, src/measure/results',
    'src/measure/results/read.ts → src/measure/engine.ts: src/measure/results imports only src/errors, src/session',
    'src/pipeline/gate.ts → src/measure/engine.ts: src/pipeline imports types only of src/images, src/measure, src/measure/counting, src/baseline, src/out-folder, src/source, src/github',
    'src/plan/a.ts → src/plan/b.ts: no import cycle',
    'src/report/markdown.ts → /@actions/core/lib/core.js: src/report is pure: no files, processes, network or runner',
    'src/session/read.ts → path: src/session is pure: no files, processes, network or runner',
  ]);
});
