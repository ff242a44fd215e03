import { expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { registryBytes } from './sizes.ts';

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

test('a layer that is compressed is as large as it is, in whatever pieces it comes', async () => {
  expect(await registryBytes(streamOf(packed))).toBe(packed.length);
  expect(await registryBytes(streamOf(packed.slice(0, 1), packed.slice(1, 3), packed.slice(3)))).toBe(
    packed.length,
  );
  expect(await registryBytes(streamOf(zstd))).toBe(7);
});

test('a layer that is not is what gzip makes of it', async () => {
  const bytes = await registryBytes(streamOf(plain.slice(0, 2), plain.slice(2)));
  expect(Math.abs(bytes - packed.length)).toBeLessThan(64);
  expect(await registryBytes(streamOf())).toBeLessThan(64);
});
