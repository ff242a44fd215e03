import { expect } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath, withTool } from '../process/engine.test-support.ts';

const root = join(import.meta.dirname, '..', '..');
const hadolint = toolPath('hadolint');

/** What hadolint says of a step that is right as it is, and cannot be excused beside the step without moving it. */
const EXCUSED: Readonly<Record<string, readonly string[]>> = {
  // Options and package names are words to be split; python-build's definitions have plain names.
  'variants/pyenv/Dockerfile': ['SC2086', 'SC2010'],
  // The source tree is left again in the same step.
  'benchmarks/talk/official/Dockerfile': ['DL3003'],
};

/** hadolint's findings; it reads the shell of the RUN steps by ShellCheck's rules too. */
function findings(file: string, excused: readonly string[] = [], text?: string): string[] {
  const { stdout, stderr } = spawnSync(
    hadolint,
    ['--format', 'json', '--config', '.hadolint.yaml', ...excused.map((rule) => `--ignore=${rule}`), file],
    { cwd: root, encoding: 'utf8', ...(text === undefined ? {} : { input: text }) },
  );
  if (stdout === '') throw new Error(`hadolint did not run: ${stderr}`);
  const found = JSON.parse(stdout) as { line: number; code: string; message: string }[];
  return found.map(({ line, code, message }) => `${file}:${line} ${code} ${message}`);
}

withTool(hadolint)('hadolint has nothing against any Dockerfile', () => {
  const files = globSync(
    ['variants/*/Dockerfile', 'benchmarks/talk/*/Dockerfile', 'fixtures/{losses,standalone}/Dockerfile'],
    { cwd: root },
  );
  expect(files).toContain(join('variants', 'pyenv', 'Dockerfile'));
  expect(files.flatMap((file) => findings(file, EXCUSED[file]))).toEqual([]);
});

withTool(hadolint)('and it would say so', () => {
  const text = 'FROM debian:latest\nRUN for x in $(ls *.so); do rm $x; done\n';
  expect(findings('-', [], text).map((line) => line.split(' ')[1])).toEqual(
    expect.arrayContaining(['DL3007', 'SC2086']),
  );
});
