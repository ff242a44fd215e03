import { expect, test } from '@jest/globals';
import { expand, familiar, platformArguments, readBases, replacedBases } from './dockerfile.ts';

const names = (text: string, ...named: string[]) => {
  const found = replacedBases(text, named);
  return found.kind === 'found' ? found.names : found.reason;
};

test.each<[string, string, readonly string[]]>([
  ['an image without a tag', 'FROM python\n', ['python']],
  ['a tag and a stage', 'FROM python:3.12-slim AS builder\nFROM builder\n', ['python:3.12-slim']],
  [
    'several Pythons, each of them',
    'FROM python:3.12 AS builder\nRUN pip wheel .\nFROM python:3.12-slim\nCOPY --from=builder /wheels /wheels\n',
    ['python:3.12', 'python:3.12-slim'],
  ],
  [
    'arguments before the first FROM',
    'ARG PYTHON_VERSION=3.12 DISTRO="slim"\nARG BASE=python:${PYTHON_VERSION}-$DISTRO\nFROM ${BASE} AS base\n',
    ['python:3.12-slim'],
  ],
  ['an argument without a value has its default', 'ARG V\nFROM python:${V:-3.13}${V:+x}\n', ['python:3.13']],
  [
    'a syntax line, comments, a platform and a line that goes on',
    '# syntax=docker/dockerfile:1\n# FROM python:2\nFROM --platform=$BUILDPLATFORM \\\n  # why\n\n  python:3.12-slim\\\n AS app\n',
    ['python:3.12-slim'],
  ],
  ['another escape', '# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n python:3\n', ['python:3']],
  [
    'a here-document is no step',
    'FROM python:3.12\nRUN python - <<EOF && true\nFROM python:9\nfrom python import x\nEOF\nCOPY <<-"END" /a\nFROM python:8\n\t\tEND\n',
    ['python:3.12'],
  ],
  [
    'names of other registries, and a digest',
    `FROM cgr.dev/chainguard/python:latest-dev AS a\nFROM docker.io/library/python:3.12@sha256:${'0'.repeat(64)}\n`,
    ['cgr.dev/chainguard/python:latest-dev', `python:3.12@sha256:${'0'.repeat(64)}`],
  ],
  [
    'a mount and a copy from an image',
    'FROM python:3.12\nRUN --mount=type=bind,from=python:3.11,target=/p --mount=from=ghcr.io/astral-sh/uv,target=/u true\nCOPY --link --from=docker.io/python:3.10 /a /b\n',
    ['python:3.12', 'python:3.11', 'python:3.10'],
  ],
  ['a stage of that name is no image', 'FROM python:3.12 AS python\nFROM python\n', ['python:3.12']],
  [
    'a stage by the machine',
    'FROM python:3 AS base-amd64\nFROM python:3 AS base-arm64\nFROM base-${TARGETARCH}\n',
    ['python:3'],
  ],
])('%s', (_, text, expected) => expect(names(text)).toEqual(expected));

test('a named context takes precedence, as an image or as a stage', () => {
  const text =
    'FROM debian:12 AS pythons\nRUN make python\nFROM ghcr.io/astral-sh/uv:python3.12-slim AS b\nFROM pythons\n';
  expect(names(text, 'pythons')).toEqual(['pythons']);
  expect(names(text, 'docker.io/library/debian:12', 'ghcr.io/astral-sh/uv:python3.12-slim')).toEqual([
    'debian:12',
    'ghcr.io/astral-sh/uv:python3.12-slim',
  ]);
  expect(names(text, 'debian:13')).toMatch(
    /^names debian:13 nowhere, .* \(found: debian:12, ghcr\.io\/astral-sh\/uv:python3\.12-slim\)/,
  );
});

