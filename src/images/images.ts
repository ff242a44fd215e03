import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BuildError, ConfigurationError } from '../errors/errors.ts';
import type { Runnable } from '../measure/engine.ts';
import type { BakeVariant, ImageVariant, InterpreterVariant, Plan, Variant } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import type { Failure, Image } from '../session/session.ts';
import { findApplication } from './application.ts';
import { bakeDefinition, bakeOverrides, targetsOf } from './bake.ts';
import { build, type BuildRequest } from './buildx.ts';
import { checkCertificate } from './certificate.ts';
import { definitionHash } from './definition-hash.ts';
import { checkEngine, hasEvents, type EngineVersions } from './engine-check.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import { imageTag } from './names.ts';
import { digestIn, obtainImage, pullBaseline, pushImage, pushName, removeImages } from './store.ts';

export interface ImageRequest {
  readonly variant: Variant;
  readonly side: Side;
  /** Absolute folder with that side's files. */
  readonly tree: string;
  /** Absolute folder whose `workload.files` are mounted over both sides. */
  readonly filesFrom: string;
  /** Digest reference to try to pull before building. */
  readonly known?: string;
}

export type ImageResult =
  | { readonly kind: 'ready'; readonly runnable: Runnable }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Builds, pulls or finds the images of a session. */
export interface ImageBuilder {
  /** @throws ConfigurationError for a certificate authority that is none; BuildError when engine, buildx or BuildKit will not do. */
  check(): Promise<EngineVersions>;
  /** Gets one side of one variant. Whatever keeps it from being had is a failure in the result. */
  prepare(request: ImageRequest, signal: AbortSignal): Promise<ImageResult>;
  /**
   * Pushes to the plan's registry as `<registry>/<variant>:<commit>`. @returns `name@sha256:…`.
   * @throws ConfigurationError without a registry, BuildError with the registry's words.
   */
  push(runnable: Runnable, commit: string): Promise<string>;
  /** Removes this session's names and files; the build cache stays. */
  cleanUp(): Promise<void>;
}

export interface ImageBuilderOptions {
  readonly plan: Plan;
  readonly sessionId: string;
  /** Absolute folder with the interpreters' folders and the default application's. */
  readonly variantsFolder: string;
  /** Absolute folder for temporary files; made when it is not there. */
  readonly workFolder: string;
  readonly onLine: (line: string) => void;
}

type Had =
  | {
      readonly kind: 'had';
      readonly facts: ImageFacts;
      readonly origin: Image['origin'];
      readonly digest: string | undefined;
      readonly definition: string;
      readonly seconds?: number;
    }
  | { readonly kind: 'not'; readonly message: string };

