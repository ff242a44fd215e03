import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BuildError } from '../errors/errors.ts';
import { isCompiled } from '../plan/interpreters.ts';
import type { InterpreterVariant } from '../plan/plan.ts';
import { cpuFlags, neededFlags } from '../session/cpu.ts';
import { own } from '../session/record.ts';
import type { Image } from '../session/session.ts';
import { baseImageOf, pinnedDigest } from './base-image.ts';
import { folderOf, interpreterDefinition, interpreterTargetOf, type InterpreterTarget } from './bake.ts';
import type { Fault } from './build-failure.ts';
import type { BuildRequest, BuildResult } from './buildx.ts';
import { definitionHash } from './definition-hash.ts';
import { lastWords, tryDocker } from './docker.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import { interpreterTag, isDigestReference, sessionInterpreterTag } from './names.ts';
import { checkContexts, folderHash } from './paths.ts';
import { digestOf } from './registry.ts';
import { pushImage, pushName } from './store.ts';

/** Labels by which an image says what it stands on, to who pulls it by its digest later. */
export const LABELS = {
  /** `reference@digest` of the base image; a digest that no registry knows is the image's ID. */
  base: 'org.pacegate.base',
  definition: 'org.pacegate.definition',
  interpreter: 'org.pacegate.interpreter',
  /** Set by the Dockerfiles that compile for some processors alone. */
  cpuFlags: 'org.pacegate.cpu-flags',
} as const;

/** An interpreter as it will be built, with everything that makes its layers known. */
export interface Definition {
  readonly variant: InterpreterVariant;
  /** Equal where the interpreter's layers are, as far as its definition decides. */
  readonly hash: string;
  /** What its image is kept under. */
  readonly key: string;
  readonly base: Base | undefined;
}

/** The image that an interpreter stands on. */
interface Base {
  readonly reference: string;
  readonly digest: string;
  /** Whether a registry knows it by this digest, so that a build can name it by it. */
  readonly pinned: boolean;
}

export interface InterpreterImage {
  /** What an application's `FROM python` becomes; undefined: a target linked with the application's. */
  readonly reference: string | undefined;
  readonly record: NonNullable<Image['interpreter']> | undefined;
  /** Seconds that making it took here; 0 where it was there. */
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
  /** Told each name that is made in the engine's store and goes with the session, before it is made. */
  readonly onName: (name: string) => void;
  readonly onLine: (line: string) => void;
}

/** The interpreters of a session: each is had once, for both sides of every variant that is made of it. */
export interface Interpreters {
  /** Looks up the base image and reads the definition. */
  define(variant: InterpreterVariant, signal: AbortSignal): Promise<Definition>;
  obtain(definition: Definition, signal: AbortSignal): Promise<Obtained>;
}

/**
 * An interpreter is compiled once. It is taken, in this order, from this session, the plan's registry and the engine's
 * own images; else it is built, and a nightly puts it into the registry.
 *
 * Two builds of the same source with PGO differ by up to a few per cent, so building it anew for each side, or each
 * night, would read as a regression.
 */
