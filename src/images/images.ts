import { BuildError, ConfigurationError } from '../errors/errors.ts';
import type { Runnable } from '../measure/engine.ts';
import { within } from '../process/deadline.ts';
import { pause } from '../process/patience.ts';
import type { Side } from '../session/run.ts';
import type { Failure } from '../session/session.ts';
import { prepareBake } from './bake-image.ts';
import type { Fault } from './build-failure.ts';
import type { ColdBuild } from './cold-build.ts';
import { haveSameContent, type KnownContents } from './content.ts';
import { isDownloadFault } from './download-fault.ts';
import type { EngineVersions } from './engine-check.ts';
import { prepareExisting } from './existing-image.ts';
import type { ImageRequest } from './image-request.ts';
import { startImageSession, type ImageBuilderOptions, type ImageSession } from './image-session.ts';
import { interpreterImages, type InterpreterImages } from './interpreter-image.ts';
import type { PythonAnswer } from './interpreter-python.ts';
import type { Obtained, ObtainedImage } from './obtained-image.ts';
import { againAfterFaults } from './retry.ts';
import { refusal, toRunnable } from './runnable.ts';
import { compressedSize, layerSizes, noLayers, type KnownLayers } from './sizes.ts';
import { pushImage, pushName } from './store.ts';
import { NO_TIME, secondsFor, SIZE_SECONDS_AT_LEAST } from './time-limits.ts';

/** The builder of a session's images. Each kind of variant has a file of its own; this one joins them. */

export type ImageResult =
  | {
      readonly kind: 'ready';
      readonly runnable: Runnable;
      /** Reads the Python version of the interpreter alone; only for an image that was built on one here. */
      readonly interpreter?: ((signal: AbortSignal) => Promise<PythonAnswer>) | undefined;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Builds, pulls or finds the images of a session. */
export interface ImageBuilder {
  /**
   * @throws ConfigurationError for an invalid certificate authority, and for paths that lead out of the checkout;
   * BuildError if engine, buildx or BuildKit are missing or too old.
   */
  check(): Promise<EngineVersions>;
  /** Gets one side of one variant. An error is a failure in the result. */
  prepare(request: ImageRequest, signal: AbortSignal): Promise<ImageResult>;
  /**
   * Pushes to the plan's registry as `<registry>/<variant>:<commit>`. @returns `name@sha256:…`.
   * @throws ConfigurationError without a registry, BuildError with the registry's message.
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
  /**
   * Whether two images of one variant hold the same and differ in times only (content.ts).
   * @returns false also where that is not known: then they are measured
   * @param secondsLeft of the budget; reading images that are there is given a minute at least
   */
  haveSameContent(
    images: readonly [Runnable, Runnable],
    signal: AbortSignal,
    secondsLeft?: number,
  ): Promise<boolean>;
  /** Removes this session's names and files; the build cache stays. */
  cleanUp(): Promise<void>;
}

/** The builder of one session's images. */
export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const session = startImageSession(options);
  const interpreters = interpreterImages(session, options.pushInterpreters ?? false);
  const sizes = noLayers();
  const contents: KnownContents = new Map();
  return {
    check: session.engine,
    prepare: (request, signal) => prepare({ session, interpreters, sizes }, request, signal),
    push: ({ image }, commit) => push(session, image, commit),
    coldBuild: async (request, signal) =>
      request.variant.kind === 'interpreter'
        ? await interpreters.coldBuild(request.variant, request, signal)
        : undefined,
    compressedSize: async ({ image }, signal, secondsLeft = Infinity) =>
      await within(
        Math.max(secondsLeft, SIZE_SECONDS_AT_LEAST),
        signal,
        async (ending) => await compressedSize(image.id, sizes, ending),
      ),
    haveSameContent: async (images, signal, secondsLeft = Infinity) =>
      await within(
        Math.max(secondsLeft, SIZE_SECONDS_AT_LEAST),
        signal,
        async (ending) => await sameContent({ session, contents }, images, ending),
      ),
    cleanUp: session.end,
  };
}

/** Layers of other sizes hold something else; the classic store counts those that were pulled differently. */
const ofOneSize = ([a, b]: readonly [Runnable, Runnable]): boolean =>
  a.image.origin !== b.image.origin ||
  JSON.stringify(a.image.layerSizes) === JSON.stringify(b.image.layerSizes);

