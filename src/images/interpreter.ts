import { createInterpreterDefiner, type Definition } from './interpreter-definition.ts';
import { BuildError } from '../errors/errors.ts';
import type { InterpreterVariant } from '../plan/plan.ts';
import type { Image } from '../session/session.ts';
import { interpreterDefinition, type InterpreterTarget, interpreterTargetOf } from './bake.ts';
import type { Fault } from './build-failure.ts';
import type { BuildRequest, BuildResult } from './buildx.ts';
import { lastWords, tryDocker } from './docker.ts';
import { type ImageFacts, inspectImage } from './inspect.ts';
import { interpreterTag, isDigestReference, sessionInterpreterTag } from './names.ts';
import { digestOf } from './registry.ts';
import { pushImage, pushName } from './store.ts';
import { once } from './once.ts';
import { LABELS, labelsOf } from './interpreter-labels.ts';

export interface InterpreterImage {
  /** The replacement of an application's `FROM python`; undefined: a target linked with the application's. */
  readonly reference: string | undefined;
  readonly record: NonNullable<Image['interpreter']> | undefined;
  /** Seconds that its build took here; 0 if it existed. */
  readonly seconds: number;
}

export type Obtained =
  | ({ readonly kind: 'obtained' } & InterpreterImage)
  | { readonly kind: 'failed'; readonly message: string; readonly fault: Fault };

export interface InterpretersOptions {
  readonly target: Omit<InterpreterTarget, 'variant' | 'cacheFrom'>;
  readonly sessionId: string;
  /** The current builder's driver: `docker` builds upon the engine's own images, others do not see them. */
  readonly driver: () => Promise<string>;
  /** Whether what is compiled here is put into the plan's registry: a nightly's task. */
  readonly push: boolean;
  /** Builds with one `docker buildx bake`. */
  readonly build: (
    request: Pick<BuildRequest, 'definition' | 'target' | 'variant'>,
    signal: AbortSignal,
  ) => Promise<BuildResult>;
  /** Called with each name in the engine's store that the session must remove, before the name is created. */
  readonly onName: (name: string) => void;
  readonly onLine: (line: string) => void;
}

/** The interpreters of a session: each is built or pulled once, for both sides of every variant that uses it. */
export interface Interpreters {
  /** Looks up the base image and reads the definition. */
  define(variant: InterpreterVariant, signal: AbortSignal): Promise<Definition>;
  obtain(definition: Definition, signal: AbortSignal): Promise<Obtained>;
}

/**
 * An interpreter is compiled once. It comes, in this order, from this session, the plan's registry and the engine's
 * images; otherwise it is built, and a nightly pushes it to the registry. Two builds of the same source with PGO differ
 * by up to a few per cent, so a new build for each side, or each night, would look like a regression.
 */
export function createInterpreters(options: InterpretersOptions): Interpreters {
  const obtained = new Map<string, Promise<Obtained>>();
  return {
    define: createInterpreterDefiner(options.target, options.onLine),
    obtain: async (definition, signal) =>
      await once(
        obtained,
        definition.key,
        () =>
          make(definition, options, signal).catch((error: unknown) => {
            if (error instanceof BuildError)
              return failed(`${definition.variant.name}: ${error.message}`, 'engine');
            throw error;
          }),
        (given) => given.kind === 'obtained' || given.fault !== 'engine',
      ),
  };
}

/** Takes an interpreter from where there is one, else builds it. */
async function make(
  definition: Definition,
  options: InterpretersOptions,
  signal: AbortSignal,
): Promise<Obtained> {
  const { target, driver, onLine } = options;
  const { variant } = definition;
  const { registry } = target.build;
  const stored = registry === undefined ? undefined : registryName(registry, definition);
  const found = stored === undefined ? undefined : await inRegistry(stored, definition, 'registry', signal);
  if (found?.kind === 'obtained') {
    onLine(`[${variant.name}] its interpreter is ${found.reference ?? ''}`);
    return found;
  }
  return (await driver()) === 'docker'
    ? await madeInEngine(definition, stored, options, signal)
    : await madeElsewhere(definition, stored, options, signal);
}

