import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BuildError, ConfigurationError } from '../errors/errors.ts';
import type { Runnable } from '../measure/engine.ts';
import type { BakeVariant, ImageVariant, InterpreterVariant, Plan, Variant } from '../plan/plan.ts';
import { usesGitHubCache } from '../plan/github-cache.ts';
import { isCompiled } from '../plan/interpreters.ts';
import { within } from '../process/deadline.ts';
import { pause } from '../process/patience.ts';
import type { Side } from '../session/run.ts';
import type { Failure } from '../session/session.ts';
import { againAfterFaults } from './retry.ts';
import { findApplication } from './application.ts';
import { BASE_NAME, bakeDefinition, bakeSettings, targetsOf } from './bake.ts';
import { bakeFiles, bakeToBuild, reachOf, resolveBake, takenToken } from './bake-file.ts';
import type { Fault } from './build-failure.ts';
import { build, buildEnvironment, type BuildRequest } from './buildx.ts';
import { checkCertificate } from './certificate.ts';
import type { ColdBuild } from './cold-build.ts';
import { coldImage, type ColdImageRequest } from './cold-image.ts';
import { finalBase } from './dockerfile.ts';
import { definitionHash } from './definition-hash.ts';
import { checkEngine, hasEvents, type EngineVersions } from './engine-check.ts';
import { isDownloadFault } from './download-fault.ts';
import type { ImageRequest } from './image-request.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import {
  applicationLabels,
  createInterpreters,
  interpreterOfPulled,
  labelsOf,
  type Definition,
} from './interpreter.ts';
import { askInterpreter, type PythonAnswer } from './interpreter-python.ts';
import { imageTag, interpreterTag } from './names.ts';
import { checkBuildPaths, checkContexts, insideCheckout } from './paths.ts';
import { layersOf } from './registry.ts';
import { refusal, toRunnable, type ObtainedImage } from './runnable.ts';
import { compressedSize, layerSizes, noLayers } from './sizes.ts';
import { digestIn, obtainImage, pullBaseline, pushImage, pushName, removeImages } from './store.ts';
import { own } from '../session/record.ts';

