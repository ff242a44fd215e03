import { join } from 'node:path';
import { expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { interpreterPorts } from '../main/compose.ts';
import { askTargets } from './ask-interpreters.ts';
import { placesFrom } from '../main/places.ts';

jest.setTimeout(600_000);
const places = placesFrom(join(import.meta.dirname, '..'));
const say = () => undefined;
const ask = async (...targets: readonly string[]) =>
  await askTargets(targets, interpreterPorts(places), { info: say }, new AbortController().signal);

withEngine('an image has its layers, base first, next to its interpreter', async () => {
  const { answers, failure } = await ask('python:3.13-slim-trixie', 'debian:trixie-slim');
  expect(answers).toEqual([expect.objectContaining({ target: 'python:3.13-slim-trixie', kind: 'image' })]);
  const image = answers[0]?.image;
  expect(image?.layers.length).toBeGreaterThan(0);
  expect(image?.layers.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(image?.sizeBytes);
  expect(failure).toMatchObject({
    exitStatus: 3,
    message:
      'debian:trixie-slim: the image has neither python nor python3 in its PATH, so there is no interpreter to ask.',
  });
});

withEngine('a name that is not an image either has a message with where it was looked for', async () => {
  const { failure } = await ask('localhost:9/none/such:1');
  expect(failure).toMatchObject({
    exitStatus: 2,
    message: expect.stringMatching(
      /^localhost:9\/none\/such:1: neither a file, nor a command in the PATH, nor an image/,
    ),
  });
});
