import { isCompiled } from './interpreters.ts';
import { doubtfulMetrics } from './metrics.ts';
import type { Plan } from './plan.ts';

/** Warnings about a valid plan that is probably not intended: sentences for the log and the report. */
export const planWarnings = (plan: Plan): readonly string[] => [
  ...doubtfulMetrics(plan),
  ...buildWarnings(plan),
];

/** The warnings about builds. */
export const buildWarnings = (plan: Plan): readonly string[] => [
  ...cacheWarnings(plan),
  ...compileWarnings(plan),
];

/** The placeholder for the variant's name in a cache specification. */
export const CACHE_PLACEHOLDER = '{variant}';

/** Types in which a later writer replaces what an earlier one wrote to the same place. */
const OVERWRITTEN = /^(?:type=)?(registry|local|s3|azblob)\b|^[^=,]+$/;

/** Sentences on a cache in which variants overwrite each other's layers. */
export function cacheWarnings({ build, variants }: Plan): string[] {
  const built = variants.filter(({ kind }) => kind === 'interpreter' || kind === 'bake');
  if (built.length < 2) return [];
  return build.cacheTo
    .filter((entry) => OVERWRITTEN.test(entry) && !entry.includes(CACHE_PLACEHOLDER))
    .map(
      (entry) =>
        `cache-to ${JSON.stringify(entry)}: ${built.length} variants write to this one place, and only the last one is kept. Put ${CACHE_PLACEHOLDER} into it (a tag, a folder or a name), in cache-from too.`,
    );
}

/** CPython 3.13.5 on two cores; benchmarks/talk/RESULT.md has the processor time of each. */
const COMPILE_MINUTES = {
  pyenv: '3 to 4 minutes',
  'pyenv-optimized': '27 minutes (PGO and LTO)',
  'pyenv-native': '27 minutes (PGO and LTO)',
  'pyenv-bolt': 'about 30 minutes (PGO, LTO and BOLT)',
} as const;

/** Sentences on compiled interpreters that no cache or registry keeps. */
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
