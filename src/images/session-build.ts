import { usesGitHubCache } from '../plan/github-cache.ts';
import type { Variant } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import { build, type BuildRequest, type BuildResult } from './buildx.ts';
import { hasEvents } from './engine-check.ts';
import type { ImageRequest } from './image-request.ts';
import type { ImageSession } from './image-session.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import { imageTag } from './names.ts';
import { unavailable, type Obtained, type ObtainedImage } from './obtained-image.ts';
import { pullBaseline } from './store.ts';

/** Builds and pulls with a session's folder, engine and log. */

/** The common arguments of builds of one side of a variant. */
export const buildRequest = async (session: ImageSession, { name }: Variant, side: Side) => ({
  variant: name,
  side,
  ...(await shared(session)),
});

/** A build that both sides share. */
export type AloneRequest = Pick<BuildRequest, 'definition' | 'target' | 'variant' | 'files'>;

/** Builds for both sides, from the checkout's root. */
export const buildAlone = async (
  session: ImageSession,
  request: AloneRequest,
  signal: AbortSignal,
): Promise<BuildResult> =>
  await build(
    { ...request, side: undefined, directory: session.plan.root, ...(await shared(session)) },
    signal,
  );

const shared = async (session: ImageSession) => ({
  workFolder: await session.folder(),
  events: hasEvents(await session.engine()),
  githubCache: usesGitHubCache(session.plan.build),
  onLine: session.onLine,
});

/** Builds an image under the session's own name for it, and reads its properties from the engine. */
export async function buildAndInspect(
  { names, sessionId }: ImageSession,
  request: BuildRequest & { readonly side: Side },
  definition: string,
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const { variant, side } = request;
  const tag = imageTag(variant, side, sessionId);
  names.add(tag);
  const result = await build(request, signal);
  if (result.kind === 'failed') return unavailable(result.message, result.fault);
  const facts = await inspectImage(tag);
  if (facts === undefined)
    return unavailable(
      `${variant} (${side}): the image was built (${result.digests.join(', ')}), and the engine does not have it as ${tag}. Does the builder belong to another engine? \`docker buildx ls\` shows it.`,
    );
  return { kind: 'obtained', facts, origin: 'built', digest: undefined, definition, seconds: result.seconds };
}

/**
 * Pulls the image with a known digest; undefined if it must be built. @param refuse returns why an image is not the
 * variant's, because the stored digest may be wrong
 */
export async function pullKnown(
  { names, pulled, onLine }: ImageSession,
  { variant, side, known }: ImageRequest,
  definition: string,
  signal: AbortSignal,
  refuse?: (facts: ImageFacts) => Promise<string | undefined>,
): Promise<Obtained | undefined> {
  if (known === undefined) return undefined;
  const found = await pullBaseline(known, signal);
  if (found.kind === 'unavailable') {
    onLine(`[${variant.name} ${side}] ${known} cannot be pulled, so it is built here: ${found.reason}`);
    return undefined;
  }
  if (!found.wasHere) names.add(known);
  const refused = await refuse?.(found.facts);
  if (refused !== undefined) {
    onLine(`[${variant.name} ${side}] ${known} is not used, and the image is built here: ${refused}`);
    return undefined;
  }
  pulled.set(variant.name, { reference: known, facts: found.facts });
  onLine(`[${variant.name} ${side}] pulled ${known}`);
  return { kind: 'obtained', facts: found.facts, origin: 'pulled', digest: known, definition };
}
