import { folderOf, type InterpreterTarget } from './bake.ts';
import { baseImageOf, pinnedDigest } from './base-image.ts';
import { definitionHash } from './definition-hash.ts';
import { inspectImage } from './inspect.ts';
import { once } from './once.ts';
import { checkContexts, folderHash } from './paths.ts';
import { digestOf } from './registry.ts';
import { own } from '../session/record.ts';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isCompiled } from '../plan/interpreters.ts';
import type { InterpreterVariant } from '../plan/plan.ts';
import { cpuFlags, neededFlags } from '../session/cpu.ts';

/** What an interpreter is made of: its files, its base and its named contexts, and the key that its image is kept under. */

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
export interface Base {
  readonly reference: string;
  readonly digest: string;
  /** Whether a registry knows it by this digest, so that a build can name it by it. */
  readonly pinned: boolean;
}

/** Defines interpreters: a base is looked up once, and the folder of a named context is read once. */
export function definer(
  target: Omit<InterpreterTarget, 'variant' | 'cacheFrom'>,
  onLine: (line: string) => void,
): (variant: InterpreterVariant, signal: AbortSignal) => Promise<Definition> {
  const bases = new Map<string, Promise<Base | undefined>>();
  const hashes = new Map<string, Promise<string>>();
  const baseAt: BaseLookup = async (reference, signal) =>
    await once(bases, reference, () => baseOf(reference, onLine, signal));
  return async (variant, signal) => {
    const folder = folderOf(variant);
    const files = {
      ...(await textsOf(target.variantsFolder, [folder, 'promises'])),
      ...(await contentsOf(await checkContexts(variant, target.root), hashes)),
    };
    const processor = variant.march === undefined ? {} : await processorArguments(variant.march);
    const args = { ...variant.args, ...processor };
    const hash = definitionHash({ variant: { ...variant, args }, files });
    const reference = baseImageOf(own(files, join(folder, 'Dockerfile')) ?? '', args);
    const base = reference === undefined ? undefined : await baseAt(reference, signal);
    // By its digest: both sides stand on the same bytes, whenever they are built.
    const pinned = base?.pinned === true ? { BASE_IMAGE: atDigest(base) } : {};
    const { contexts, digests } = await pinnedContexts(variant.contexts, baseAt, signal);
    return {
      variant: { ...variant, args: { ...args, ...pinned }, contexts },
      hash,
      key: keyOf(variant, { hash, base, contexts: digests }),
      base,
    };
  };
}

type BaseLookup = (reference: string, signal: AbortSignal) => Promise<Base | undefined>;

/** What lies in the folders of named contexts is part of the definition: a mirror may move. */
async function contentsOf(
  folders: Readonly<Record<string, string>>,
  hashes: Map<string, Promise<string>>,
): Promise<Record<string, string>> {
  const contents = new Map<string, string>();
  for (const [name, folder] of Object.entries(folders))
    contents.set(`context ${name}`, await once(hashes, folder, () => folderHash(folder)));
  return Object.fromEntries(contents);
}

async function baseOf(
  reference: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<Base | undefined> {
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
}

/** The images among named contexts, by the digest that their tags stand for today: a tag moves as a base's does. */
async function pinnedContexts(
  contexts: InterpreterVariant['contexts'],
  baseAt: BaseLookup,
  signal: AbortSignal,
) {
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
}

/**
 * What is compiled stays as it was compiled while its definition does: a base that moved is no reason to compile for
 * half an hour. The others are made anew with their base. An image among the named contexts is what is compiled itself,
 * so one that moved is another interpreter.
 */
export function keyOf(
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

/** Arguments of the Dockerfiles that compile for some processors alone. */
export async function processorArguments(march: string): Promise<Record<string, string>> {
  const needed = neededFlags(march, await processorFlags()).join(' ');
  return march === 'native' ? { CPU_FLAGS: needed } : { MARCH: march, CPU_FLAGS: needed };
}

/** What this machine's processor can do: the engine is taken to be on it. */
export const processorFlags = async (): Promise<readonly string[]> =>
  cpuFlags(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));

/** The files of folders of `variants/`, path to text. They are Pacegate's own and small. */
export async function textsOf(top: string, folders: readonly string[]): Promise<Record<string, string>> {
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

/** How a named context says that it is an image. */
export const IMAGE_SCHEME = 'docker-image://';

export const atDigest = ({ reference, digest }: Base) => `${reference.replace(/@.*$/, '')}@${digest}`;
