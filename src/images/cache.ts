import { isGitHubCache } from '../plan/github-cache.ts';
import { isCompiled } from '../plan/interpreters.ts';
import type { Plan } from '../plan/plan.ts';
import { repositoryComponent } from './names.ts';

/** Where a user's cache specification stands for the variant's name. */
const PLACEHOLDER = '{variant}';

/** Types whose later writer replaces what an earlier one wrote to the same place. */
const OVERWRITTEN = /^(?:type=)?(registry|local|s3|azblob)\b|^[^=,]+$/;

/**
 * One variant's entry for `cache-from` or `cache-to`.
 *
 * `{variant}` in it is the variant's name, in whatever type. GitHub's cache (`type=gha`) is one store with
 * scopes, and a second writer of a scope replaces the first: each variant gets its own, under the user's
 * scope or `pacegate`. Everything else is passed on as it was said.
 */
export function cacheEntry(entry: string, variant: string): string {
  const name = repositoryComponent(variant);
  if (entry.includes(PLACEHOLDER)) return entry.replaceAll(PLACEHOLDER, name);
  const fields = entry.split(',');
  if (!isGitHubCache(entry)) return entry;
  if (!fields.some((field) => field.startsWith('scope='))) return `${entry},scope=pacegate-${name}`;
  return fields.map((field) => (field.startsWith('scope=') ? `${field}-${name}` : field)).join(',');
}

/** Sentences on a cache that does not do what was surely meant: variants that overwrite each other's. */
export function cacheWarnings({ build, variants }: Plan): string[] {
  const built = variants.filter(({ kind }) => kind === 'interpreter' || kind === 'bake');
  if (built.length < 2) return [];
  return build.cacheTo
    .filter((entry) => OVERWRITTEN.test(entry) && !entry.includes(PLACEHOLDER))
    .map(
      (entry) =>
        `cache-to ${JSON.stringify(entry)}: ${built.length} variants write to this one place and the last one stays. Put ${PLACEHOLDER} into it (a tag, a folder or a name), in cache-from too.`,
    );
}

/** CPython 3.13.5 on two cores; benchmarks/talk/RESULT.md has the processor time of each. */
const COMPILE_MINUTES = {
  pyenv: '3 to 4 minutes',
  'pyenv-optimized': '27 minutes (PGO and LTO)',
  'pyenv-native': '27 minutes (PGO and LTO)',
  'pyenv-bolt': 'about 30 minutes (PGO, LTO and BOLT)',
} as const;

/** Sentences on interpreters that must be compiled with neither cache nor registry to keep them. */
export function compileWarnings({ build, variants }: Plan): string[] {
  if (build.cacheFrom.length > 0 || build.registry !== undefined) return [];
  const compiled = variants.flatMap((variant) =>
    variant.kind === 'interpreter' && isCompiled(variant.interpreter) ? [variant] : [],
  );
  if (compiled.length === 0) return [];
  const minutes = Object.entries(COMPILE_MINUTES).flatMap(([interpreter, words]) => {
    const names = compiled.filter((variant) => variant.interpreter === interpreter).map(({ name }) => name);
    return names.length === 0 ? [] : [`${names.join(', ')} ${words}`];
  });
  return [
    `Compiling takes, on two cores, ${minutes.join('; ')}: on every machine that has not built it before. Set build.registry, or build.cache-from and build.cache-to (such as type=gha,mode=max), to pay for it once.`,
  ];
}