async function sameContent(
  { session, contents }: { readonly session: ImageSession; readonly contents: KnownContents },
  images: readonly [Runnable, Runnable],
  signal: AbortSignal,
): Promise<boolean> {
  const [a, b] = images;
  if (!ofOneSize(images)) return false;
  return await haveSameContent([a.image.id, b.image.id], contents, signal).catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error;
    session.onLine(`[${b.image.variant}] the contents of both sides could not be compared: ${error.message}`);
    return false;
  });
}

interface Builder {
  readonly session: ImageSession;
  readonly interpreters: InterpreterImages;
  /** Layers of this session whose sizes are known. */
  readonly sizes: KnownLayers;
}

/** Gets an image within the budget, tries again after faults of the engine or the network, and reads its size. */
async function prepare(builder: Builder, request: ImageRequest, signal: AbortSignal): Promise<ImageResult> {
  const { variant, side } = request;
  const { onLine } = builder.session;
  const subject = `${variant.name} (${side})`;
  const seconds = secondsFor(request);
  if (seconds !== undefined && seconds <= 0) return failed(request, `${subject}: ${NO_TIME}`, 'engine');
  try {
    const obtained = await within(
      seconds,
      signal,
      async (ending) =>
        await againAfterFaults(async () => await obtain(builder, request, ending), subject, {
          pause,
          signal: ending,
          onLine,
        }),
    );
    if (obtained.kind === 'unavailable') return failed(request, obtained.message, obtained.fault);
    const refused = await refusal(subject, obtained.facts, await builder.session.engine());
    if (refused !== undefined) return failed(request, refused, 'build');
    const { store } = await builder.session.engine();
    const layers = await layersOf(builder, request, obtained, signal);
    return {
      kind: 'ready',
      runnable: toRunnable(request, obtained, { store, layers }),
      interpreter: obtained.python,
    };
  } catch (error) {
    if (error instanceof BuildError) return failed(request, `${subject}: ${error.message}`, 'engine');
    throw error;
  }
}

/** The image by the variant's kind. */
async function obtain(
  { session, interpreters }: Builder,
  request: ImageRequest,
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const { variant } = request;
  switch (variant.kind) {
    case 'interpreter':
      return await interpreters.prepare(variant, request, signal);
    case 'bake':
      return await prepareBake(session, variant, request, signal);
    case 'image':
      return await prepareExisting(variant, request, signal);
    case 'host':
      throw new Error(`${variant.name} is a host variant: it has no image`);
  }
}

/** Sizes of the image's layers; undefined if they cannot be read, because an image can be measured without them. */
async function layersOf(
  { session, sizes }: Builder,
  request: ImageRequest,
  { facts }: Obtained,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  const { variant, side } = request;
  const { store } = await session.engine();
  return await within(
    Math.max(secondsFor(request) ?? SIZE_SECONDS_AT_LEAST, SIZE_SECONDS_AT_LEAST),
    signal,
    async (ending) => await layerSizes(facts.id, store, sizes, ending),
  ).catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error;
    session.onLine(`[${variant.name} ${side}] its size could not be read: ${error.message}`);
    return undefined;
  });
}

const failed = ({ variant, side }: ImageRequest, message: string, fault: Fault): ImageResult => ({
  kind: 'failed',
  failure: { variant: variant.name, side, stage: stageOf(fault, message, side), message },
});

/** The base is not the cause if a registry or a mirror prevented the build of a baseline. */
const stageOf = (fault: Fault, message: string, side: Side): Failure['stage'] =>
  side === 'baseline' && isDownloadFault(message) ? 'engine' : fault;

async function push(session: ImageSession, image: Runnable['image'], commit: string): Promise<string> {
  const { build, configuration } = session.plan;
  if (build.registry === undefined)
    throw new ConfigurationError(
      'There is no registry to push to: set build.registry, such as ghcr.io/organisation/name.',
    );
  const { registry } = build;
  const tag = pushName({ registry, configuration, variant: image.variant, commit });
  // Recorded before the push, because a failed push also leaves the name behind.
  session.names.add(tag);
  return await pushImage(tag, image);
}
