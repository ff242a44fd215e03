import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { imageTag, isDigestReference, isReference, targetName } from './names.ts';

test.each([
  ['official', 'pacegate/official-head:s1'],
  ['py-3.13', 'pacegate/py-3.13-head:s1'],
  ['a..b', 'pacegate/a-b-f62b4241-head:s1'],
])('the image of variant %s', (variant, tag) => expect(imageTag(variant, 'head', 's1')).toBe(tag));

const variantName = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);

test("every variant's name gives a legal image name and bake target", () =>
  fc.assert(
    fc.property(variantName, fc.string(), (variant, session) => {
      // The grammar of https://github.com/distribution/reference, for one component.
      expect(imageTag(variant, 'baseline', `s${session}`)).toMatch(
        /^pacegate\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
      );
      expect(targetName(variant)).toMatch(/^[a-z0-9_-]+$/);
    }),
  ));

test('different variants have different images', () =>
  fc.assert(
    fc.property(variantName, variantName, (a, b) => {
      fc.pre(a !== b);
      expect(imageTag(a, 'head', 's')).not.toBe(imageTag(b, 'head', 's'));
    }),
  ));

test.each([
  ['python:3.13-slim', true],
  ['ghcr.io/o/n@sha256:00', true],
  ['--privileged', false],
  ['a b', false],
  ['', false],
])('%j is a reference: %s', (text, expected) => expect(isReference(text)).toBe(expected));

test('a digest reference is whole', () => {
  expect(isDigestReference(`r:5000/a/b@sha256:${'0'.repeat(64)}`)).toBe(true);
  expect(isDigestReference('r/a@sha256:00')).toBe(false);
  expect(isDigestReference('r/a:latest')).toBe(false);
});
