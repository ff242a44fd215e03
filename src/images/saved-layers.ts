import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { createTarDecoder } from 'modern-tar';
import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';

/** Reads the layers of an image from what `docker save` gives, whichever store keeps them. */

/** `manifest.json` of `docker save`, as far as it is read; the names are Docker's. */
const savedSchema = z.tuple([z.object({ Layers: z.array(z.string()) })]);

/**
 * What is made of each layer of an image, the base's first, from what `docker save` gives.
 * @param known what was made of layers, by their names: those are passed over, and the others are added
 * @param measure undefined for what is no layer, or cannot be read
 * @throws BuildError where the engine does not give the image
 */
export async function savedLayers<Figure>(
  image: string,
  known: Map<string, Figure>,
  measure: (layer: ReadableStream<Uint8Array>) => Promise<Figure | undefined>,
  signal: AbortSignal,
): Promise<readonly Figure[]> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_SECONDS * 1000)]);
  const child = spawn('docker', ['save', image], {
    env: process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: patience,
  });
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
      if (header.type !== 'file') await discard(body);
      else if (header.name === 'manifest.json')
        layers = savedSchema.safeParse(JSON.parse(await new Response(body).text())).data?.[0].Layers;
      else if (known.has(header.name)) await discard(body);
      else {
        const figure = await measuredToItsEnd(body, measure);
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
  const figures = layers?.flatMap((name) => known.get(name) ?? []);
  if (status !== 0 || figures === undefined || figures.length !== layers?.length)
    throw new BuildError(
      `Tried to read the layers of ${image} (\`docker save\`): ${words.trim() || 'its answer does not hold the layers that it names, or they cannot be read'}.`,
    );
  return figures;
}

/** For one image. An engine that falls silent must not hold a gate. */
const PATIENCE_SECONDS = 180;

/** What is made of a layer; what was not read of it is passed over, also where the measure gave up in the middle. */
async function measuredToItsEnd<Figure>(
  body: ReadableStream<Uint8Array>,
  measure: (layer: ReadableStream<Uint8Array>) => Promise<Figure | undefined>,
): Promise<Figure | undefined> {
  const reader = body.getReader();
  const layer = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const figure = await measure(layer);
  while (!(await reader.read()).done);
  return figure;
}

/** Reads an entry to its end and drops it: a cancelled entry would block the whole archive. */
export const discard = (body: ReadableStream<Uint8Array>) => body.pipeTo(new WritableStream());

/** How a layer that is compressed begins: gzip (RFC 1952), zstd (RFC 8878). */
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** A layer as the archive that it is; undefined for zstd where this Node (below 22.15) cannot read it. */
export async function archiveOf(
  body: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  const { kind, layer } = await detectCompression(body);
  const plain = kind === 'plain' ? layer : unpacked(layer, kind);
  if (plain === undefined) await discard(layer);
  return plain as ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
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

/** A layer and its compression, from its first bytes. */
export async function detectCompression(
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
