import { z } from 'zod';
import { lastWords, tryDocker } from './docker.ts';
import { isReference } from './names.ts';

/** A registry that does not answer in this time is treated as one that has not the image. */
const QUERY_SECONDS = 20;

export type Looked =
  | { readonly kind: 'found'; readonly digest: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Asks the registry which bytes a name stands for today; nothing is pulled.
 * @returns the digest (`sha256:…`) of the manifest or of the index of several platforms.
 */
export async function digestOf(reference: string, signal?: AbortSignal): Promise<Looked> {
  if (!isReference(reference)) return { kind: 'unavailable', reason: 'it is not the name of an image' };
  const result = await tryDocker(
    ['buildx', 'imagetools', 'inspect', '--format', '{{json .Manifest.Digest}}', reference],
    { timeoutSeconds: QUERY_SECONDS, ...(signal === undefined ? {} : { signal }) },
  );
  const digest = digestSchema.safeParse(parseJson(result.stdout)).data;
  return result.status === 0 && digest !== undefined
    ? { kind: 'found', digest }
    : { kind: 'unavailable', reason: result.status === 0 ? 'no digest in the answer' : lastWords(result) };
}

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
