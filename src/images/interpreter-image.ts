import { join } from 'node:path';
import type { InterpreterVariant } from '../plan/plan.ts';
import { within } from '../process/deadline.ts';
import { findApplication, type Application } from './application.ts';
import { bakeDefinition, targetsOf, type ApplicationFiles } from './bake.ts';
import type { ColdBuild } from './cold-build.ts';
import { coldImage, type ColdImageRequest } from './cold-image.ts';
import type { ImageRequest } from './image-request.ts';
import type { ImageSession } from './image-session.ts';
import {
  createInterpreters,
  interpreterOfPulled,
  type InterpreterImage,
  type Interpreters,
} from './interpreter.ts';
import type { Definition } from './interpreter-definition.ts';
import { applicationLabels, labelsOf } from './interpreter-labels.ts';
import { askInterpreter, type PythonAnswer } from './interpreter-python.ts';
import { imageTag, interpreterTag } from './names.ts';
import type { ImageFacts } from './inspect.ts';
import { unavailable, type Obtained, type ObtainedImage } from './obtained-image.ts';
import { buildAlone, buildAndInspect, buildRequest, pullKnown } from './session-build.ts';
import { ASKING_SECONDS, NO_TIME, secondsFor } from './time-limits.ts';
import { isBasedOn, withoutInterpreter } from './wrong-base.ts';

/** Images of variants of kind `interpreter`: an interpreter of `variants/`, with the application upon it. */
export interface InterpreterImages {
  /** Builds one side, or pulls it by its known digest. */
  prepare(variant: InterpreterVariant, request: ImageRequest, signal: AbortSignal): Promise<ObtainedImage>;
  /** Builds one side once more, alone and with no step from a cache. */
  coldBuild(variant: InterpreterVariant, request: ImageRequest, signal: AbortSignal): Promise<ColdBuild>;
}

/** Shared state of a session's interpreter images. */
interface Shared {
  readonly session: ImageSession;
  readonly interpreters: Interpreters;
  /** Keys of the interpreters whose build time is already counted for an image. */
  readonly counted: Set<string>;
  /** An interpreter's image, or its key -> which Python it is by itself. */
  readonly pythons: Map<string, Promise<PythonAnswer>>;
}

export function interpreterImages(session: ImageSession, push: boolean): InterpreterImages {
  const shared: Shared = {
    session,
    interpreters: createInterpreters({
      target: session.target,
      sessionId: session.sessionId,
      driver: async () => (await session.engine()).driver,
      push,
      build: (request, signal) => buildAlone(session, request, signal),
      onName: (name) => session.names.add(name),
      onLine: session.onLine,
    }),
    counted: new Set(),
    pythons: new Map(),
  };
  return {
    prepare: (variant, request, signal) => prepare(shared, variant, request, signal),
    coldBuild: (variant, request, signal) => buildCold(shared, variant, request, signal),
  };
}

async function prepare(
  shared: Shared,
  variant: InterpreterVariant,
  request: ImageRequest,
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const { session, interpreters } = shared;
  const subject = `${variant.name} (${request.side})`;
  const application = await applicationOf(session, request);
  if (application.kind === 'unusable') return unavailable(`${subject}: ${application.reason}.`);
  const definition = await interpreters.define(variant, signal);
  const ready = await pullOfInterpreter(shared, definition, request, signal);
  if (ready !== undefined) return ready;
  const other = session.pulled.get(variant.name)?.facts;
  const interpreter =
    interpreterOfPulled(definition, other) ?? (await interpreters.obtain(definition, signal));
  if (interpreter.kind === 'failed') return unavailable(interpreter.message, interpreter.fault);
  const { reference, record } = interpreter;
  const built = await buildUpon(session, { definition, reference, application, request }, signal);
  if (built.kind === 'unavailable') return built;
  const elsewhere = await withoutInterpreter(reference, built.facts, application.dockerfile, signal);
  if (elsewhere !== undefined) return unavailable(`${subject}: ${elsewhere}`);
  return {
    ...built,
    seconds: (built.seconds ?? 0) + secondsOnce(shared, definition, interpreter),
    interpreter: record,
    python: (ending) => pythonOf(shared, definition, reference, ending),
  };
}

/**
 * Pulls the image with the known digest. It must be built on the interpreter that its labels name, and its Python is
 * checked like that of an image built here.
 */
