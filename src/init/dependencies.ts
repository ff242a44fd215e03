import { has, isShipped, type ProjectFiles } from './project-files.ts';
import { requirementName, type Pyproject } from './pyproject.ts';
import { readRequirements } from './requirements.ts';

/** The source from which a project's dependencies are installed. */
export type Dependencies =
  | { readonly kind: 'none' }
  | { readonly kind: 'uv' }
  /** One member of a uv workspace, whose lock is at the top. */
  | { readonly kind: 'uv-workspace'; readonly member: string; readonly name: string }
  | { readonly kind: 'poetry' }
  | { readonly kind: 'pylock' }
  | { readonly kind: 'pdm' }
  | { readonly kind: 'pipenv' }
  | { readonly kind: 'requirements'; readonly file: string; readonly local: readonly string[] }
  /** Without a lock; `computed` if the build computes the dependencies. */
  | { readonly kind: 'pyproject'; readonly computed: boolean }
  | { readonly kind: 'setup.py' };

export interface FoundDependencies {
  readonly source: Dependencies;
  /** Normalised names of the declared packages of a production install. */
  readonly names: ReadonlySet<string>;
  /** Why the dependencies cannot be installed as written. */
  readonly problem?: string;
}

/** Requirements files for production, in the order of preference, for projects without `requirements.txt`. */
const PRODUCTION = [
  'requirements/prod.txt',
  'requirements/production.txt',
  'requirements/base.txt',
  'requirements/main.txt',
  'requirements-prod.txt',
  'requirements-base.txt',
  'requirements.in',
];

/** Lock files first, in the order of the default image; then unlocked dependencies. */
export function findDependencies(files: ProjectFiles, pyproject: Pyproject | undefined): FoundDependencies {
  const names = new Set(declaredNames(pyproject));
  const found = (source: Dependencies): FoundDependencies => ({ source, names });
  if (has(files, 'uv.lock')) return found({ kind: 'uv' });
  if (has(files, 'poetry.lock')) return found({ kind: 'poetry' });
  if (has(files, 'pylock.toml')) return found({ kind: 'pylock' });
  if (has(files, 'pdm.lock')) return found({ kind: 'pdm' });
  if (has(files, 'Pipfile.lock')) {
    for (const name of pipfileNames(files.texts.get('Pipfile') ?? '')) names.add(name);
    return found({ kind: 'pipenv' });
  }
  // The metadata of a library lists its dependencies; its requirements files are for its developers.
  const isPackage = (pyproject?.project?.dependencies ?? []).length > 0;
  const file = ['requirements.txt', ...(isPackage ? [] : PRODUCTION)].find((path) => has(files, path));
  if (file !== undefined) {
    const { names: required, local, missing } = readRequirements(files, file);
    for (const name of required) names.add(name);
    const [first] = missing;
    const source: Dependencies = { kind: 'requirements', file, local };
    return first === undefined
      ? { source, names }
      : { source, names, problem: `${first} names a file that is not in the project.` };
  }
  const computed = pyproject?.project?.dynamic?.includes('dependencies') === true;
  if (names.size > 0 || computed) return found({ kind: 'pyproject', computed });
  const setup = `${files.texts.get('setup.py') ?? ''}\n${files.texts.get('setup.cfg') ?? ''}`;
  if (/\binstall_requires\b/.test(setup)) {
    for (const [, name] of setup.matchAll(/^\s*['"]?([A-Za-z][\w.-]*)\s*(?:\[|[<>=~!;'"]|$)/gm)) {
      const normal = name === undefined ? undefined : requirementName(name);
      if (normal !== undefined) names.add(normal);
    }
    return found({ kind: 'setup.py' });
  }
  return found({ kind: 'none' });
}

function declaredNames(pyproject: Pyproject | undefined): readonly string[] {
  const poetry = Object.keys(pyproject?.tool?.poetry?.dependencies ?? {}).filter((name) => name !== 'python');
  const listed = [...(pyproject?.project?.dependencies ?? []), ...poetry];
  const names = listed.flatMap((one) => requirementName(one) ?? []);
  // fastapi[standard] installs the server.
  return listed.some((one) => /^fastapi\s*\[[^\]]*\b(standard|all)\b/.test(one))
    ? [...names, 'uvicorn']
    : names;
}

function pipfileNames(text: string): readonly string[] {
  const [, section = ''] = /^\[packages\]\s*\n((?:(?!\[).*\n?)*)/m.exec(text) ?? [];
  return [...section.matchAll(/^["']?([\w.-]+)["']?\s*=/gm)].flatMap(
    ([, name = '']) => requirementName(name) ?? [],
  );
}

/** Why a project must be installed itself; undefined if it runs from its source folder. */
export function whyInstalled(files: ProjectFiles, pyproject: Pyproject | undefined): string | undefined {
  const hatch = JSON.stringify(pyproject?.tool?.hatch ?? {});
  const scm = Object.keys(pyproject?.tool?.setuptools_scm ?? {});
  if (scm.some((key) => key === 'write_to' || key === 'version_file') || hatch.includes('"version-file"'))
    return 'its build writes a file with the version';
  const own = requirementName(pyproject?.project?.name ?? pyproject?.tool?.poetry?.name ?? '');
  const reads = [...files.texts].some(
    ([path, text]) =>
      path.endsWith('.py') &&
      isShipped(path) &&
      /\b(importlib[._]metadata|pkg_resources)\b/.test(text) &&
      /(?<![\w.])(version|metadata|get_distribution|distribution)\(/.test(text),
  );
  return reads && own !== undefined ? 'its code reads its own version from the installed package' : undefined;
}

const COMPILES = /^(maturin|scikit_build_core|mesonpy|setuptools_rust)\b/;

/** Whether the project has parts that a compiler has to build. */
export const isCompiled = (files: ProjectFiles, pyproject: Pyproject | undefined): boolean =>
  COMPILES.test(pyproject?.['build-system']?.['build-backend'] ?? '') ||
  /\bext_modules\b|\bcythonize\(/.test(files.texts.get('setup.py') ?? '');
