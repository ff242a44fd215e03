import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { interpreterPorts } from '../main/compose.ts';
import { askTargets } from './ask-interpreters.ts';
import { placesFrom } from '../main/places.ts';

jest.setTimeout(600_000);
const places = placesFrom(join(import.meta.dirname, '..'));
let folder: string;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-targets-'));
  said = [];
});
afterEach(() => rm(folder, { recursive: true }));

const say = (line: string) => void said.push(line);
const ask = async (...targets: readonly string[]) =>
  await askTargets(targets, interpreterPorts(places), { info: say }, new AbortController().signal);

test('a command and a path are this machine’s, in the order given, and are reported as that', async () => {
  const first = await ask('python3');
  const path = first.answers[0]?.facts.executable ?? '';
  const { answers, failure } = await ask(path, 'python3');
  expect(failure).toBeUndefined();
  expect(answers.map(({ target, kind, image }) => [target, kind, image])).toEqual([
    [path, 'host', undefined],
    ['python3', 'host', undefined],
  ]);
  expect(answers[1]?.facts).toEqual(first.answers[0]?.facts);
  expect(said[1]).toBe(`${path}: taken as this machine's interpreter ${path}`);
});

test('a missing one is a configuration error; the others are still read', async () => {
  const { answers, failure } = await ask(`${folder}/none`, 'python3');
  expect(answers).toHaveLength(1);
  expect(failure).toMatchObject({
    exitStatus: 2,
    message: `${folder}/none: there is no such file. Expected: a host interpreter's path or command, or the name of an image.`,
  });
});

test('a program that is not an interpreter could not be measured; several failures are one error', async () => {
  const mute = join(folder, 'python');
  await writeFile(mute, '#!/bin/sh\necho not today >&2\nexit 1\n');
  await chmod(mute, 0o755);
  expect((await ask(mute)).failure).toMatchObject({
    exitStatus: 3,
    message: `${mute}: the interpreter ${mute} does not start\nnot today`,
  });
  const { failure } = await ask(mute, `${folder}/none`);
  expect(failure).toMatchObject({
    exitStatus: 2,
    message: expect.stringMatching(/not today\n.*no such file/),
  });
});
