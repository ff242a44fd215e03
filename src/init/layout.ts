import { has, isShipped, type ProjectFiles } from './project-files.ts';

/** The folders and names from which a project's modules are imported. */
export interface Layout {
  /** Folders for `PYTHONPATH`, from the context; empty if the modules are at its top. */
  readonly roots: readonly string[];
  /** Names to import: packages first, then modules. The name of the project comes first. */
  readonly packages: readonly string[];
  /** Files that are run as scripts: `main.py`. */
  readonly scripts: readonly string[];
}

const NOT_MODULES =
  /^(setup|conftest|noxfile|tasks|fabfile|manage|bench\w*|load|test_\w+|\w+_test|versioneer)\.py$/;
const SCRIPTS = ['main.py', 'app.py', 'run.py', 'cli.py', '__main__.py'];

/** @param name of the distribution, to distinguish its package from others */
export function findLayout(files: ProjectFiles, name: string | undefined): Layout {
  const roots = ['src', 'lib', 'python'].filter((root) => packagesIn(files, root).length > 0).slice(0, 1);
  const found = roots[0] === undefined ? packagesIn(files, '.') : packagesIn(files, roots[0]);
  const wanted = (name ?? '').toLowerCase().replace(/[-.]+/g, '_');
  const packages = [...found].sort(
    (a, b) => Number(b.toLowerCase() === wanted) - Number(a.toLowerCase() === wanted),
  );
  const scripts = SCRIPTS.filter(
    (path) =>
      has(files, path) &&
      // A main.py without the usual guard runs when it is imported.
      (path === 'main.py' || /__name__\s*==\s*['"]__main__['"]/.test(files.texts.get(path) ?? '')),
  );
  return { roots, packages, scripts };
}

function packagesIn({ paths }: ProjectFiles, root: string): readonly string[] {
  const prefix = root === '.' ? '' : `${root}/`;
  const inside = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const packages = inside.flatMap((path) => {
    const [, folder] = /^([A-Za-z_]\w*)\/__init__\.py$/.exec(path) ?? [];
    return folder === undefined || !isShipped(`${folder}/`) ? [] : [folder];
  });
  const modules = inside.filter((path) => /^[A-Za-z]\w*\.py$/.test(path) && !NOT_MODULES.test(path));
  return [...packages, ...modules.map((path) => path.slice(0, -3))];
}

/** The dotted name of a module's file: `src/service/web.py` is `service.web` from the root `src`. */
export function moduleName(path: string, roots: readonly string[]): string | undefined {
  const root = roots.find((one) => path.startsWith(`${one}/`));
  const rest = root === undefined ? path : path.slice(root.length + 1);
  const name = rest
    .replace(/\.py$/, '')
    .replace(/(^|\/)__init__$/, '')
    .replaceAll('/', '.');
  return /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name) ? name : undefined;
}
