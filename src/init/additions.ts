import type { Dependencies } from './dependencies.ts';
import { requirementName, type Pyproject } from './pyproject.ts';

/** A dependency group or an extra: packages that a project installs only if they are asked for. */
export interface Addition {
  readonly kind: 'groups' | 'extras';
  readonly name: string;
  /** Normalised. */
  readonly names: ReadonlySet<string>;
}

/** The dependency groups and extras of `pyproject.toml`. Pipenv has categories instead of groups. */
export const additionsOf = (
  { kind }: Dependencies,
  pyproject: Pyproject | undefined,
): readonly Addition[] => [
  ...(kind === 'pipenv' ? [] : listed('groups', pyproject?.['dependency-groups'] ?? {})),
  ...listed('extras', pyproject?.project?.['optional-dependencies'] ?? {}),
];

const listed = (
  kind: Addition['kind'],
  tables: Readonly<Record<string, readonly unknown[]>>,
): readonly Addition[] =>
  Object.entries(tables).map(([name, packages]) => ({
    kind,
    name,
    names: new Set(packages.flatMap((one) => (typeof one === 'string' ? (requirementName(one) ?? []) : []))),
  }));

/** The first with all of the packages. */
export const additionWith = (
  additions: readonly Addition[],
  packages: readonly string[],
): Addition | undefined => additions.find(({ names }) => packages.every((name) => names.has(name)));
