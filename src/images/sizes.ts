import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { createTarDecoder } from 'modern-tar';
import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';
import type { ImageStore } from '../session/session.ts';
import { tryDocker } from './docker.ts';

/**
 * What is known of layers by now: their names in `docker save` (digests, or ids of older engines) to bytes. What one image
 * of a session shares with the next is read once.
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
 * disk instead, whole blocks and folders among it (348,106,752 bytes of an image of 329,165,011), so there the layers are
 * read, which takes some seconds for 300 MB, and gives 329,165,992: the classic store counts the targets of symbolic links
 * in layers that were pulled, and not in those that were built.
 *
 * @returns undefined where the engine does not say. @throws BuildError where the containerd store does not give the image.
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

/** `manifest.json` of `docker save`, as far as it is read; the names are Docker's. */
const savedSchema = z.tuple([z.object({ Layers: z.array(z.string()) })]);

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

/**
 * One figure of each layer of an image, the base's first, from what `docker save` gives.
 * @param known figures of layers by their names: those are passed over, and the others are added
 */
async function savedLayers(
  image: string,
  known: Map<string, number>,
  measure: (layer: ReadableStream<Uint8Array>) => Promise<number | undefined>,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const child = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-1000)));
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', resolve);
  });
  let layers: readonly string[] | undefined;
  try {
    const entries = (Readable.toWeb(child.stdout) as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      createTarDecoder(),
    );
    for await (const { header, body } of entries) {
      if (header.type !== 'file') await passOver(body);
      else if (header.name === 'manifest.json')
        layers = savedSchema.safeParse(JSON.parse(await new Response(body).text())).data?.[0].Layers;
      else if (known.has(header.name)) await passOver(body);
      else {
        const figure = await measure(body);
        if (figure !== undefined) known.set(header.name, figure);
      }
    }
  } catch (cause) {
    throw new BuildError(
      `Tried to read the image ${image} from the engine (\`docker save\`): ${cause instanceof Error ? cause.message : String(cause)}. ${words.trim()}`,
      { cause },
    );
  }
  const status = await ended;
  const sizes = layers?.map((name) => known.get(name));
  if (status !== 0 || sizes === undefined || sizes.includes(undefined))
    throw new BuildError(
      `Tried \`docker save ${image}\` for the sizes of its layers: ${words.trim() || 'its answer does not hold the layers that it names'}.`,
    );
  return sizes.map((size) => size ?? 0);
}

/** Read and forgotten: a body that is cancelled holds the whole archive up. */
const passOver = (body: ReadableStream<Uint8Array>) => body.pipeTo(new WritableStream());

/** How a layer that is compressed begins: gzip (RFC 1952), zstd (RFC 8878). */
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** Bytes of a layer as a registry keeps it: as it is where it is compressed, else through gzip. */
export async function registryBytes(body: ReadableStream<Uint8Array>): Promise<number> {
  const { kind, layer } = await lookInto(body);
  return kind === 'plain' ? await gzippedBytes(layer) : await bytesOf(layer);
}

/**
 * Bytes of the files in a layer, hard links once and symbolic ones with their targets, as the engine's classic store counts
 * a layer that it unpacks.
 * @returns undefined for what is no layer, and for zstd where this Node (below 22.15) cannot read it
 */
export async function unpackedBytes(body: ReadableStream<Uint8Array>): Promise<number | undefined> {
  const { kind, layer } = await lookInto(body);
  const plain = kind === 'plain' ? layer : unpacked(layer, kind);
  if (plain === undefined) {
    await passOver(layer);
    return undefined;
  }
  const files = new Map<string, number>();
  try {
    const entries = (plain as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      createTarDecoder({ strict: true }),
    );
    for await (const { header, body: content } of entries) {
      // A name that comes twice is written over; a hard link has nothing of its own.
      if (header.type === 'file') files.set(header.name, header.size);
      if (header.type === 'symlink') files.set(header.name, Buffer.byteLength(header.linkname ?? ''));
      await passOver(content);
    }
  } catch {
    return undefined;
  }
  return [...files.values()].reduce((sum, size) => sum + size, 0);
}

function unpacked(
  layer: ReadableStream<Uint8Array>,
  kind: 'gzip' | 'zstd',
): ReadableStream<Uint8Array> | undefined {
  const through =
    kind === 'gzip'
      ? zlib.createGunzip()
      : 'createZstdDecompress' in zlib
        ? zlib.createZstdDecompress()
        : undefined;
  if (through === undefined) return undefined;
  const source = Readable.fromWeb(layer as Parameters<typeof Readable.fromWeb>[0]);
  source.once('error', (error) => through.destroy(error));
  return Readable.toWeb(source.pipe(through)) as ReadableStream<Uint8Array>;
}

/** A layer, and how it is kept, by its first bytes. */
async function lookInto(
  body: ReadableStream<Uint8Array>,
): Promise<{ readonly kind: 'plain' | 'gzip' | 'zstd'; readonly layer: ReadableStream<Uint8Array> }> {
  const reader = body.getReader();
  let head = new Uint8Array();
  let over = false;
  while (!over && head.length < 4) {
    const { done, value } = await reader.read();
    over = done;
    if (value !== undefined) head = Uint8Array.from([...head, ...value]);
  }
  const layer = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (head.length > 0) controller.enqueue(head);
      if (over) controller.close();
    },
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (value !== undefined) controller.enqueue(value);
      if (done) controller.close();
    },
  });
  const begins = (magic: readonly number[]) => magic.every((byte, index) => head[index] === byte);
  return { kind: begins(MAGIC.gzip) ? 'gzip' : begins(MAGIC.zstd) ? 'zstd' : 'plain', layer };
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
