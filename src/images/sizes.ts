import { createTarDecoder } from 'modern-tar';
import type { ImageStore } from '../session/session.ts';
import { tryDocker } from './docker.ts';
import { archiveOf, detectCompression, discard, savedLayers } from './saved-layers.ts';

/**
 * Known layers: their names in `docker save` (digests, or ids of older engines) to bytes. Layers that images of a
 * session share are read once.
 */
export interface KnownLayers {
  readonly unpacked: Map<string, number>;
  readonly compressed: Map<string, number>;
}

export const noLayers = (): KnownLayers => ({ unpacked: new Map(), compressed: new Map() });

/**
 * Unpacked size of each layer that is not empty, in bytes, the base's first: the content of its files.
 *
 * The classic store keeps them with the image's history. The containerd store's history has what the layers take on the
 * disk instead, whole blocks and folders among it (348,106,752 bytes of an image of 329,165,011), so there the layers
 * are read, which takes some seconds for 300 MB, and gives 329,165,992: the classic store counts the targets of
 * symbolic links in layers that were pulled, and not in those that were built.
 *
 * @returns undefined if the engine does not report them. @throws BuildError if the containerd store cannot export the
 * image.
 */
export async function layerSizes(
  image: string,
  store: ImageStore | undefined,
  known: KnownLayers,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  if (store === 'containerd')
    return (await savedLayers(image, known.unpacked, unpackedBytes, signal)).filter((size) => size > 0);
  const result = await tryDocker(['history', '--no-trunc', '--human=false', '--format', '{{.Size}}', image]);
  const sizes = result.stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(Number);
  if (result.status !== 0 || sizes.some((size) => !Number.isInteger(size) || size < 0)) return undefined;
  return sizes.filter((size) => size > 0).reverse();
}

/**
 * Size of an image's layers as a registry would keep them, in bytes: each layer by itself through gzip at its default
 * level, as BuildKit does when it pushes. An image that was never pushed has no such size yet; a registry's own figure
 * may differ by a fraction of a per cent (another implementation of gzip), so both sides of a comparison are computed.
 *
 * The containerd store hands out layers as they were pulled or built, compressed already: those are as a registry has them.
 *
 * Reads the whole image: about 10 s for 300 MB on one core, less for layers that are known already.
 *
 * @throws BuildError where the engine does not give the image.
 */
export async function compressedSize(
  image: string,
  { compressed }: KnownLayers,
  signal: AbortSignal,
): Promise<number> {
  return (await savedLayers(image, compressed, registryBytes, signal)).reduce((sum, size) => sum + size, 0);
}

/** Bytes of a layer in a registry: unchanged if it is compressed, otherwise after gzip. */
export async function registryBytes(body: ReadableStream<Uint8Array>): Promise<number> {
  const { kind, layer } = await detectCompression(body);
  return kind === 'plain' ? await gzippedBytes(layer) : await bytesOf(layer);
}

/**
 * Bytes of the files in a layer, hard links once and symbolic ones with their targets, as the engine's classic store counts
 * a layer that it unpacks.
 * @returns undefined for what is no layer, and for zstd where this Node (below 22.15) cannot read it
 */
export async function unpackedBytes(body: ReadableStream<Uint8Array>): Promise<number | undefined> {
  const archive = await archiveOf(body);
  if (archive === undefined) return undefined;
  const files = new Map<string, number>();
  try {
    const entries = archive.pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body: content } of entries) {
      // A later entry with the same name replaces the earlier one; a hard link has no content.
      if (header.type === 'file') files.set(header.name, header.size);
      if (header.type === 'symlink') files.set(header.name, Buffer.byteLength(header.linkname ?? ''));
      await discard(content);
    }
  } catch {
    return undefined;
  }
  return [...files.values()].reduce((sum, size) => sum + size, 0);
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

const gzippedBytes = async (body: ReadableStream<Uint8Array>): Promise<number> =>
  await bytesOf(
    (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      new CompressionStream('gzip'),
    ) as ReadableStream<Uint8Array>,
  );