export function createInterpreters(options: InterpretersOptions): Interpreters {
  const { target, sessionId, driver, push, build, onName, onLine } = options;
  const bases = new Map<string, Promise<Base | undefined>>();
  const obtained = new Map<string, Promise<Obtained>>();
  const hashes = new Map<string, Promise<string>>();

  /** What lies in the folders of named contexts is part of the definition: a mirror may move. */
  const contentsOf = async (folders: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
    const contents = new Map<string, string>();
    for (const [name, folder] of Object.entries(folders))
      contents.set(`context ${name}`, await once(hashes, folder, () => folderHash(folder)));
    return Object.fromEntries(contents);
  };

  const baseOf = async (reference: string, signal: AbortSignal): Promise<Base | undefined> => {
    const pinned = pinnedDigest(reference);
    if (pinned !== undefined) return { reference, digest: pinned, pinned: true };
    const looked = await digestOf(reference, signal);
    if (looked.kind === 'found') return { reference, digest: looked.digest, pinned: true };
    const here = await inspectImage(reference);
    if (here === undefined) return undefined;
    onLine(
      `${reference}: its registry does not say which bytes it is today (${looked.reason.replace(/^ERROR: /, '')}); the image of this machine is taken, ${here.id.slice(0, 19)}…`,
    );
    return { reference, digest: here.id, pinned: false };
  };

  const baseAt = async (reference: string, signal: AbortSignal) =>
    await once(bases, reference, () => baseOf(reference, signal));

  /** The images among named contexts, by the digest that their tags stand for today: a tag moves as a base's does. */
  const pinnedContexts = async (contexts: InterpreterVariant['contexts'], signal: AbortSignal) => {
    const found = await Promise.all(
      Object.entries(contexts).map(async ([name, value]) => {
        const reference = value.startsWith(IMAGE_SCHEME) ? value.slice(IMAGE_SCHEME.length) : undefined;
        const image = reference === undefined ? undefined : await baseAt(reference, signal);
        const address = image?.pinned === true ? `${IMAGE_SCHEME}${atDigest(image)}` : value;
        return { name, address, digest: image?.digest };
      }),
    );
    return {
      contexts: Object.fromEntries(found.map(({ name, address }) => [name, address])),
      digests: found.flatMap(({ name, digest }) => (digest === undefined ? [] : [[name, digest] as const])),
    };
  };

  const make = async (definition: Definition, signal: AbortSignal): Promise<Obtained> => {
    const { variant, key } = definition;
    const { registry } = target.build;
    const stored = registry === undefined ? undefined : registryName(registry, definition);
    if (stored !== undefined) {
      const looked = await digestOf(stored, signal);
      if (looked.kind === 'found') {
        const reference = byDigest(stored, looked.digest);
        onLine(`[${variant.name}] its interpreter is ${reference}`);
        return obtainedAs(reference, { key, reference, origin: 'registry' });
      }
    }
    if ((await driver()) !== 'docker') {
      if (stored === undefined || !push) return obtainedAs(undefined, undefined);
      const built = await build(interpreterBuild(definition, stored, 'type=registry'), signal);
      if (built.kind === 'failed') return built;
      const looked = await digestOf(stored, signal);
      if (looked.kind !== 'found')
        return failed(`${variant.name}: ${stored} was pushed and cannot be found: ${looked.reason}.`);
      const reference = byDigest(stored, looked.digest);
      return obtainedAs(reference, { key, reference, origin: 'built' }, built.seconds);
    }
    const tag = interpreterTag(variant.interpreter, key);
    const here = await inspectImage(tag);
    let seconds = 0;
    if (here === undefined) {
      const built = await build(interpreterBuild(definition, tag, 'type=docker'), signal);
      if (built.kind === 'failed') return built;
      seconds = built.seconds;
    } else {
      onLine(`[${variant.name}] its interpreter is on this machine: ${tag}`);
      // Tagged again, so that what is in use does not grow old.
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
  };

  const interpreterBuild = ({ variant, base }: Definition, tag: string, output: string) => ({
    variant: variant.name,
    definition: interpreterDefinition({ ...target, variant }, tag, output, labelsOf({ base })),
    target: interpreterTargetOf(variant.name),
  });

  return {
    async define(variant, signal) {
      const folder = folderOf(variant);
      const files = {
        ...(await textsOf(target.variantsFolder, [folder, 'promises'])),
        ...(await contentsOf(await checkContexts(variant, target.root))),
      };
      const processor = variant.march === undefined ? {} : await processorArguments(variant.march);
      const args = { ...variant.args, ...processor };
      const hash = definitionHash({ variant: { ...variant, args }, files });
      const reference = baseImageOf(own(files, join(folder, 'Dockerfile')) ?? '', args);
      const base = reference === undefined ? undefined : await baseAt(reference, signal);
      // By its digest: both sides stand on the same bytes, whenever they are built.
      const pinned = base?.pinned === true ? { BASE_IMAGE: atDigest(base) } : {};
      const { contexts, digests } = await pinnedContexts(variant.contexts, signal);
      return {
        variant: { ...variant, args: { ...args, ...pinned }, contexts },
        hash,
        key: keyOf(variant, { hash, base, contexts: digests }),
        base,
      };
    },

    obtain: async (definition, signal) =>
      await once(
        obtained,
        definition.key,
        () =>
          make(definition, signal).catch((error: unknown) => {
            if (error instanceof BuildError)
              return failed(`${definition.variant.name}: ${error.message}`, 'engine');
            throw error;
          }),
        (given) => given.kind === 'obtained' || given.fault !== 'engine',
      ),
  };
}

/**
 * What is compiled stays as it was compiled while its definition does: a base that moved is no reason to compile for
 * half an hour. The others are made anew with their base. An image among the named contexts is what is compiled itself,
 * so one that moved is another interpreter.
 */
function keyOf(
  { interpreter }: InterpreterVariant,
  {
    hash,
    base,
    contexts,
  }: {
    readonly hash: string;
    readonly base: Base | undefined;
    /** Name and digest of each context that is an image. */
    readonly contexts: readonly (readonly [string, string])[];
  },
): string {
  const parts = [
    ...[hash, process.arch, isCompiled(interpreter) ? '' : (base?.digest ?? '')],
    // Keys of interpreters without such a context stay as they were: compiling anew takes half an hour.
    ...(contexts.length === 0 ? [] : [[...contexts].sort(([a], [b]) => (a < b ? -1 : 1))]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}

/** Inherited by every image that is made of it. */
export const labelsOf = ({ base }: Pick<Definition, 'base'>): Record<string, string> =>
  base === undefined ? {} : { [LABELS.base]: atDigest(base) };

/** What a later session that pulls the image by its digest must know of it. */
export function applicationLabels(
  { hash, base }: Definition,
  interpreter: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...labelsOf({ base }),
    [LABELS.definition]: hash,
    ...(interpreter !== undefined && isDigestReference(interpreter)
      ? { [LABELS.interpreter]: interpreter }
      : {}),
  };
}

/**
 * The interpreter of the other side, which was pulled: where the definitions are equal the head is built upon the very
 * same, although the tag underneath may have moved since. Else a night's work would be compared with today's.
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

/** Arguments of the Dockerfiles that compile for some processors alone. */
async function processorArguments(march: string): Promise<Record<string, string>> {
  const needed = neededFlags(march, await processorFlags()).join(' ');
  return march === 'native' ? { CPU_FLAGS: needed } : { MARCH: march, CPU_FLAGS: needed };
}

/** What this machine's processor can do: the engine is taken to be on it. */
export const processorFlags = async (): Promise<readonly string[]> =>
  cpuFlags(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));

/** The flags that an image was compiled for; undefined where it does not say. */
export function flagsOf({ labels }: Pick<ImageFacts, 'labels'>): readonly string[] | undefined {
  const flags = labels[LABELS.cpuFlags]?.split(' ').filter((flag) => flag !== '');
  return flags === undefined || flags.length === 0 ? undefined : flags;
}

/** The base image as an image's label has it. */
export function baseIn({ labels }: Pick<ImageFacts, 'labels'>): Image['base'] {
  const [, reference, digest] = /^(.+)@(sha256:[0-9a-f]{64})$/.exec(labels[LABELS.base] ?? '') ?? [];
  return reference === undefined || digest === undefined ? undefined : { reference, digest };
}

/** The files of folders of `variants/`, path to text. They are Pacegate's own and small. */
async function textsOf(top: string, folders: readonly string[]): Promise<Record<string, string>> {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    const entries = await readdir(join(top, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((found) => found.isFile())) {
      const path = join(entry.parentPath, entry.name);
      texts.set(relative(top, path), await readFile(path, 'utf8'));
    }
  }
  return Object.fromEntries(texts);
}

/**
 * The answer to the first question, for all that ask the same.
 * @param isKept whether an answer is one to keep; an error is none, for an engine that is away comes back
 */
function once<Answer>(
  answers: Map<string, Promise<Answer>>,
  key: string,
  ask: () => Promise<Answer>,
  isKept: (answer: Answer) => boolean = () => true,
): Promise<Answer> {
  const answer = answers.get(key) ?? ask();
  answers.set(key, answer);
  const forget = () => {
    if (answers.get(key) === answer) answers.delete(key);
  };
  answer.then((given) => {
    if (!isKept(given)) forget();
  }, forget);
  return answer;
}

/** How a named context says that it is an image. */
const IMAGE_SCHEME = 'docker-image://';

const atDigest = ({ reference, digest }: Base) => `${reference.replace(/@.*$/, '')}@${digest}`;
const byDigest = (name: string, digest: string) => `${name.replace(/:[^:/]*$/, '')}@${digest}`;

const failed = (message: string, fault: Fault = 'build'): Obtained => ({ kind: 'failed', message, fault });
const obtainedAs = (
  reference: string | undefined,
  record: InterpreterImage['record'],
  seconds = 0,
): Obtained => ({ kind: 'obtained', reference, record, seconds });