/** A builder that does not see the engine's images: the interpreter goes by way of the registry, or is built with each application. */
async function madeElsewhere(
  definition: Definition,
  stored: string | undefined,
  { target, push, build }: InterpretersOptions,
  signal: AbortSignal,
): Promise<Obtained> {
  if (stored === undefined || !push) return obtainedAs(undefined, undefined);
  const built = await build(interpreterBuild(definition, target, stored, 'type=registry'), signal);
  if (built.kind === 'failed') return built;
  const found = await inRegistry(stored, definition, 'built', signal, built.seconds);
  return found.kind === 'obtained'
    ? found
    : failed(`${definition.variant.name}: ${stored} was pushed and cannot be found: ${found.reason}.`);
}

/** Built by the engine's own builder, where the engine has none yet, and named for as long as the session needs it. */
async function madeInEngine(
  definition: Definition,
  stored: string | undefined,
  { target, sessionId, push, build, onName, onLine }: InterpretersOptions,
  signal: AbortSignal,
): Promise<Obtained> {
  const { variant, key } = definition;
  const tag = interpreterTag(variant.interpreter, key);
  const here = await inspectImage(tag);
  let seconds = 0;
  if (here === undefined) {
    const built = await build(interpreterBuild(definition, target, tag, 'type=docker'), signal);
    if (built.kind === 'failed') return built;
    seconds = built.seconds;
  } else {
    onLine(`[${variant.name}] its interpreter is on this machine: ${tag}`);
    // Tagged again, so that the clean-up does not remove an interpreter in use.
    await tryDocker(['tag', here.id, tag]);
  }
  const image = here ?? (await inspectImage(tag));
  if (image === undefined)
    return failed(`${variant.name}: the interpreter was built, and the engine does not have it as ${tag}.`);
  const origin = here === undefined ? 'built' : 'engine';
  if (stored === undefined || !push) {
    const kept = sessionInterpreterTag(key, sessionId);
    onName(kept);
    const tagged = await tryDocker(['tag', image.id, kept]);
    return tagged.status === 0
      ? obtainedAs(kept, { key, reference: image.id, origin }, seconds)
      : failed(`${variant.name}: the engine did not tag its interpreter as ${kept}: ${lastWords(tagged)}.`);
  }
  onName(stored);
  const reference = await pushImage(stored, { variant: variant.name, id: image.id });
  onLine(`[${variant.name}] pushed its interpreter as ${reference}`);
  return obtainedAs(reference, { key, reference, origin }, seconds);
}

/** What the registry has under a name. */
async function inRegistry(
  stored: string,
  { key }: Definition,
  origin: 'registry' | 'built',
  signal: AbortSignal,
  seconds = 0,
): Promise<Extract<Obtained, { kind: 'obtained' }> | { readonly kind: 'none'; readonly reason: string }> {
  const looked = await digestOf(stored, signal);
  if (looked.kind !== 'found') return { kind: 'none', reason: looked.reason };
  const reference = byDigest(stored, looked.digest);
  return obtainedAs(reference, { key, reference, origin }, seconds);
}

const interpreterBuild = (
  { variant, base }: Definition,
  target: InterpretersOptions['target'],
  tag: string,
  output: string,
) => ({
  variant: variant.name,
  definition: interpreterDefinition({ ...target, variant }, tag, output, labelsOf({ base })),
  target: interpreterTargetOf(variant.name),
});

/**
 * The interpreter of the pulled baseline. If the definitions are equal, the head is built on the same interpreter,
 * although the base's tag may have moved since. Otherwise the gate would compare two interpreters.
 */
export function interpreterOfPulled(
  { hash, key }: Definition,
  other: ImageFacts | undefined,
): Extract<Obtained, { kind: 'obtained' }> | undefined {
  const reference = other?.labels[LABELS.interpreter];
  if (reference === undefined || other?.labels[LABELS.definition] !== hash || !isDigestReference(reference))
    return undefined;
  return { kind: 'obtained', reference, record: { key, reference, origin: 'registry' }, seconds: 0 };
}

const registryName = (registry: string, { variant, key }: Definition) =>
  pushName({ registry, variant: `interpreter-${variant.interpreter}`, commit: key });

const byDigest = (name: string, digest: string) => `${name.replace(/:[^:/]*$/, '')}@${digest}`;

const failed = (message: string, fault: Fault = 'build'): Obtained => ({ kind: 'failed', message, fault });

const obtainedAs = (
  reference: string | undefined,
  record: InterpreterImage['record'],
  seconds = 0,
): Extract<Obtained, { kind: 'obtained' }> => ({ kind: 'obtained', reference, record, seconds });
