import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigurationError } from '../errors/errors.ts';
import { isAddress } from '../plan/moving-contexts.ts';
import type { BuildOptions, InterpreterVariant } from '../plan/plan.ts';

/**
 * Paths of this machine that a build reads. A path inside the checkout may be a committed link and must not lead out of
 * it; maintainers may name an absolute path elsewhere.
 */

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith('../'));
};

/**
 * Resolves a path of the configuration. @param what the key of the path, for messages @returns undefined if nothing
 * exists there @throws ConfigurationError if a path inside the checkout leads out of it
 */
export async function insideCheckout(root: string, path: string, what: string): Promise<string | undefined> {
  const named = isAbsolute(path) ? path : join(root, path);
  const real = await realpath(named).catch(() => undefined);
  // A folder that does not exist yet is resolved by its parents.
  const reached = real ?? (await nearest(named));
  const own = !isAbsolute(path) || isWithin(root, named);
  if (own && !isWithin(await realpath(root), reached))
    throw new ConfigurationError(
      `${what} is ${JSON.stringify(path)}, which is outside the checkout (at ${reached}). Name a path inside the checkout, or on the base branch an absolute one.`,
    );
  return real;
}

async function nearest(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  return await realpath(parent).catch(() => nearest(parent));
}

/** @throws ConfigurationError for a context that is no folder, or leads out of the checkout */
export async function checkContexts(
  { name, contexts }: Pick<InterpreterVariant, 'name' | 'contexts'>,
  root: string,
): Promise<Readonly<Record<string, string>>> {
  const folders = new Map<string, string>();
  for (const [key, value] of Object.entries(contexts)) {
    if (isAddress(value)) continue;
    const what = `variants.${name}.contexts.${key}`;
    const real = await insideCheckout(root, value, what);
    if (real === undefined || !(await stat(real)).isDirectory())
      throw new ConfigurationError(
        `${what} is ${JSON.stringify(value)}, but there is no such folder. Name a folder inside the checkout, or an address: docker-image://…, https://….`,
      );
    folders.set(key, real);
  }
  return Object.fromEntries(folders);
}

/** @throws ConfigurationError for a secret, an authority or a local cache that a link leads out of the checkout */
export async function checkBuildPaths(build: BuildOptions, root: string): Promise<void> {
  const named = [
    ...(build.ca === undefined ? [] : [['build.ca', build.ca] as const]),
    ...build.secrets.flatMap((entry) => pathsIn(entry).map((path) => ['build.secrets', path] as const)),
    ...build.cacheFrom.flatMap((entry) => pathsIn(entry).map((path) => ['build.cache-from', path] as const)),
    ...build.cacheTo.flatMap((entry) => pathsIn(entry).map((path) => ['build.cache-to', path] as const)),
  ];
  for (const [what, path] of named) await insideCheckout(root, path, what);
}

/** The paths of a specification of buildx: `id=x,src=path`, `type=local,dest=path`. */
export const pathsIn = (specification: string): readonly string[] =>
  [...specification.matchAll(/(?:^|,)\s*"?(?:src|source|dest)=([^",]*)/gi)].map(([, path = '']) => path);

/**
 * A hash of a folder: names, modes and bytes of its files, and the targets of its links. BuildKit copies links as
 * links.
 */
export async function folderHash(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { entry, path } of paths) {
    const name = relative(folder, path);
    if (entry.isSymbolicLink()) hash.update(JSON.stringify(['link', name, await readlink(path)]));
    else if (entry.isFile()) {
      const file = createHash('sha256');
      await pipeline(createReadStream(path), file);
      hash.update(JSON.stringify([name, (await stat(path)).mode & 0o111, file.digest('hex')]));
    }
  }
  return `sha256:${hash.digest('hex')}`;
}
