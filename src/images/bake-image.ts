import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { BakeVariant } from '../plan/plan.ts';
import { own } from '../session/record.ts';
import { bakeSettings } from './bake.ts';
import {
  bakeFiles,
  bakeToBuild,
  hostAccessOf,
  resolveBake,
  exposedToken,
  type ResolvedBake,
} from './bake-file.ts';
import { buildEnvironment } from './buildx.ts';
import { definitionHash } from './definition-hash.ts';
import type { ImageRequest } from './image-request.ts';
import type { ImageSession } from './image-session.ts';
import { unavailable, type ObtainedImage } from './obtained-image.ts';
import { insideCheckout } from './paths.ts';
import { buildAndInspect, buildRequest, pullKnown } from './session-build.ts';

/** Builds one side of a variant of kind `bake`: a target of the project's own bake file. */
export async function prepareBake(
  session: ImageSession,
  variant: BakeVariant,
  request: ImageRequest,
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const { side, tree } = request;
  const subject = `${variant.name} (${side})`;
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(variant.target))
    return unavailable(
      `${subject}: ${JSON.stringify(variant.target)} is not the name of a bake target (letters, digits, _ and -).`,
    );
  const files = await bakeFiles(tree, variant.file);
  const texts = await textsOf(files, tree);
  if (texts.kind === 'missing')
    return unavailable(`${subject}: the bake file ${texts.path} is not in this side's files.`);
  const definition = definitionHash({ variant, files: texts.byPath });
  const ready = await pullKnown(session, request, definition, signal);
  if (ready !== undefined) return ready;
  const resolved = await resolve(session, { variant, request, files }, signal);
  const confined = session.plan.confined === true;
  const refused = await refusalOf(resolved, { confined, tree });
  if (refused !== undefined) return unavailable(`${subject}: ${refused}`);
  const settings = { ...bakeSettings(variant, side, session.sessionId, session.plan.build), confined };
  return await buildAndInspect(
    session,
    {
      ...(await buildRequest(session, variant, side)),
      definition: { resolved: bakeToBuild(resolved, variant.target, settings) },
      target: variant.target,
      directory: tree,
    },
    definition,
    signal,
  );
}

type Texts =
  | { readonly kind: 'read'; readonly byPath: Readonly<Record<string, string>> }
  | { readonly kind: 'missing'; readonly path: string };

/** The bake files' texts by their paths in the tree, or the first file that is not in it. */
async function textsOf(files: readonly string[], tree: string): Promise<Texts> {
  const texts = new Map<string, string>();
  for (const file of files) {
    const path = relative(tree, file);
    const text = await readInside(tree, file);
    if (text === undefined) return { kind: 'missing', path };
    texts.set(path, text);
  }
  return { kind: 'read', byPath: Object.fromEntries(texts) };
}

/** A file of a side; undefined if it is missing, or if a link leads out of the side's files. */
async function readInside(tree: string, file: string): Promise<string | undefined> {
  try {
    await insideCheckout(tree, file, file);
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Resolves the files with buildx, and logs differences that a reader of the bake file may not expect. */
async function resolve(
  { onLine }: ImageSession,
  {
    variant,
    request: { side, tree },
    files,
  }: { readonly variant: BakeVariant; readonly request: ImageRequest; readonly files: readonly string[] },
  signal: AbortSignal,
): Promise<ResolvedBake> {
  const label = `[${variant.name} ${side}]`;
  for (const file of files.slice(1))
    onLine(`${label} ${relative(tree, file)} is laid over ${variant.file}, as docker buildx bake does`);
  const env = buildEnvironment({ ours: false, githubCache: false });
  const resolved = await resolveBake({ files, target: variant.target, directory: tree, env }, signal);
  const { platforms = [] } = own(resolved.target, variant.target) ?? {};
  if (platforms.length > 1)
    onLine(`${label} ${variant.file} sets \`platforms\`: the target is built for this machine only`);
  return resolved;
}

/** Why a bake file must not be built; undefined where it may. */
async function refusalOf(
  resolved: ResolvedBake,
  { confined, tree }: { readonly confined: boolean; readonly tree: string },
): Promise<string | undefined> {
  const refusal = confined ? await hostAccessOf(resolved, tree) : undefined;
  if (refusal !== undefined) return refusal;
  const exposed = exposedToken(resolved);
  return exposed === undefined
    ? undefined
    : `target.${exposed.target}.secret of the bake file reads ${exposed.name}, with which the job's cache and artifacts can be written. Only the builder may use it: leave this secret out.`;
}
