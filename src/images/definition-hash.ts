import { createHash } from 'node:crypto';
import type { Variant } from '../plan/plan.ts';

/** The definition of a variant's interpreter, without the application. */
export interface VariantDefinition {
  readonly variant: Variant;
  /**
   * Path to text of the files that the definition is made of: the interpreter's folder, or the bake file; and the hash of
   * each folder that is a named context.
   */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * A hash that is equal where the interpreter's layers are: its Dockerfile's folder, arguments and named contexts
 * (addresses by their names, folders by what lies in them too). Flags and environment belong to the run, not to the
 * image. README files next to the Dockerfile do not count.
 */
export function definitionHash({ variant, files }: VariantDefinition): string {
  const parts = [
    definitionOf(variant),
    Object.entries(files)
      .filter(([path]) => !path.endsWith('.md'))
      .sort(byKey),
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function definitionOf(variant: Variant): unknown {
  switch (variant.kind) {
    case 'interpreter': {
      const { kind, interpreter, args, contexts } = variant;
      return [kind, interpreter, Object.entries(args).sort(byKey), Object.entries(contexts).sort(byKey)];
    }
    case 'image':
      return [variant.kind, variant.image, variant.baselineImage ?? variant.image];
    case 'bake':
      return [variant.kind, variant.file, variant.target];
    case 'host':
      return [variant.kind, variant.python];
  }
}

/** Sorted by code units, because a locale's order would make the hash depend on the machine. */
const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]) =>
  a < b ? -1 : a > b ? 1 : 0;