async function pullOfInterpreter(
  shared: Shared,
  definition: Definition,
  request: ImageRequest,
  signal: AbortSignal,
): Promise<Obtained | undefined> {
  const interpreterOf = (facts: ImageFacts) => interpreterOfPulled(definition, facts)?.reference;
  const image = await pullKnown(shared.session, request, definition.hash, signal, async (facts) => {
    const reference = interpreterOf(facts);
    if (reference === undefined) return "its labels do not name this variant's interpreter";
    return (await isBasedOn(reference, facts, signal))
      ? undefined
      : `it is not based on ${reference}, which its labels name as its interpreter`;
  });
  return image === undefined
    ? undefined
    : { ...image, python: (ending) => pythonOf(shared, definition, interpreterOf(image.facts), ending) };
}

/** Both sides share an interpreter; its minutes count for the first side. */
function secondsOnce({ counted }: Shared, { key }: Definition, { seconds }: InterpreterImage): number {
  if (counted.has(key)) return 0;
  counted.add(key);
  return seconds;
}

/** Builds the application's image upon the interpreter. */
async function buildUpon(
  session: ImageSession,
  {
    definition,
    reference,
    application,
    request: { variant, side },
  }: {
    readonly definition: Definition;
    /** The interpreter's image; undefined: a target linked with the application's. */
    readonly reference: string | undefined;
    readonly application: ApplicationFiles;
    readonly request: ImageRequest;
  },
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const other = session.pulled.get(variant.name);
  const targets = targetsOf(variant.name, side);
  const bake = bakeDefinition({
    ...session.target,
    variant: definition.variant,
    side,
    sessionId: session.sessionId,
    application,
    interpreterImage: reference,
    labels: applicationLabels(definition, reference),
    cacheFrom: other === undefined ? [] : [`type=registry,ref=${other.reference}`],
  });
  return await buildAndInspect(
    session,
    {
      ...(await buildRequest(session, variant, side)),
      definition: bake,
      target: targets.application,
      interpreterTarget: reference === undefined ? undefined : targets.interpreter,
      directory: session.plan.root,
    },
    definition.hash,
    signal,
  );
}

/** The Python of an interpreter alone, read once for both sides. */
function pythonOf(
  { session, pythons }: Shared,
  { key, variant }: Definition,
  interpreterImage: string | undefined,
  signal: AbortSignal,
): Promise<PythonAnswer> {
  // Two compilations of one definition differ.
  const which = interpreterImage ?? key;
  const asked =
    pythons.get(which) ??
    within(ASKING_SECONDS, signal, async (ending) =>
      askInterpreter(
        {
          target: { ...session.target, variant },
          interpreterImage,
          script: session.facts,
          workFolder: await session.folder(),
          build: (request, end) => buildAlone(session, request, end),
        },
        ending,
      ),
    );
  pythons.set(which, asked);
  return asked;
}

async function applicationOf(
  { plan: { workload }, target, folder }: ImageSession,
  { variant, side, tree, own = workload }: ImageRequest,
): Promise<Application> {
  return await findApplication({
    tree,
    workload: {
      ...workload,
      dockerfile: own.dockerfile,
      interpreterFrom: own.interpreterFrom,
      install: own.install,
    },
    variantsFolder: target.variantsFolder,
    folder: join(await folder(), 'application', imageTag(variant.name, side, 'x').replace(':', '-')),
  });
}

async function buildCold(
  { session, interpreters }: Shared,
  variant: InterpreterVariant,
  request: ImageRequest,
  signal: AbortSignal,
): Promise<ColdBuild> {
  const { side } = request;
  const subject = `${variant.name} (${side})`;
  const seconds = secondsFor(request);
  if (seconds !== undefined && seconds <= 0)
    return { kind: 'failed', message: `${subject}, cold build: ${NO_TIME}` };
  const application = await applicationOf(session, request);
  if (application.kind === 'unusable')
    return { kind: 'failed', message: `${subject}: ${application.reason}.` };
  const definition = await interpreters.define(variant, signal);
  const cold: ColdImageRequest = {
    target: { ...session.target, variant: definition.variant },
    labels: labelsOf(definition),
    keepAs: interpreterTag(variant.interpreter, definition.key),
    side,
    sessionId: session.sessionId,
    application,
    driver: (await session.engine()).driver,
    request: await buildRequest(session, variant, side),
    onName: (name) => session.names.add(name),
  };
  return await within(seconds, signal, async (ending) => await coldImage(cold, ending));
}
