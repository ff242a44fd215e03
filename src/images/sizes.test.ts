import { expect, test } from '@jest/globals';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { registryBytes, unpackedBytes } from './sizes.ts';

const streamOf = (...chunks: readonly Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
const plain = new Uint8Array(100_000).map((_, index) => index % 251);
const packed = new Uint8Array(gzipSync(plain));
const zstd = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]);

test('a compressed layer has its own size, in whatever chunks it is read', async () => {
  expect(await registryBytes(streamOf(packed))).toBe(packed.length);
  expect(await registryBytes(streamOf(packed.slice(0, 1), packed.slice(1, 3), packed.slice(3)))).toBe(
    packed.length,
  );
  expect(await registryBytes(streamOf(zstd))).toBe(7);
});

test('an uncompressed layer has its size after gzip', async () => {
  const bytes = await registryBytes(streamOf(plain.slice(0, 2), plain.slice(2)));
  expect(Math.abs(bytes - packed.length)).toBeLessThan(64);
  expect(await registryBytes(streamOf())).toBeLessThan(64);
});

const layer = async () =>
  await packTar([
    { header: { name: 'folder/', type: 'directory', size: 0 } },
    { header: { name: 'folder/one', type: 'file', size: 5000 }, body: new Uint8Array(5000) },
    { header: { name: 'folder/link', type: 'symlink', size: 0, linkname: 'one' } },
    { header: { name: 'folder/same', type: 'link', size: 0, linkname: 'folder/one' } },
    { header: { name: '.wh.gone', type: 'file', size: 0 }, body: new Uint8Array() },
    { header: { name: 'two', type: 'file', size: 9 }, body: new Uint8Array(9) },
    { header: { name: 'two', type: 'file', size: 7 }, body: new Uint8Array(7) },
  ]);

test('an unpacked layer has the size of its files, in every compression', async () => {
  const tar = await layer();
  for (const kept of [tar, gzipSync(tar), zstdCompressSync(tar)])
    expect(await unpackedBytes(streamOf(new Uint8Array(kept)))).toBe(5010);
  expect(await unpackedBytes(streamOf(tar.slice(0, 700), tar.slice(700)))).toBe(5010);
});

test('a file that is not a layer has no size', async () => {
  expect(await unpackedBytes(streamOf(plain))).toBeUndefined();
  expect(await unpackedBytes(streamOf(packed.slice(0, 40)))).toBeUndefined();
});
