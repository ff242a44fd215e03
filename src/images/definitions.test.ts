import { expect, test } from '@jest/globals';
import type { InterpreterVariant } from '../plan/plan.ts';
import { definitionHash } from './definition-hash.ts';
import { finalBase, mergedIgnore } from '../dockerfile/dockerfile.ts';
import { atLeast, parseBuilder, versionIn } from './engine-check.ts';
import { pushName } from './store.ts';

test.each([
  ['FROM python\n', 1, 'FROM python'],
  ['ARG V=3.13\nFROM python:${V}-slim AS base\nRUN x\n', 2, 'FROM python:${V}-slim AS base'],
  ['FROM python AS builder\nFROM python:3.13-slim\nCOPY --from=builder /a /a\n', 2, 'FROM python:3.13-slim'],
  [
    'FROM python:3.12 AS base\nFROM base AS b\nfrom --platform=linux/amd64 B as c\n',
    1,
    'FROM python:3.12 AS base',
  ],
  // A stage cannot stand on itself: the base is an image of that name.
  ['FROM python AS python\n', 1, 'FROM python AS python'],
])('%j stands on line %d in the end', (text, line, from) => {
  expect(finalBase(text)).toMatchObject({ line, text: from });
});

test('a Dockerfile without FROM has no base', () => expect(finalBase('RUN x')).toBeUndefined());

test('a chain of very many stages is followed in one pass', () => {
  const stages = Array.from({ length: 150_000 }, (_, n) => `FROM s${n} AS s${n + 1}\n`).join('');
  const begun = process.cpuUsage();
  expect(finalBase(stages)).toEqual({ line: 1, text: 'FROM s0 AS s1', base: 's0' });
  // A pass for each stage takes many times as long.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(3);
});

test("a project's own ignore list comes last, so that it has the last word", () => {
  expect(mergedIgnore('**/*.md\n', '!README.md\nsecret')).toBe('**/*.md\n!README.md\nsecret');
  expect(mergedIgnore('a\n', undefined)).toBe('a\n');
});

const variant: InterpreterVariant = {
  name: 'a',
  kind: 'interpreter',
  interpreter: 'debian',
  args: { A: '1', B: '2' },
  contexts: {},
  flags: [],
  env: {},
};
const hash = (
  change: Partial<InterpreterVariant>,
  files: Record<string, string> = { Dockerfile: 'FROM x' },
) => definitionHash({ variant: { ...variant, ...change }, files });

test("the definition's hash follows what makes the interpreter, and nothing else", () => {
  expect(hash({ name: 'b', flags: ['-O'], env: { X: '1' } })).toBe(hash({}));
  expect(hash({ args: { B: '2', A: '1' } })).toBe(hash({}));
  expect(hash({}, { Dockerfile: 'FROM x', 'README.md': 'prose' })).toBe(hash({}));
  const others = [
    hash({}),
    hash({ args: { A: '1' } }),
    hash({ contexts: { mirror: '/m' } }),
    hash({ interpreter: 'pyenv' }),
    hash({}, { Dockerfile: 'FROM y' }),
  ];
  expect(new Set(others).size).toBe(others.length);
});

test.each([
  ['github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3', '0.13.1'],
  ['github.com/docker/buildx v0.29.1 a32761a', '0.29.1'],
  ['nothing', undefined],
])('the version in %j is %s', (text, version) => expect(versionIn(text)).toBe(version));

test.each([
  ['0.13.1', [0, 13], true],
  ['0.9.9', [0, 10], false],
  ['1.0', [0, 13], true],
  ['20.10.24+dfsg1', [23, 0], false],
  ['26.1.5+dfsg1', [23, 0], true],
  ['dev', [23, 0], true],
] as const)('%s is at least %j: %s', (version, needed, expected) =>
  expect(atLeast(version, needed)).toBe(expected),
);

test.each([
  ['Driver: docker\n\nBuildKit version: v0.0.0+unknown\n', { driver: 'docker', buildkit: undefined }],
  [
    'Driver:        docker-container\nBuildKit version: v0.21.1\n',
    { driver: 'docker-container', buildkit: '0.21.1' },
  ],
  ['Driver: docker-container\nBuildkit: 0.9.3\n', { driver: 'docker-container', buildkit: '0.9.3' }],
])('the builder of %j', (text, expected) => expect(parseBuilder(text)).toEqual(expected));

test('a pushed image is named by variant and commit', () => {
  expect(pushName({ registry: 'ghcr.io/o/n/', variant: 'py', commit: 'abc' })).toBe('ghcr.io/o/n/py:abc');
  // Two services of one registry must not take each other's images.
  const of = (configuration: string, variant: string) =>
    pushName({ registry: 'ghcr.io/o/n', configuration, variant, commit: 'abc' });
  expect(of('pacegate', 'py')).toBe('ghcr.io/o/n/py:abc');
  expect(of('services-orders-1', 'py')).toBe('ghcr.io/o/n/services-orders-1__py:abc');
  const names = [
    of('a', 'b__c'),
    of('a__b', 'c'),
    of('a', 'b-c'),
    of('a-b', 'c'),
    of('pacegate', 'a__b'),
    of('a', 'b'),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(pushName({ registry: '127.0.0.1:5000/n', variant: 'py', commit: 'abc' })).toBe(
    '127.0.0.1:5000/n/py:abc',
  );
  expect(() => pushName({ registry: 'a b', variant: 'py', commit: 'abc' })).toThrow(/build\.registry/);
});
