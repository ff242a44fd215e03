import { isAbsolute } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import type { Plan } from '../plan/plan.ts';
import { resolvePlan, type Overrides } from '../plan/resolve.ts';
import type { SourcePort } from './ports.ts';

/** A folder with a configuration: a repository's work tree, or a plain folder. */
export interface Project {
  /** The repository's top, else the folder itself. */
  readonly top: string;
  readonly repository: boolean;
  /** The configuration's path from the top, as messages show it. */
  readonly file: string;
  readonly plan: Plan;
  /**
   * An earlier version's name of the configuration. Undefined if another configuration of the repository may have had
   * that name.
   */
  readonly formerly: string | undefined;
}

/** A commit's own configuration: `none` if it has none, `broken` if it cannot be read. */
export type PlanAt =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly message: string };

/** Whether a configuration is outside of the repository, so that no commit contains it. */
export const isOutside = (file: string): boolean => file.startsWith('..') || isAbsolute(file);

/** Reads the configuration of a commit. */
export async function planAt(
  { top, file }: Pick<Project, 'top' | 'file'>,
  commit: string,
  overrides: Overrides,
  source: Pick<SourcePort, 'readFileAt'>,
): Promise<PlanAt> {
  if (isOutside(file)) return { kind: 'none' };
  const found = await source.readFileAt(top, commit, file);
  if (found.kind === 'none') return found;
  if (found.kind === 'refused')
    return { kind: 'broken', message: `${file} at ${commit.slice(0, 10)} ${found.reason}.` };
  const { text } = found;
  const read = (variants: Overrides['variants']): PlanAt => {
    try {
      return {
        kind: 'plan',
        plan: resolvePlan({ text, file, root: top, overrides: { ...overrides, variants } }),
      };
    } catch (error) {
      if (error instanceof ConfigurationError) return { kind: 'broken', message: error.message };
      throw error;
    }
  };
  // Applies a shard's choice first, because the rules may allow enough blocks for its variants and too few for all. A
  // name that the old file lacks is not an error of that file.
  const chosen = read(overrides.variants);
  return chosen.kind === 'plan' || overrides.variants === undefined ? chosen : read(undefined);
}
