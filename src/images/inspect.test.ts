import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { BuildError } from '../errors/errors.ts';
import { readInspection } from './inspect.ts';

const text = readFileSync(new URL('../../fixtures/buildx/inspect.json', import.meta.url), 'utf8');
type Recorded = { Config: Record<string, unknown>; RootFS: { Layers: string[] } } & Record<string, unknown>;
const recorded = (change: (image: Recorded) => void): string => {
  const [image] = JSON.parse(text) as [Recorded];
  change(image);
  return JSON.stringify([image]);
};
const identityAfter = (change: (image: Recorded) => void) => readInspection(recorded(change)).identity;
const original = readInspection(text);

test('the facts of an image', () => {
  expect(original).toMatchObject({
    id: 'sha256:e9f8c8ea7fac4626856f9154473b78a574968954880e19d471b68c7752f56eab',
    digests: [],
    workingDirectory: '/',
  });
  expect(original.layers).toHaveLength(4);
  expect(original.sizeBytes).toBeGreaterThan(1e8);
  expect(original.tagged?.getFullYear()).toBe(2026);
});

test.each<[string, (image: Recorded) => void]>([
  ['the ID', (image) => (image['Id'] = 'sha256:00')],
  ['the creation time', (image) => (image['Created'] = '2020-01-01T00:00:00Z')],
  ['labels', (image) => (image.Config['Labels'] = { revision: 'abc' })],
  ['names', (image) => (image['RepoTags'] = ['other:1'])],
])('%s does not change the identity', (_, change) => expect(identityAfter(change)).toBe(original.identity));

test.each<[string, (image: Recorded) => void]>([
  ['a layer', (image) => image.RootFS.Layers.push('sha256:00')],
  ['the order of layers', (image) => image.RootFS.Layers.reverse()],
  ['the environment', (image) => (image.Config['Env'] = ['PYTHONOPTIMIZE=1'])],
  ['the user', (image) => (image.Config['User'] = 'app')],
  ['the working directory', (image) => (image.Config['WorkingDir'] = '/app')],
  ['the entrypoint', (image) => (image.Config['Entrypoint'] = ['/init'])],
  ['the command', (image) => (image.Config['Cmd'] = ['sh'])],
  ['the platform', (image) => (image['Architecture'] = 'arm64')],
])('%s changes the identity', (_, change) => expect(identityAfter(change)).not.toBe(original.identity));

test('an answer that cannot be read is reported', () => {
  expect(() => readInspection('[]')).toThrow(BuildError);
  expect(() => readInspection('nonsense')).toThrow(/could not be read/);
});
