import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { tryDocker } from './docker.ts';
import { imageStore } from './engine-check.ts';
import { folderWith, never } from './images.test-support.ts';
import { compressedSize, layerSizes, noLayers } from './sizes.ts';

jest.setTimeout(600_000);

/** `.ci/run` runs these tests with each of Docker's stores. */
withEngine('an image is as large as its files, whichever store the engine has', async () => {
  const context = await folderWith({
    Dockerfile: 'FROM scratch\nCOPY a /\nCOPY b /\n',
    'a/one': 'x'.repeat(12_345),
    'a/folder/two': 'y'.repeat(1),
    'b/three': 'z'.repeat(100_000),
  });
  linkSync(join(context, 'a/one'), join(context, 'a/hard'));
  const tag = `pacegate-test/sizes:${process.pid}`;
  const built = await tryDocker(['build', '--quiet', '--tag', tag, context]);
  try {
    expect([built.status, built.stderr]).toEqual([0, expect.anything()]);
    const store = await imageStore();
    const known = noLayers();
    const sizes = await layerSizes(tag, store, known, never);
    expect(sizes).toEqual([12_345 + 1, 100_000]);
    expect(await layerSizes(tag, store, known, never)).toEqual(sizes);
    const packed = await compressedSize(tag, known, never);
    expect(packed).toBeGreaterThan(200);
    expect(packed).toBeLessThan(5000);
  } finally {
    await tryDocker(['image', 'rm', tag]);
  }
});

withEngine('the sizes that are read from the layers match those of the classic store', async () => {
  const image = 'python:3.13-slim-trixie';
  const total = (sizes: readonly number[] | undefined) =>
    (sizes ?? []).reduce((sum, bytes) => sum + bytes, 0);
  const read = total(await layerSizes(image, 'containerd', noLayers(), never));
  const said = total(await layerSizes(image, 'classic', noLayers(), never));
  expect(read).toBeGreaterThan(1e8);
  // Of links in layers that were built the classic store counts nothing; the other one's history has whole blocks.
  if ((await imageStore()) === 'classic') expect(Math.abs(said / read - 1)).toBeLessThan(1e-4);
  else expect(said / read).toBeGreaterThan(1.01);
});
