import { afterAll, afterEach, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { haveSameContent } from './content.ts';

/**
 * What holds the same, from what `docker save` gives with containerd's store: an OCI layout whose layers are named by the
 * digest of what the store keeps, packed in any way, beside indexes, manifests and configurations.
 */

const PATH = process.env['PATH'] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'pacegate-saved-'));
const never = new AbortController().signal;
afterEach(() => {
  process.env['PATH'] = PATH;
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const file = (name: string, body: Uint8Array | string, seconds = 1): TarEntry => ({
  header: { name, size: Buffer.byteLength(body), mtime: new Date(seconds * 1000), mode: 0o644 },
  body,
});
const layer = async (text: string, seconds = 1) => await packTar([file('app/a.py', text, seconds)]);

type Packing = 'plain' | 'gzip' | 'zstd';
const PACKED: Readonly<Record<Packing, (bytes: Uint8Array) => Uint8Array>> = {
  plain: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};

/** Writes what the engine answers about an image of these layers. */
async function image(id: string, layers: readonly (readonly [Uint8Array, Packing])[], platforms = 1) {
  const blobs = layers.map(([bytes, packing]) => PACKED[packing](bytes));
  const path = (bytes: Uint8Array | string) => `blobs/sha256/${sha256(bytes)}`;
  const configuration = JSON.stringify({ rootfs: { diff_ids: layers.map(([bytes]) => sha256(bytes)) } });
  const manifest = JSON.stringify({ layers: blobs.map((bytes) => ({ digest: `sha256:${sha256(bytes)}` })) });
  // An index in the index: what a registry has of several platforms, of which this machine has one.
  const index = JSON.stringify({ manifests: Array.from({ length: platforms }, () => sha256(manifest)) });
  const saved = await packTar([
    ...[...new Map(blobs.map((bytes) => [path(bytes), bytes]))].map(([name, bytes]) => file(name, bytes)),
    ...[configuration, manifest, index].map((text) => file(path(text), text)),
    file('index.json', JSON.stringify({ manifests: [{ digest: sha256(index) }] })),
    file(
      'manifest.json',
      JSON.stringify([{ Config: path(configuration), RepoTags: null, Layers: blobs.map(path) }]),
    ),
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
  ]);
  writeFileSync(join(folder, `${id}.tar`), saved);
  writeFileSync(
    join(folder, `${id}.json`),
    JSON.stringify([
      {
        ...{ Id: id, Architecture: 'amd64', Os: 'linux', Size: 1, RepoDigests: [] },
        RootFS: { Layers: layers.map(([bytes]) => `sha256:${sha256(bytes)}`) },
      },
    ]),
  );
}

/** Whether the two hold the same, by a docker that answers from these files. */
async function compared(): Promise<boolean> {
  writeFileSync(
    join(folder, 'docker'),
    `#!/bin/sh\ncase "$1" in image) cat "${folder}/$3.json";; save) cat "${folder}/$2.tar";; *) exit 64;; esac\n`,
  );
  chmodSync(join(folder, 'docker'), 0o755);
  process.env['PATH'] = `${folder}:${PATH}`;
  return await haveSameContent(['one', 'two'], new Map(), never);
}

test.each<[Packing, Packing]>([
  ['plain', 'plain'],
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['plain', 'gzip'],
  ['gzip', 'zstd'],
])('layers kept as %s and %s that differ in times hold the same, and not with another line', async (a, b) => {
  const base = await layer('base = 1');
  await image(
    'one',
    [
      [base, a],
      [await layer('a = 1', 10), a],
    ],
    2,
  );
  await image('two', [
    [base, b],
    [await layer('a = 1', 20), b],
  ]);
  expect(await compared()).toBe(true);
  await image('two', [
    [base, b],
    [await layer('a = 2', 20), b],
  ]);
  expect(await compared()).toBe(false);
});

test('a layer of both images counts as the same, packed or unpacked', async () => {
  const [base, top] = [await layer('base = 1'), await layer('a = 1', 10)];
  // Its blob has the name by which the classic store has it on one side, and another on the other.
  await image('one', [
    [base, 'plain'],
    [top, 'gzip'],
  ]);
  await image('two', [
    [base, 'gzip'],
    [await layer('a = 1', 11), 'gzip'],
  ]);
  expect(await compared()).toBe(true);
});

test('the same layers in another order are another image', async () => {
  const [first, second] = [await layer('a = 1'), await layer('a = 2')];
  await image('one', [
    [first, 'gzip'],
    [second, 'gzip'],
  ]);
  await image('two', [
    [second, 'gzip'],
    [first, 'gzip'],
  ]);
  expect(await compared()).toBe(false);
});
