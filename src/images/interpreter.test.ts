import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createInterpreters } from './interpreter.ts';

/** The key that an interpreter's image is kept under. */

const root = mkdtempSync(join(tmpdir(), 'pacegate-key-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PINNED = `debian:trixie-slim@sha256:${'0'.repeat(64)}`;

/** As a new session would have it. */
async function keyOf(contexts: Readonly<Record<string, string>>): Promise<string> {
  const interpreters = createInterpreters({
    target: {
      build: { cacheFrom: [], cacheTo: [], secrets: [], ca: undefined, registry: undefined, cold: 'quick' },
      variantsFolder: join(import.meta.dirname, '..', '..', 'variants'),
      root,
    },
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
  return (await interpreters.define(variant, new AbortController().signal)).key;
}

test('follows the content of a context’s folder, not its name alone', async () => {
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
    'variants.compiled.contexts.source is "link", which leads out of the checkout (to /etc)',
  );
});
