import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { createInterpreters } from './interpreter.ts';

/** The key that an interpreter's image is kept under. */

const root = mkdtempSync(join(tmpdir(), 'pacegate-key-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PINNED = `debian:trixie-slim@sha256:${'0'.repeat(64)}`;

/** As a new session would have it. */
const keyOf = async (contexts: Readonly<Record<string, string>>) => (await define(contexts)).key;

async function define(contexts: Readonly<Record<string, string>>) {
  const interpreters = createInterpreters({
    target: {
      build: { cacheFrom: [], cacheTo: [], secrets: [], ca: undefined, registry: undefined, cold: 'quick' },
      variantsFolder: join(import.meta.dirname, '..', '..', 'variants'),
      root,
    },
    sessionId: 'session',
    driver: () => Promise.resolve('docker'),
    push: false,
    build: () => Promise.reject(new Error('nothing is built')),
    onName: () => undefined,
    onLine: () => undefined,
  });
  const variant = {
    name: 'compiled',
    kind: 'interpreter' as const,
    interpreter: 'pyenv' as const,
    args: { PYTHON_VERSION: '3.13', BASE_IMAGE: PINNED },
    contexts,
    flags: [],
    env: {},
  };
  return await interpreters.define(variant, new AbortController().signal);
}

test('depends on the content of a context’s folder, not only on its name', async () => {
  mkdirSync(join(root, 'mirror'));
  writeFileSync(join(root, 'mirror', 'Python.tgz'), 'one');
  const first = await keyOf({ source: 'mirror' });
  expect(await keyOf({ source: 'mirror' })).toBe(first);
  writeFileSync(join(root, 'mirror', 'Python.tgz'), 'two');
  expect(await keyOf({ source: 'mirror' })).not.toBe(first);
});

test('is not made of a context that leads out of the checkout', async () => {
  symlinkSync('/etc', join(root, 'link'));
  await expect(keyOf({ source: 'link' })).rejects.toThrow(
    'variants.compiled.contexts.source is "link", which is outside the checkout (at /etc)',
  );
});

describe('an image as a context', () => {
  const { PATH } = process.env;
  /** A registry's answer in the place of docker's: `imagetools inspect` gives the digest that the tag has now. */
  const registryHas = (digest: string | undefined) => {
    const program = join(root, 'bin', 'docker');
    mkdirSync(join(root, 'bin'), { recursive: true });
    writeFileSync(
      program,
      digest === undefined
        ? '#!/bin/sh\necho "Error: No such image" >&2; exit 1\n'
        : `#!/bin/sh\n[ "$2" = imagetools ] && [ "$6" = example.org/mirror:1 ] && echo '"${digest}"'\n`,
    );
    chmodSync(program, 0o755);
    process.env['PATH'] = `${join(root, 'bin')}:${PATH ?? ''}`;
  };
  afterEach(() => {
    process.env['PATH'] = PATH;
  });
  const [one, two] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);
  const contexts = { source: 'docker-image://example.org/mirror:1' };

  test('whose tag moved is another interpreter, built of the bytes that were looked up', async () => {
    registryHas(one);
    const before = await define(contexts);
    expect((await define(contexts)).key).toBe(before.key);
    expect(before.variant.contexts).toEqual({ source: `docker-image://example.org/mirror:1@${one ?? ''}` });
    registryHas(two);
    const after = await define(contexts);
    expect(after.key).not.toBe(before.key);
    expect(after.variant.contexts).toEqual({ source: `docker-image://example.org/mirror:1@${two ?? ''}` });
    // The definition is the same: a night's interpreter stays that of the change which is compared with it.
    expect(after.hash).toBe(before.hash);
  });

  test('that no registry has is built from the builder’s image of that name', async () => {
    registryHas(undefined);
    expect((await define(contexts)).variant.contexts).toEqual(contexts);
  });
});
