import { createHash } from 'node:crypto';
import { createTarDecoder } from 'modern-tar';
import { type ImageFacts, inspectImage } from './inspect.ts';
import { archiveOf, savedLayers } from './saved-layers.ts';

/**
 * What the layers of an image hold, without the times at which they were made: two builds of one tree differ in these
 * alone. https://reproducible-builds.org/docs/timestamps/
 */
export interface LayerContent {
  /** SHA-256 of path, kind, mode, owner, link, attributes and bytes of each entry, bytecode without its stamp. */
  readonly digest: string;
  /** Source file -> its time in whole seconds, by which its bytecode is known to be of it. */
  readonly sources: ReadonlyMap<string, number>;
  /** Bytecode file -> the time of its source that is written in it. Bytecode by hash has none. */
  readonly stamps: ReadonlyMap<string, number>;
}

/** By their names in `docker save`: a layer never changes, so it is read once in a session. */
export type KnownContents = Map<string, LayerContent>;

/** Entries of a layer; a larger one is not compared. */
const MOST_ENTRIES = 1_000_000;

/**
 * Whether two images hold the same, layer by layer, in what can change a run: the parts of the configuration that reach
 * the process, and what the layers hold. Reads both images, which takes some seconds for 300 MB.
 * @param ids of the images in the engine
 * @throws BuildError where the engine does not give an image, or a layer cannot be read or compared (a device in it)
 */
export async function haveSameContent(
  ids: readonly [string, string],
  known: KnownContents,
  signal: AbortSignal,
): Promise<boolean> {
  const [a, b] = [await inspectImage(ids[0]), await inspectImage(ids[1])];
  if (a === undefined || b === undefined) return false;
  if (a.configuration !== b.configuration || a.layers.length !== b.layers.length) return false;
  // Layers of both need not be read. The classic store names them by these digests in what it saves; containerd's names
  // a layer by the digest of what it keeps, which may be compressed, and then they are read and left out of the comparison.
  for (const [index, layer] of a.layers.entries()) {
    const name = layer.replace('sha256:', 'blobs/sha256/');
    if (layer === b.layers[index] && !known.has(name)) known.set(name, unread(layer));
  }
  const contents = async (image: ImageFacts) =>
    (await savedLayers(image.id, known, layerContent, signal)).map((content, index) => {
      const layer = a.layers[index];
      return layer !== undefined && layer === b.layers[index] ? unread(layer) : content;
    });
  return contentOf(await contents(a)) === contentOf(await contents(b));
}

const unread = (digest: string): LayerContent => ({ digest, sources: new Map(), stamps: new Map() });

/**
 * One text of an image's layers. Bytecode is taken to be used or not, by the time of its source in the last layer that
 * has it: bytecode that does not fit is compiled again at each start, which is a difference.
 */
export function contentOf(layers: readonly LayerContent[]): string {
  const sources = new Map(layers.flatMap((layer) => [...layer.sources]));
  const bytecode = new Map(layers.flatMap(({ stamps }) => [...stamps]));
  const fits = [...bytecode]
    .map(([path, stamp]) => {
      const source = sources.get(sourceOf(path) ?? '');
      return [path, source === undefined ? stamp : source >>> 0 === stamp];
    })
    .sort(([x = ''], [y = '']) => (x < y ? -1 : 1));
  return JSON.stringify([layers.map(({ digest }) => digest), fits]);
}

/** `a/__pycache__/b.cpython-313.opt-1.pyc`: `a/b.py`. https://peps.python.org/pep-3147/ */
function sourceOf(path: string): string | undefined {
  const [, folder, name] = /^(.*?)__pycache__\/([^/.]+)\.[^/]*pyc$/.exec(path) ?? [];
  return name === undefined ? undefined : `${folder ?? ''}${name}.py`;
}

/** What a layer holds; undefined for what is none, and for one that cannot be compared. */
export async function layerContent(body: ReadableStream<Uint8Array>): Promise<LayerContent | undefined> {
  const archive = await archiveOf(body);
  if (archive === undefined) return undefined;
  const entries = new Map<string, string>();
  const sources = new Map<string, number>();
  const stamps = new Map<string, number>();
  // The archive is read to its end all the same: the engine waits for it.
  let isComparable = true;
  try {
    for await (const { header, body: content } of archive.pipeThrough(createTarDecoder({ strict: true }))) {
      const { type, mode, uid, gid, linkname, mtime, pax = {} } = header;
      const path = header.name.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
      const { digest, stamp } = await fileOf(path, content);
      // Numbers of devices are not read, so they cannot be compared.
      if (!COMPARED.has(type ?? 'file') || entries.size > MOST_ENTRIES) isComparable = false;
      if (!isComparable) continue;
      if (path.endsWith('.py') && mtime !== undefined) sources.set(path, Math.floor(mtime.getTime() / 1000));
      if (stamp === undefined) stamps.delete(path);
      else stamps.set(path, stamp);
      const attributes = Object.entries(pax)
        .filter(([key]) => key.startsWith('SCHILY.xattr.'))
        .sort(([x], [y]) => (x < y ? -1 : 1));
      const isLink = type === 'link' || type === 'symlink';
      entries.set(
        path,
        JSON.stringify([path, type, mode, uid, gid, isLink ? linkname : null, attributes, digest]),
      );
    }
  } catch {
    return undefined;
  }
  if (!isComparable) return undefined;
  const hash = createHash('sha256');
  for (const path of [...entries.keys()].sort()) hash.update(`${entries.get(path) ?? ''}\n`);
  return { digest: hash.digest('hex'), sources, stamps };
}

const COMPARED: ReadonlySet<string> = new Set(['file', 'directory', 'link', 'symlink']);

/** Bytes of bytecode before its code: its magic number, how it is known to be of its source, and that in 8 bytes. */
const PYC_HEADER = 16;

/** The bytes of a file as a hash, those of bytecode without the time of its source. https://peps.python.org/pep-0552/ */
async function fileOf(
  path: string,
  content: ReadableStream<Uint8Array>,
): Promise<{ readonly digest: string; readonly stamp: number | undefined }> {
  const hash = createHash('sha256');
  if (!path.endsWith('.pyc')) {
    for await (const chunk of content) hash.update(chunk);
    return { digest: hash.digest('hex'), stamp: undefined };
  }
  let head = Buffer.alloc(0);
  for await (const chunk of content) {
    const missing = PYC_HEADER - head.length;
    if (missing > 0) head = Buffer.concat([head, chunk.subarray(0, missing)]);
    hash.update(chunk.subarray(Math.max(0, missing)));
  }
  const isByTime = head.length === PYC_HEADER && head.readUInt32LE(4) === 0;
  const stamp = isByTime ? head.readUInt32LE(8) : undefined;
  if (isByTime) head.writeUInt32LE(0, 8);
  // Its first bytes come last, when they are complete.
  hash.update(head);
  return { digest: hash.digest('hex'), stamp };
}
