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

/** The definition of an interpreter, with everything that decides its layers. */
export interface Definition {
  readonly variant: InterpreterVariant;
  /** Equal for interpreters with equal definitions. */
  readonly hash: string;
  /** The key under which its image is kept. */
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
export function createInterpreterDefiner(
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
    // By its digest, so that both sides use the same base at any time.
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

/** The content of named contexts' folders is part of the definition, because a mirror may change. */
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
    `${reference}: its registry did not report its current digest (${looked.reason.replace(/^ERROR: /, '')}); this machine's image is used, ${here.id.slice(0, 19)}…`,
  );
  return { reference, digest: here.id, pinned: false };
}

/** The images among the named contexts, by the digest of their tags today, because tags move. */
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
 * A compiled interpreter is kept while its definition is unchanged: a moved base is no reason to compile for half an
 * hour. The others are built again when their base changes. A named context that is an image is part of the
 * interpreter, so a moved one gives another interpreter.
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
    // Keys of interpreters without such a context do not change, because compiling again takes half an hour.
    ...(contexts.length === 0 ? [] : [[...contexts].sort(([a], [b]) => (a < b ? -1 : 1))]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}

/** Arguments of the Dockerfiles that compile for some processors alone. */
export async function processorArguments(march: string): Promise<Record<string, string>> {
  const needed = neededFlags(march, await processorFlags()).join(' ');
  return march === 'native' ? { CPU_FLAGS: needed } : { MARCH: march, CPU_FLAGS: needed };
}

/** The flags of this machine's processor; the engine is assumed to run on it. */
export const processorFlags = async (): Promise<readonly string[]> =>
  cpuFlags(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));

/** The files of folders of `variants/`, path to text. */
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

/** The prefix of a named context that is an image. */
export const IMAGE_SCHEME = 'docker-image://';

export const atDigest = ({ reference, digest }: Base) => `${reference.replace(/@.*$/, '')}@${digest}`;
