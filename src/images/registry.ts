import { z } from 'zod';
import { lastWords, tryDocker } from './docker.ts';
import { isReference } from './names.ts';
import { parseJson } from '../session/json.ts';

/** A registry that does not answer in this time counts as one without the image. */
const QUERY_SECONDS = 20;

export type Looked =
  | { readonly kind: 'found'; readonly digest: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Asks the registry for the digest of a name today; nothing is pulled.
 * @returns the digest (`sha256:…`) of the manifest or of the index of several platforms.
 */
export async function digestOf(reference: string, signal?: AbortSignal): Promise<Looked> {
  if (!isReference(reference)) return { kind: 'unavailable', reason: 'it is not the name of an image' };
  const result = await tryDocker(
    ['buildx', 'imagetools', 'inspect', '--format', '{{json .Manifest.Digest}}', reference],
    { timeoutSeconds: QUERY_SECONDS, signal },
  );
  const digest = digestSchema.safeParse(parseJson(result.stdout)).data;
  return result.status === 0 && digest !== undefined
    ? { kind: 'found', digest }
    : { kind: 'unavailable', reason: result.status === 0 ? 'no digest in the answer' : lastWords(result) };
}

/** The configuration of an image, or of one for each platform, as far as it is read; the names are those of OCI. */
const layersSchema = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

/**
 * Asks the registry for the layers of an image that the engine does not have; nothing is pulled.
 * @returns the digests of the unpacked layers, the base's first; undefined if the registry does not answer.
 */
export async function layersOf(
  reference: string,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const result = await tryDocker(
    ['buildx', 'imagetools', 'inspect', '--format', '{{json .Image}}', reference],
    { timeoutSeconds: QUERY_SECONDS, signal },
  );
  return result.status === 0 ? layersIn(result.stdout, process.arch) : undefined;
}

/** Names of architectures: Node's, and OCI's. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
]);

/**
 * The layers in buildx's answer on an image.
 * @param architecture Node's name of the one that is meant where the image is for several
 */
export function layersIn(text: string, architecture: string): readonly string[] | undefined {
  const answer = parseJson(text);
  const one = layersSchema.safeParse(answer);
  if (one.success) return one.data.rootfs.diff_ids;
  const byPlatform = z.record(z.string(), z.unknown()).safeParse(answer).data ?? {};
  const name = ARCHITECTURES.get(architecture) ?? architecture;
  const [, own] =
    Object.entries(byPlatform).find(([platform]) => {
      const [system, found] = platform.split('/');
      return system === 'linux' && found === name;
    }) ?? [];
  return layersSchema.safeParse(own).data?.rootfs.diff_ids;
}

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);