export type ImageResult =
  | {
      readonly kind: 'ready';
      readonly runnable: Runnable;
      /** Asks the interpreter by itself which Python it is; only of an image that was built upon one here. */
      readonly interpreter?: (signal: AbortSignal) => Promise<PythonAnswer>;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A build that both sides share. */
type AloneRequest = Pick<BuildRequest, 'definition' | 'target' | 'variant' | 'files'>;

/** Builds, pulls or finds the images of a session. */
export interface ImageBuilder {
  /** @throws ConfigurationError for a certificate authority that is none, and paths that lead out of the checkout; BuildError when engine, buildx or BuildKit will not do. */
  check(): Promise<EngineVersions>;
  /** Gets one side of one variant. Whatever keeps it from being had is a failure in the result. */
  prepare(request: ImageRequest, signal: AbortSignal): Promise<ImageResult>;
  /**
   * Pushes to the plan's registry as `<registry>/<variant>:<commit>`. @returns `name@sha256:…`.
   * @throws ConfigurationError without a registry, BuildError with the registry's words.
   */
  push(runnable: Runnable, commit: string): Promise<string>;
  /**
   * Builds one side of an interpreter's variant once more, alone and with no step from a cache: what the whole image
   * costs, interpreter and application. Compiling one takes minutes to half an hour.
   * @returns undefined for a variant that is not built from an interpreter's folder
   */
  coldBuild(request: ImageRequest, signal: AbortSignal): Promise<ColdBuild | undefined>;
  /**
   * Size of the layers as a registry would keep them, in bytes.
   * @throws BuildError where the engine does not give the image.
   * @param secondsLeft of the budget; reading an image that is there is given a minute at least
   */
  compressedSize(runnable: Runnable, signal: AbortSignal, secondsLeft?: number): Promise<number>;
  /** Removes this session's names and files; the build cache stays. */
  cleanUp(): Promise<void>;
}

export interface ImageBuilderOptions {
  readonly plan: Plan;
  readonly sessionId: string;
  /** Absolute folder with the interpreters' folders and the default application's. */
  readonly variantsFolder: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
  /** Absolute folder for temporary files; made when it is not there. */
  readonly workFolder: string;
  /** Whether interpreters that are built here are put into the plan's registry; false where nothing is said. */
  readonly pushInterpreters?: boolean;
  readonly onLine: (line: string) => void;
}

/** The builder of one session's images. */
export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const { plan, sessionId, variantsFolder, workFolder, pushInterpreters = false, onLine } = options;
  let engine: Promise<EngineVersions> | undefined;
  const check = () => (engine ??= checkAll());
  const checkAll = async () => {
    await checkBuildPaths(plan.build, plan.root);
    await checkCertificate(plan.build.ca, plan.root);
    for (const variant of plan.variants)
      if (variant.kind === 'interpreter') await checkContexts(variant, plan.root);
    return await checkEngine();
  };
  let folder: Promise<string> | undefined;
  const ownFolder = () => (folder ??= newFolder(workFolder));
  /** Names that this session made in the engine's store. */
  const names = new Set<string>();
  /** Variant -> the baseline image that was pulled: the head is built upon its layers where they are equal. */
  const pulled = new Map<string, { readonly reference: string; readonly facts: ImageFacts }>();
  const known = noLayers();
  const target = { build: plan.build, variantsFolder, root: plan.root };
  /** Keys of the interpreters whose making is in the minutes of an image already. */
  const counted = new Set<string>();
  const buildAlone = async (request: AloneRequest, signal: AbortSignal) =>
    await build(
      {
        ...request,
        side: undefined,
        directory: plan.root,
        workFolder: await ownFolder(),
        events: hasEvents(await check()),
        githubCache: usesGitHubCache(plan.build),
        onLine,
      },
      signal,
    );
  /** An interpreter's image, or its key -> which Python it is by itself. */
  const pythons = new Map<string, Promise<PythonAnswer>>();
  const pythonOf =
    (definition: Definition, interpreterImage: string | undefined) => (signal: AbortSignal) => {
      const { key, variant } = definition;
      // Two compilations of one definition are two builds.
      const which = interpreterImage ?? key;
      const asked =
        pythons.get(which) ??
        within(ASKING_SECONDS, signal, async (ending) =>
          askInterpreter(
            {
              target: { ...target, variant },
              interpreterImage,
              script: options.facts,
              workFolder: await ownFolder(),
              build: buildAlone,
            },
            ending,
          ),
        );
      pythons.set(which, asked);
      return asked;
    };
  const interpreters = createInterpreters({
    target,
    driver: async () => (await check()).driver,
    push: pushInterpreters,
    build: buildAlone,
    onName: (name) => names.add(name),
    onLine,
  });

  const buildRequest = async (variant: Variant, side: Side) => ({
    variant: variant.name,
    side,
    workFolder: await ownFolder(),
    events: hasEvents(await check()),
    githubCache: usesGitHubCache(plan.build),
    onLine,
  });

  const buildAndInspect = async (
    request: BuildRequest & { readonly side: Side },
    definition: string,
    signal: AbortSignal,
  ): Promise<ObtainedImage> => {
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
    return {
      kind: 'obtained',
      facts,
      origin: 'built',
      digest: undefined,
      definition,
      seconds: result.seconds,
    };
  };

  /** The image that is known by digest already, or undefined: then it is built. */
  const pullKnown = async (
    { variant, side, known }: ImageRequest,
    definition: string,
    signal: AbortSignal,
  ): Promise<ObtainedImage | undefined> => {
    if (known === undefined) return undefined;
    const found = await pullBaseline(known, signal);
    if (found.kind === 'unavailable') {
      onLine(`[${variant.name} ${side}] ${known} cannot be had, so it is built here: ${found.reason}`);
      return undefined;
    }
    if (!found.wasHere) names.add(known);
    pulled.set(variant.name, { reference: known, facts: found.facts });
    onLine(`[${variant.name} ${side}] pulled ${known}`);
    return { kind: 'obtained', facts: found.facts, origin: 'pulled', digest: known, definition };
  };

  const prepareInterpreter = async (
    variant: InterpreterVariant,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<ObtainedImage> => {
    const { side } = request;
    const application = await applicationOf(request);
    if (application.kind === 'unusable')
      return unavailable(`${variant.name} (${side}): ${application.reason}.`);
    const definition = await interpreters.define(variant, signal);
    const ready = await pullKnown(request, definition.hash, signal);
    if (ready !== undefined) return ready;
    const other = pulled.get(variant.name);
    const interpreter =
      interpreterOfPulled(definition, other?.facts) ?? (await interpreters.obtain(definition, signal));
    if (interpreter.kind === 'failed') return unavailable(interpreter.message, interpreter.fault);
    const { reference, record } = interpreter;
    const bake = bakeDefinition({
      ...target,
      variant: definition.variant,
      side,
      sessionId,
      context: application.context,
      dockerfile: application.dockerfile,
      ...(reference === undefined ? {} : { interpreterImage: reference }),
      labels: applicationLabels(definition, reference),
      ...(other === undefined ? {} : { cacheFrom: [`type=registry,ref=${other.reference}`] }),
    });
    const obtained = await buildAndInspect(
      {
        ...(await buildRequest(variant, side)),
        definition: bake,
        target: targetsOf(variant.name, side).application,
        ...(reference === undefined ? { interpreterTarget: targetsOf(variant.name, side).interpreter } : {}),
        directory: plan.root,
      },
      definition.hash,
      signal,
    );
    if (obtained.kind === 'unavailable') return obtained;
    const elsewhere = await withoutInterpreter(reference, obtained.facts, application.dockerfile, signal);
    if (elsewhere !== undefined) return unavailable(`${variant.name} (${side}): ${elsewhere}`);
    // Both sides are made of it; its minutes are those of the side that came first.
    const compiling = counted.has(definition.key) ? 0 : interpreter.seconds;
    counted.add(definition.key);
    return {
      ...obtained,
      seconds: (obtained.seconds ?? 0) + compiling,
      ...(record === undefined ? {} : { interpreter: record }),
      python: pythonOf(definition, reference),
    };
  };

  const applicationOf = async ({
    variant,
    side,
    tree,
    dockerfile = plan.workload.dockerfile ?? null,
  }: ImageRequest) =>
    await findApplication({
      tree,
      workload: { ...plan.workload, dockerfile: dockerfile ?? undefined },
      variantsFolder,
      folder: join(await ownFolder(), 'application', imageTag(variant.name, side, 'x').replace(':', '-')),
    });

  const prepareBake = async (
    variant: BakeVariant,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<ObtainedImage> => {
    const { side, tree } = request;
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(variant.target))
      return unavailable(
        `${variant.name} (${side}): ${JSON.stringify(variant.target)} is not the name of a bake target (letters, digits, _ and -).`,
      );
    const subject = `${variant.name} (${side})`;
    const files = await bakeFiles(tree, variant.file);
    const texts = new Map<string, string>();
    for (const file of files) {
      const text = await readInside(tree, file);
      if (text === undefined)
        return unavailable(`${subject}: the bake file ${relative(tree, file)} is not in this side's files.`);
      texts.set(relative(tree, file), text);
    }
    const definition = definitionHash({ variant, files: Object.fromEntries(texts) });
    const ready = await pullKnown(request, definition, signal);
    if (ready !== undefined) return ready;
    for (const file of files.slice(1))
      onLine(
        `[${variant.name} ${side}] ${relative(tree, file)} is laid over ${variant.file}, as docker buildx bake does`,
      );
    const resolved = await resolveBake(
      {
        files,
        target: variant.target,
        directory: tree,
        env: buildEnvironment({ ours: false, githubCache: false }),
      },
      signal,
    );
    const { platforms = [] } = own(resolved.target, variant.target) ?? {};
    if (platforms.length > 1)
      onLine(
        `[${variant.name} ${side}] ${variant.file} sets \`platforms\`: the target is built for this machine alone`,
      );
    const confined = plan.confined === true;
    const reach = confined ? await reachOf(resolved, tree) : undefined;
    if (reach !== undefined) return unavailable(`${subject}: ${reach}`);
    const taken = takenToken(resolved);
    if (taken !== undefined)
      return unavailable(
        `${subject}: target.${taken.target}.secret of the bake file takes ${taken.name}, with which the job's cache and artifacts can be written. It is for the builder alone: leave this secret out.`,
      );
    const settings = { ...bakeSettings(variant, side, sessionId, plan.build), confined };
    return await buildAndInspect(
      {
        ...(await buildRequest(variant, side)),
        definition: { resolved: bakeToBuild(resolved, variant.target, settings) },
        target: variant.target,
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
  ): Promise<ObtainedImage> => {
    const reference = side === 'baseline' ? (variant.baselineImage ?? variant.image) : variant.image;
    const found = await obtainImage(reference, signal);
    if (found.kind === 'unavailable')
      return unavailable(
        `${variant.name} (${side}): the image ${reference} is not on this machine and could not be pulled: ${found.reason}. Check the name, and that this machine may read its registry (\`docker login\`).`,
        found.fault,
      );
    const { facts } = found;
    return {
      kind: 'obtained',
      facts,
      origin: 'existing',
      digest: digestIn(facts, reference),
      definition: definitionHash({ variant, files: {} }),
    };
  };

  const obtain = (request: ImageRequest, signal: AbortSignal): Promise<ObtainedImage> => {
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
      const subject = `${variant.name} (${side})`;
      const failed = ({ message, fault }: Extract<ObtainedImage, { kind: 'unavailable' }>): ImageResult => ({
        kind: 'failed',
        failure: { variant: variant.name, side, stage: stageOf(fault, message, side), message },
      });
      const seconds = secondsFor(request);
      if (seconds !== undefined && seconds <= 0)
        return failed(unavailable(`${subject}: ${NO_TIME}`, 'engine'));
      try {
        const obtained = await within(
          seconds,
          signal,
          async (ending) =>
            await againAfterFaults(async () => await obtain(request, ending), subject, {
              pause,
              signal: ending,
              onLine,
            }),
        );
        if (obtained.kind === 'unavailable') return failed(obtained);
        const refused = await refusal(subject, obtained.facts);
        if (refused !== undefined) return failed(unavailable(refused));
        const { store } = await check();
        const layers = await within(
          Math.max(seconds ?? SIZE_SECONDS_AT_LEAST, SIZE_SECONDS_AT_LEAST),
          signal,
          async (ending) => await layerSizes(obtained.facts.id, store, known, ending),
        ).catch((error: unknown) => {
          // What is measured can be measured without its size.
          if (!(error instanceof BuildError)) throw error;
          onLine(`[${variant.name} ${side}] its size is not known: ${error.message}`);
          return undefined;
        });
        return {
          kind: 'ready',
          runnable: toRunnable(request, obtained, { store, layers }),
          ...(obtained.python === undefined ? {} : { interpreter: obtained.python }),
        };
      } catch (error) {
        if (error instanceof BuildError) return failed(unavailable(`${subject}: ${error.message}`, 'engine'));
        throw error;
      }
    },

    async coldBuild(request, signal) {
      const { variant, side } = request;
      if (variant.kind !== 'interpreter') return undefined;
      const seconds = secondsFor(request);
      if (seconds !== undefined && seconds <= 0)
        return { kind: 'failed', message: `${variant.name} (${side}), cold build: ${NO_TIME}` };
      const application = await applicationOf(request);
      if (application.kind === 'unusable')
        return { kind: 'failed', message: `${variant.name} (${side}): ${application.reason}.` };
      const { context, dockerfile } = application;
      const definition = await interpreters.define(variant, signal);
      const cold: ColdImageRequest = {
        target: { ...target, variant: definition.variant },
        labels: labelsOf(definition),
        keepAs: interpreterTag(variant.interpreter, definition.key),
        side,
        sessionId,
        application: { context, dockerfile },
        driver: (await check()).driver,
        request: await buildRequest(variant, side),
        onName: (name) => names.add(name),
      };
      return await within(seconds, signal, async (ending) => await coldImage(cold, ending));
    },

    compressedSize: async ({ image }, signal, secondsLeft = Infinity) =>
      await within(
        Math.max(secondsLeft, SIZE_SECONDS_AT_LEAST),
        signal,
        async (ending) => await compressedSize(image.id, known, ending),
      ),

    async push({ image }, commit) {
      const { registry } = plan.build;
      if (registry === undefined)
        throw new ConfigurationError(
          'There is no registry to push to: set build.registry, such as ghcr.io/organisation/name.',
        );
      const tag = pushName({ registry, configuration: plan.configuration, variant: image.variant, commit });
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

/** A baseline that a registry or a mirror kept from being built is none of the base's doing. */
const stageOf = (fault: Fault, message: string, side: Side): Failure['stage'] =>
  side === 'baseline' && isDownloadFault(message) ? 'engine' : fault;

/**
 * Why an image is not the variant's: the interpreter's layers are not what it stands on, so every variant would be the
 * same image under another name. An interpreter that the engine does not have is its registry's; of one that is built along
 * in another builder nobody knows the layers, and the Python that runs says it.
 */
async function withoutInterpreter(
  reference: string | undefined,
  { layers }: ImageFacts,
  dockerfile: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  const expected = (await inspectImage(reference))?.layers ?? (await layersOf(reference, signal));
  if (expected === undefined || expected.every((layer, index) => layer === layers[index])) return undefined;
  const base = finalBase(await readFile(dockerfile, 'utf8').catch(() => ''));
  const where = base === undefined ? '' : ` (line ${base.line}: \`${base.text}\`)`;
  return `the built image does not stand on this variant's interpreter, so it would be measured under a wrong name. The last stage of the Dockerfile${where} takes its base from elsewhere: write \`FROM ${BASE_NAME}\` there, without a tag or a variable.`;
}

const unavailable = (
  message: string,
  fault: Fault = 'build',
): Extract<ObtainedImage, { kind: 'unavailable' }> => ({
  kind: 'unavailable',
  message,
  fault,
});

const SIZE_SECONDS_AT_LEAST = 60;
/** The question takes a second; most of this is for a busy machine. */
const ASKING_SECONDS = 120;
const NO_TIME = 'the budget was spent before its turn. Raise rules.budget, or build less.';

/** A compiler takes up to half an hour and more, once for all later sessions: it is not to begin anew with each budget. */
const COMPILING_SECONDS = 3600;

function secondsFor({ variant, secondsLeft }: ImageRequest): number | undefined {
  if (secondsLeft === undefined) return undefined;
  return variant.kind === 'interpreter' && isCompiled(variant.interpreter)
    ? Math.max(secondsLeft, COMPILING_SECONDS)
    : secondsLeft;
}

async function newFolder(workFolder: string): Promise<string> {
  await mkdir(workFolder, { recursive: true });
  return await mkdtemp(join(workFolder, 'images-'));
}

/** A file of a side's own; undefined where there is none, or a link leads out of its files. */
async function readInside(tree: string, file: string): Promise<string | undefined> {
  try {
    await insideCheckout(tree, file, file);
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