test.each([
  [
    'no Python',
    'FROM ubuntu:24.04\n',
    /no image called python .*\(found: ubuntu:24\.04\).*interpreter-from: ubuntu:24\.04/,
  ],
  ['nothing', '', /\(found: no FROM\)/],
  ['a comment', '# FROM python\nFROM scratch\n', /\(found: no FROM\)/],
  [
    'a last stage that stands on another image',
    'FROM python:3.12 AS b\n\nFROM debian:12\nCOPY --from=b /a /a\n',
    /line 3: `FROM debian:12`\): .* python:3\.12 only\. .*\[python:3\.12, debian:12\]/,
  ],
  [
    'a stage called as the image that is replaced',
    'FROM python AS python\nRUN x\n',
    /^calls a stage by the name .*line 1.*Rename the stage/,
  ],
  [
    'more images than a build can take',
    Array.from({ length: 21 }, (_, n) => `FROM python:3.${n}\n`).join(''),
    /21 images/,
  ],
])('%s is refused', (_, text, reason) => expect(names(text)).toMatch(reason));

test('a last stage for another processor is refused, a builder for one is not', () => {
  const on = (machine: string, text: string) => replacedBases(text, [], platformArguments(machine));
  const arm = 'FROM --platform=linux/arm64/v8 python:3.12 AS base\nFROM base\n';
  expect(on('x64', arm)).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(
      /for linux\/arm64\/v8 \(line 1: .*this machine is linux\/amd64\. It would run under an emulator/,
    ),
  });
  expect(on('arm64', arm)).toMatchObject({ kind: 'found' });
  for (const platform of ['$BUILDPLATFORM', '${TARGETPLATFORM}', 'linux/386', 'linux/amd64'])
    expect(on('x64', `FROM --platform=${platform} python:3\n`)).toMatchObject({ kind: 'found' });
  const builder = 'FROM --platform=linux/arm64 python:3.11 AS b\nFROM python:3.12\nCOPY --from=b /a /a\n';
  expect(on('x64', builder)).toMatchObject({ kind: 'found' });
});

test('an argument that cannot be read leaves the base unknown', () => {
  const stages = (text: string) => readBases(text).stages.map(({ base }) => base);
  expect(stages('ARG A=x\nFROM ${A##y}\n')).toEqual([undefined]);
  // Arguments that double with each line end at a length, and take no time.
  const doubling = Array.from({ length: 60 }, (_, n) => `ARG A${n + 1}=$A${n}$A${n}\n`).join('');
  expect(stages(`ARG A0=xxxx\n${doubling}FROM $A60\n`)).toEqual([undefined]);
});

test.each([
  ['docker.io/library/python:3.12', 'python:3.12'],
  ['index.docker.io/a/python', 'a/python'],
  ['library/python:latest', 'python'],
  ['registry.example.org/library/python', 'registry.example.org/library/python'],
])('%s is known as %s', (image, name) => expect(familiar(image)).toBe(name));

test('the machine is known by the names that BuildKit uses', () => {
  expect(platformArguments('x64')).toMatchObject({ TARGETPLATFORM: 'linux/amd64', BUILDARCH: 'amd64' });
  expect(platformArguments('arm64')).toMatchObject({ TARGETARCH: 'arm64', TARGETOS: 'linux' });
});

test.each([
  ['$A-${B}', 'a-b'],
  ['${C:-c}${C-d}${A:+e}${C:+f}', 'cde'],
  ['$C', undefined],
  ['${A/x/y}', undefined],
  ['100 $', '100 $'],
])('%s becomes %s', (text, expected) =>
  expect(expand(text, (name) => ({ A: 'a', B: 'b' })[name])).toBe(expected),
);

test('a Dockerfile of very many lines is read once', () => {
  const text = `${'FROM a\nRUN <<E\n'.repeat(100_000)}${'FROM python:${A\n'.repeat(20_000)}`;
  const begun = process.cpuUsage();
  replacedBases(text, []);
  replacedBases(`FROM python:3${'\\\n'.repeat(300_000)}`, []);
  replacedBases(`ARG ${'A='.repeat(200_000)}\nFROM ${'$A'.repeat(200_000)}`, []);
  replacedBases(`RUN ${'--mount=a,'.repeat(60_000)}`, []);
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5);
});
