import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeasurementError } from '../../errors/errors.ts';
import { runCommand } from '../../process/command.ts';
import { resolveInterpreter } from './host-interpreter.ts';

let folder: string;
let real: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-interpreter-'));
  real = (await runCommand('python3', ['-c', 'import sys; print(sys.executable)'])).stdout.trim();
});
afterAll(() => rm(folder, { recursive: true }));

async function script(name: string, ...lines: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

test('a command in the PATH is resolved to the path that the interpreter itself names', async () => {
  expect(real).toMatch(/^\//);
  expect(await resolveInterpreter('python3')).toBe(real);
});

test('an interpreter behind a shim is resolved, also if the shim prints something', async () => {
  expect(await resolveInterpreter(await script('shim', `exec '${real}' "$@"`))).toBe(real);
  const chatty = await script('chatty', 'echo using the system interpreter', `exec '${real}' "$@"`);
  expect(await resolveInterpreter(chatty)).toBe(real);
});

test('a virtual environment stays one: its own path, not the one that its link leads to', async () => {
  const environment = join(folder, 'venv');
  await runCommand(real, ['-m', 'venv', '--without-pip', environment]);
  const python = join(environment, 'bin', 'python');
  expect(await resolveInterpreter(python)).toBe(python);
});

test.each([
  [
    'is missing',
    () => '/nowhere/python3',
    /^The host interpreter \/nowhere\/python3 does not start .*ENOENT/,
  ],
  [
    'is not in the PATH',
    () => 'python3.99',
    /^The host interpreter python3\.99 .* installed and in the PATH\?/,
  ],
  [
    'fails',
    () => script('fails', 'echo version 3.12 is not installed >&2', 'exit 127'),
    /3\.12 is not installed/,
  ],
  ['says nothing', () => script('mute', 'exit 3'), /status 3/],
  ['names no path', () => script('other', 'echo not a path'), /\(not a path\)/],
])('an interpreter that %s is an error with its own words and advice', async (_, python, message) => {
  const resolved = resolveInterpreter(await python());
  await expect(resolved).rejects.toThrow(MeasurementError);
  await expect(resolved).rejects.toThrow(message);
  await expect(resolved).rejects.toThrow(/`python:` of the variant names another/);
});
