import { expect, test } from '@jest/globals';
import type { BakeVariant } from '../plan/plan.ts';
import { builderOf, failure, folderWith, lines, official, output, ready } from './images.test-support.ts';

const app = { 'app.py': 'print(1)\n' };

// No step runs in these builds, so they need no network.
test('a last stage with an unreadable base is refused after the build, with its line', async () => {
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const Dockerfile =
    'ARG BASE=debian:trixie-slim\nFROM python AS builder\nFROM ${BASE%%zzz} AS base\nCOPY app.py .\n';
  const message = failure(await prepare(official, 'head', await folderWith({ ...app, Dockerfile })));
  expect(message).toMatch(/^official \(head\): the built image is not based on this variant's interpreter/);
  expect(message).toContain('(line 3: `FROM ${BASE%%zzz} AS base`)');
  expect(message).toContain('name it in workload.interpreter-from, or write `FROM python` there');
}, 600_000);

test('a pinned last stage is refused even if an earlier stage uses the interpreter; a last stage that uses it is not', async () => {
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const stages = (last: string) =>
    `FROM python AS builder\nCOPY app.py /hi\n${last}\nCOPY --from=builder /hi /hi\n`;
  const pinned = await folderWith({ ...app, Dockerfile: stages('FROM debian:trixie-slim') });
  expect(failure(await prepare(official, 'head', pinned))).toContain('(line 3: `FROM debian:trixie-slim`)');
  const right = await folderWith({ ...app, Dockerfile: stages('FROM python') });
  const { image } = ready(await prepare(official, 'baseline', right));
  expect(await output(image.id, 'cat', '/hi')).toContain('print(1)');
}, 600_000);

test('an ENTRYPOINT is recorded, because it is not run', async () => {
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const plain = await folderWith({ ...app, Dockerfile: 'FROM python\nCOPY app.py .\n' });
  expect(ready(await prepare(official, 'baseline', plain)).image.entrypoint).toBeUndefined();
  const own = await folderWith({ ...app, Dockerfile: 'FROM python\nENTRYPOINT ["/entry.sh", "-x"]\n' });
  expect(ready(await prepare(official, 'head', own)).image.entrypoint).toEqual(['/entry.sh', '-x']);
}, 600_000);

test('a bake target for two platforms is built for this machine, and the log reports this', async () => {
  const { prepare } = builderOf();
  const tree = await folderWith({
    ...app,
    Dockerfile: 'FROM python:3.13-slim-trixie\nCOPY app.py /app.py\n',
    'docker-bake.hcl': 'target "app" {\n  context = "."\n  platforms = ["linux/amd64", "linux/arm64"]\n}\n',
  });
  const variant: BakeVariant = {
    name: 'own',
    kind: 'bake',
    target: 'app',
    file: 'docker-bake.hcl',
    python: 'python',
    flags: [],
    env: {},
  };
  const { image } = ready(await prepare(variant, 'head', tree));
  expect(await output(image.id, 'python', '/app.py')).toContain('1');
  expect(lines.join('\n')).toContain('sets `platforms`: the target is built for this machine only');
}, 600_000);
