import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { createTarDecoder } from 'modern-tar';
import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';
import { tryDocker } from './docker.ts';

/**
 * Unpacked size of each layer that is not empty, in bytes, the base's first, as the engine's history has them.
 * @returns undefined where the engine does not say.
 */
export async function layerSizes(image: string): Promise<readonly number[] | undefined> {
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
 * @param known layer's name to its compressed size: what one image of a session shares with the next is done once
 * @throws BuildError where the engine does not give the image.
 */
export async function compressedSize(
  image: string,
  known: Map<string, number>,
  signal: AbortSignal,
): Promise<number> {
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
      else known.set(header.name, await registryBytes(body));
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
      `Tried \`docker save ${image}\` for the compressed size of its layers: ${words.trim() || 'its answer names no layers'}.`,
    );
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** Read and forgotten: a body that is cancelled holds the whole archive up. */
const passOver = (body: ReadableStream<Uint8Array>) => body.pipeTo(new WritableStream());

/** How a layer that is compressed begins: gzip (RFC 1952), zstd (RFC 8878). */
const MAGIC = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** Bytes of a layer as a registry keeps it: as it is where it is compressed, else through gzip. */
export async function registryBytes(body: ReadableStream<Uint8Array>): Promise<number> {
  const reader = body.getReader();
  let head = new Uint8Array();
  let over = false;
  while (!over && head.length < 4) {
    const { done, value } = await reader.read();
    over = done;
    if (value !== undefined) head = Uint8Array.from([...head, ...value]);
  }
  const rest = new ReadableStream<Uint8Array>({
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
  const isCompressed = MAGIC.some((magic) => magic.every((byte, index) => head[index] === byte));
  if (!isCompressed) return await gzippedBytes(rest);
  let bytes = 0;
  for await (const chunk of rest) bytes += chunk.length;
  return bytes;
}

async function gzippedBytes(body: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  const compressed = (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
    new CompressionStream('gzip'),
  ) as ReadableStream<Uint8Array>;
  for await (const chunk of compressed) bytes += chunk.length;
  return bytes;
}
