import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseImageOf, pinnedDigest } from './base-image.ts';

const folder = (name: string) =>
  readFileSync(join(import.meta.dirname, '..', '..', 'variants', name, 'Dockerfile'), 'utf8');

test.each([
  ['official', { PYTHON_VERSION: '3.12', DEBIAN_RELEASE: 'bookworm' }, 'python:3.12-slim-bookworm'],
  ['official', { BASE_IMAGE: 'python:3@sha256:1' }, 'python:3@sha256:1'],
  ['alpine', { PYTHON_VERSION: '3.13', ALPINE_RELEASE: '3.21' }, 'python:3.13-alpine3.21'],
  ['debian', {}, 'debian:trixie-slim'],
  ['pyenv', { DEBIAN_RELEASE: 'bookworm' }, 'debian:bookworm-slim'],
  ['uv', {}, 'debian:trixie-slim'],
  ['conda-forge', {}, 'debian:trixie-slim'],
  ['dhi', { PYTHON_VERSION: '3.14', DISTRIBUTION: 'alpine3.24-dev' }, 'dhi.io/python:3.14-alpine3.24-dev'],
  ['dhi', {}, 'dhi.io/python:3.13-debian13'],
  ['wolfi', { PYTHON_VERSION: '3.14' }, 'cgr.dev/chainguard/wolfi-base:latest'],
])('%s with %j stands on %s', (name, args, expected) =>
  expect(baseImageOf(folder(name), args)).toBe(expected),
);

test.each([
  ['FROM debian\nARG BASE_IMAGE=late', undefined],
  ['ARG BASE_IMAGE', undefined],
  ['ARG BASE_IMAGE=', undefined],
  ['ARG A\nARG BASE_IMAGE=python:$A\nFROM x', undefined],
  ['ARG A=1\narg BASE_IMAGE="python:$A"\nFROM x', 'python:1'],
])('in %j the base is %j', (text, expected) => expect(baseImageOf(text, {})).toBe(expected));

test('a pinned reference names its digest', () => {
  expect(pinnedDigest(`debian:trixie-slim@sha256:${'a'.repeat(64)}`)).toBe(`sha256:${'a'.repeat(64)}`);
  expect(pinnedDigest('debian:trixie-slim')).toBeUndefined();
});

test('arguments of names that every object has are arguments as any other', () => {
  expect(baseImageOf('ARG constructor\nARG BASE_IMAGE=$constructor\nFROM x\n', {})).toBeUndefined();
  expect(baseImageOf('ARG constructor=a\nARG __proto__=b\nARG BASE_IMAGE=$constructor$__proto__\n', {})).toBe(
    'ab',
  );
  expect(baseImageOf('ARG BASE_IMAGE=$toString\n', {})).toBeUndefined();
});

test('arguments that double with each line have no value', () => {
  const names = Array.from({ length: 60 }, (_, index) => `ARG A${index + 1}=$A${index}$A${index}`);
  expect(baseImageOf(['ARG A0=xx', ...names, 'ARG BASE_IMAGE=$A60'].join('\n'), {})).toBeUndefined();
});