/** The builder of one session's images. */
export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const { plan, sessionId, variantsFolder, workFolder, onLine } = options;
  let engine: Promise<EngineVersions> | undefined;
  const check = () => (engine ??= checkAll());
  const checkAll = async () => {
    await checkCertificate(plan.build.ca, plan.root);
    return await checkEngine();
  };
  let folder: Promise<string> | undefined;
  const ownFolder = () => (folder ??= newFolder(workFolder));
  /** Names that this session made in the engine's store. */
  const names = new Set<string>();
  /** Variant -> the baseline image that was pulled: the head is built upon its layers where they are equal. */
  const pulled = new Map<string, string>();

  const buildRequest = async (variant: Variant, side: Side) => ({
    variant: variant.name,
    side,
    workFolder: await ownFolder(),
    events: hasEvents(await check()),
    onLine,
  });

  const buildAndInspect = async (
    request: BuildRequest,
    definition: string,
    signal: AbortSignal,
  ): Promise<Had> => {
    const { variant, side } = request;
    const tag = imageTag(variant, side, sessionId);
    names.add(tag);
    const result = await build(request, signal);
    if (result.kind === 'failed') return not(result.message);
    const facts = await inspectImage(tag);
    if (facts === undefined)
      return not(
        `${variant} (${side}): the image was built (${result.digests.join(', ')}), and the engine does not have it as ${tag}. Does the builder belong to another engine? \`docker buildx ls\` shows it.`,
      );
    return { kind: 'had', facts, origin: 'built', digest: undefined, definition, seconds: result.seconds };
  };

  /** The image that is known by digest already, or undefined: then it is built. */
  const pullKnown = async (
    { variant, side, known }: ImageRequest,
    definition: string,
    signal: AbortSignal,
  ): Promise<Had | undefined> => {
    if (known === undefined) return undefined;
    const found = await pullBaseline(known, signal);
    if (found.kind === 'unavailable') {
      onLine(`[${variant.name} ${side}] ${known} cannot be had, so it is built here: ${found.reason}`);
      return undefined;
    }
    if (!found.wasHere) names.add(known);
    pulled.set(variant.name, known);
    onLine(`[${variant.name} ${side}] pulled ${known}`);
    return { kind: 'had', facts: found.facts, origin: 'pulled', digest: known, definition };
  };

  const prepareInterpreter = async (
    variant: InterpreterVariant,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<Had> => {
    const { side, tree } = request;
    const interpreterFolder = join(variantsFolder, variant.interpreter);
    const definition = definitionHash({ variant, files: await textsOf(interpreterFolder) });
    const ready = await pullKnown(request, definition, signal);
    if (ready !== undefined) return ready;
    const application = await findApplication({
      tree,
      workload: plan.workload,
      variantsFolder,
      folder: join(await ownFolder(), 'application', imageTag(variant.name, side, 'x').replace(':', '-')),
    });
    if (application.kind === 'unusable') return not(`${variant.name} (${side}): ${application.reason}.`);
    const other = pulled.get(variant.name);
    const bake = bakeDefinition({
      variant,
      side,
      sessionId,
      build: plan.build,
      variantsFolder,
      root: plan.root,
      context: application.context,
      dockerfile: application.dockerfile,
      ...(other === undefined ? {} : { cacheFrom: [`type=registry,ref=${other}`] }),
    });
    return await buildAndInspect(
      {
        ...(await buildRequest(variant, side)),
        definition: bake,
        target: targetsOf(variant.name, side).application,
        interpreterTarget: targetsOf(variant.name, side).interpreter,
        directory: plan.root,
      },
      definition,
      signal,
    );
  };

  const prepareBake = async (
    variant: BakeVariant,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<Had> => {
    const { side, tree } = request;
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(variant.target))
      return not(
        `${variant.name} (${side}): ${JSON.stringify(variant.target)} is not the name of a bake target (letters, digits, _ and -).`,
      );
    const file = join(tree, variant.file);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined)
      return not(`${variant.name} (${side}): the bake file ${variant.file} is not in this side's files.`);
    const definition = definitionHash({ variant, files: { [variant.file]: text } });
    const ready = await pullKnown(request, definition, signal);
    if (ready !== undefined) return ready;
    return await buildAndInspect(
      {
        ...(await buildRequest(variant, side)),
        definition: { file },
        target: variant.target,
        set: bakeOverrides(variant, side, sessionId, plan.build),
        directory: tree,
      },
      definition,
      signal,
    );
  };

  const prepareExisting = async (
    variant: ImageVariant,
    { side }: ImageRequest,
    signal: AbortSignal,
  ): Promise<Had> => {
    const reference = side === 'baseline' ? (variant.baselineImage ?? variant.image) : variant.image;
    const found = await obtainImage(reference, signal);
    if (found.kind === 'unavailable')
      return not(
        `${variant.name} (${side}): the image ${reference} is not on this machine and could not be pulled: ${found.reason}. Check the name, and that this machine may read its registry (\`docker login\`).`,
      );
    const { facts } = found;
    return {
      kind: 'had',
      facts,
      origin: 'existing',
      digest: digestIn(facts, reference),
      definition: definitionHash({ variant, files: {} }),
    };
  };

  const obtain = (request: ImageRequest, signal: AbortSignal): Promise<Had> => {
    const { variant } = request;
    switch (variant.kind) {
      case 'interpreter':
        return prepareInterpreter(variant, request, signal);
      case 'bake':
        return prepareBake(variant, request, signal);
      case 'image':
        return prepareExisting(variant, request, signal);
      case 'host':
        throw new Error(`${variant.name} is a host variant: it has no image`);
    }
  };

  return {
    check,

    async prepare(request, signal) {
      const { variant, side } = request;
      const had = await obtain(request, signal).catch((error: unknown) => {
        if (error instanceof BuildError) return not(`${variant.name} (${side}): ${error.message}`);
        throw error;
      });
      return had.kind === 'had'
        ? { kind: 'ready', runnable: toRunnable(request, had) }
        : { kind: 'failed', failure: { variant: variant.name, side, stage: 'build', message: had.message } };
    },

    async push({ image }, commit) {
      const { registry } = plan.build;
      if (registry === undefined)
        throw new ConfigurationError(
          'There is no registry to push to: set build.registry, such as ghcr.io/organisation/name.',
        );
      const tag = pushName({ registry, variant: image.variant, commit });
      // Before it is tried: a push that fails leaves the name behind all the same.
      names.add(tag);
      return await pushImage(tag, image);
    },

    async cleanUp() {
      await removeImages([...names]);
      names.clear();
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

function toRunnable(request: ImageRequest, had: Extract<Had, { kind: 'had' }>): Runnable {
  const { variant, side, filesFrom } = request;
  const { facts, origin, digest, definition, seconds } = had;
  return {
    image: {
      variant: variant.name,
      side,
      engine: 'container',
      identity: facts.identity,
      ...(digest === undefined ? {} : { digest }),
      id: facts.id,
      definitionHash: definition,
      sizeBytes: facts.sizeBytes,
      layers: [...facts.layers],
      origin,
      ...(seconds === undefined ? {} : { buildSeconds: seconds }),
    },
    // Every interpreter of `variants/` promises `python` in the PATH.
    python: variant.kind === 'image' || variant.kind === 'bake' ? variant.python : 'python',
    flags: variant.flags,
    env: variant.env,
    workingDirectory: facts.workingDirectory,
    filesFrom,
  };
}

const not = (message: string): Had => ({ kind: 'not', message });

async function newFolder(workFolder: string): Promise<string> {
  await mkdir(workFolder, { recursive: true });
  return await mkdtemp(join(workFolder, 'images-'));
}

/** The files of an interpreter's folder, path to text. They are Pacegate's own and small. */
async function textsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts: Record<string, string> = {};
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    texts[relative(folder, path)] = await readFile(path, 'utf8');
  }
  return texts;
}
