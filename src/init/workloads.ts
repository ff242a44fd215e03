import { additionWith, type Addition } from './additions.ts';
import type { FoundDependencies } from './dependencies.ts';
import type { Layout } from './layout.ts';
import { folderOf, has, isShipped, type ProjectFiles } from './project-files.ts';
import { requirementName, type Pyproject } from './pyproject.ts';
import { findServer, type ServerWorkload } from './servers.ts';

/** A workload that the project offers. */
export type WorkloadFound =
  /** An existing `bench.py`. */
  | { readonly kind: 'bench'; readonly file: string }
  | {
      readonly kind: 'pytest-benchmark';
      /** The test files, or the folder that has all of them. */
      readonly paths: readonly string[];
      /** What the runs of both sides get from the head: their folders, with the data that is there. */
      readonly files: readonly string[];
      /** Normalised names of the modules that the tests import, some of which an extra may install. */
      readonly imports: readonly string[];
    }
  | { readonly kind: 'pyperf'; readonly file: string }
  /** `packages`: the requirements in its configuration. */
  | { readonly kind: 'asv'; readonly folder: string; readonly packages: readonly string[] }
  | ServerWorkload
  | {
      readonly kind: 'console-script';
      readonly name: string;
      readonly module: string;
      readonly attribute: string;
    }
  | { readonly kind: 'script'; readonly file: string }
  | { readonly kind: 'package'; readonly name: string };

const SUITE = ['pytest', 'pytest-benchmark'];

/** Requirements of a workload in addition to the application's own. */
export function suitePackages(workload: WorkloadFound): readonly string[] {
  switch (workload.kind) {
    case 'pytest-benchmark':
      return SUITE;
    case 'pyperf':
      return ['pyperf'];
    case 'asv':
      return workload.packages;
    default:
      return [];
  }
}

export interface WorkloadsFound {
  /** The best first. */
  readonly candidates: readonly WorkloadFound[];
  readonly notes: readonly string[];
}

/** A suite with up to this many files is listed file by file. */
const MOST_NAMED = 5;

export interface WorkloadSources {
  readonly pyproject: Pyproject | undefined;
  readonly layout: Layout;
  readonly dependencies: FoundDependencies;
  readonly additions: readonly Addition[];
}

export function findWorkloads(files: ProjectFiles, sources: WorkloadSources): WorkloadsFound {
  const { pyproject, layout, dependencies } = sources;
  const server = findServer(files, layout, dependencies.names);
  const suite = pytestSuite(files, sources);
  const candidates: readonly (WorkloadFound | undefined)[] = [
    has(files, 'bench.py') ? { kind: 'bench', file: 'bench.py' } : undefined,
    suite.workload,
    pyperfScript(files),
    asvSuite(files),
    server.workload,
    ...consoleScripts(pyproject, files),
    layout.packages[0] === undefined || layout.scripts[0] !== undefined
      ? undefined
      : { kind: 'package', name: layout.packages[0] },
    layout.scripts[0] === undefined || server.workload !== undefined
      ? undefined
      : { kind: 'script', file: layout.scripts[0] },
  ];
  return {
    candidates: candidates.filter((one) => one !== undefined),
    notes: [...suite.notes, ...server.notes],
  };
}

interface SuiteFound {
  readonly workload: Extract<WorkloadFound, { kind: 'pytest-benchmark' }> | undefined;
  readonly notes: readonly string[];
}

function pytestSuite(files: ProjectFiles, sources: WorkloadSources): SuiteFound {
  const all = files.paths.filter(
    (path) =>
      /(^|\/)(test_\w+|\w+_test|bench\w*)\.py$/.test(path) &&
      /def \w+\([^)]*\bbenchmark\b/.test(files.texts.get(path) ?? ''),
  );
  // A comparison with other packages needs more than the project, and says nothing about a change of it.
  const own = all.filter((path) => isOfProject(files.texts.get(path) ?? '', sources));
  const found = own.length > 0 ? own : all;
  if (found.length === 0) return { workload: undefined, notes: [] };
  const folders = [...new Set(found.map(folderOf))];
  const [folder = '.'] = folders;
  const isWhole =
    found.length > MOST_NAMED && found.length === all.length && folders.length === 1 && folder !== '.';
  const mounted = folders.flatMap((one) =>
    isOfTests(one, files, sources.layout) ? [one] : found.filter((path) => folderOf(path) === one),
  );
  const left = all.filter((path) => !found.includes(path));
  return {
    workload: {
      kind: 'pytest-benchmark',
      paths: isWhole ? [folder] : found.slice(0, 50),
      files: mounted.filter((path) => !mounted.some((other) => path.startsWith(`${other}/`))),
      imports: [...new Set(found.flatMap((path) => importsOf(files.texts.get(path) ?? '')))],
    },
    notes:
      left.length === 0
        ? []
        : [
            `${left.join(', ')} is not measured, because it imports packages that only an extra or a dependency group installs.`,
          ],
  };
}

/** Whether a test file imports nothing that an extra or group apart from the suite's own installs. */
function isOfProject(text: string, { dependencies, additions }: WorkloadSources): boolean {
  const suite = additionWith(additions, SUITE)?.names ?? new Set(SUITE);
  return importsOf(text).every(
    (name) =>
      dependencies.names.has(name) || suite.has(name) || !additions.some(({ names }) => names.has(name)),
  );
}

/** Whether a folder has only tests and their data. The shipped code must stay each side's own. */
function isOfTests(folder: string, { paths }: ProjectFiles, { roots }: Layout): boolean {
  if (folder === '.' || roots.some((root) => `${root}/`.startsWith(`${folder}/`))) return false;
  return (
    !isShipped(`${folder}/`) ||
    paths.every(
      (path) =>
        !path.startsWith(`${folder}/`) ||
        !path.endsWith('.py') ||
        /(^|\/)(test_\w+|\w+_test|bench\w*|conftest)\.py$/.test(path),
    )
  );
}

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^\s*(?:import|from)\s+([A-Za-z_]\w*)/gm)].flatMap(
    ([, name = '']) => requirementName(name) ?? [],
  );

function pyperfScript(files: ProjectFiles): WorkloadFound | undefined {
  const file = files.paths.find(
    (path) =>
      path.endsWith('.py') &&
      /\bpyperf\.Runner\(|from pyperf import .*\bRunner\b/.test(files.texts.get(path) ?? ''),
  );
  return file === undefined ? undefined : { kind: 'pyperf', file };
}

function asvSuite(files: ProjectFiles): WorkloadFound | undefined {
  const config = files.paths.find((path) => /(^|\/)asv\.conf\.json$/.test(path));
  if (config === undefined) return undefined;
  // The file is JSON with comments, so this searches for the one key that it needs.
  const [, named = 'benchmarks'] =
    /^\s*"benchmark_dir"\s*:\s*"([^"]+)"/m.exec(files.texts.get(config) ?? '') ?? [];
  const beside = folderOf(config);
  const folder = (beside === '.' ? named : `${beside}/${named}`)
    .replace(/(^|\/)\.\//g, '$1')
    .replace(/\/$/, '');
  return files.paths.some((path) => path.startsWith(`${folder}/`) && path.endsWith('.py'))
    ? { kind: 'asv', folder, packages: asvPackages(files.texts.get(config) ?? '') }
    : undefined;
}

/** The requirements of `matrix` in an asv.conf.json, each in the last version that is listed. */
function asvPackages(text: string): readonly string[] {
  const matrix = matrixOf(text);
  const listed = 'req' in matrix ? matrix['req'] : matrix;
  return Object.entries(typeof listed === 'object' && listed !== null ? listed : {}).flatMap(
    ([key, value]: readonly [string, unknown]) => {
      const versions: readonly unknown[] = Array.isArray(value) ? value : [value];
      const version = versions.at(-1);
      const name = key.replace(/^pip\+/, '');
      // Null means that the package is left out. Other keys of a matrix, such as `env`, hold tables.
      if (requirementName(name) !== name.toLowerCase().replace(/[._]+/g, '-')) return [];
      if (typeof version !== 'string') return [];
      return [version === '' ? name : `${name}==${version}`];
    },
  );
}

function matrixOf(text: string): Readonly<Record<string, unknown>> {
  // asv reads JSON with comments and with commas after the last value.
  const json = text
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_whole, words?: string) => words ?? '')
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_whole, words?: string) => words ?? '');
  try {
    const value = JSON.parse(json) as { readonly matrix?: unknown } | null;
    const matrix = value?.matrix;
    return typeof matrix === 'object' && matrix !== null ? (matrix as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function consoleScripts(pyproject: Pyproject | undefined, files: ProjectFiles): readonly WorkloadFound[] {
  const poetry = Object.entries(pyproject?.tool?.poetry?.scripts ?? {});
  const setup = `${files.texts.get('setup.py') ?? ''}\n${files.texts.get('setup.cfg') ?? ''}`;
  const [, section = ''] = /console_scripts['"]?\s*[:=]\s*([\s\S]{0,2000})/.exec(setup) ?? [];
  const listed = [...section.matchAll(/([\w.-]+)\s*=\s*([\w.]+:[\w.]+)/g)].map(
    ([, name, target]) => [name, target] as const,
  );
  for (const [name, target] of [...Object.entries(pyproject?.project?.scripts ?? {}), ...poetry, ...listed]) {
    const [, module, attribute] = /^([\w.]+):(\w[\w.]*)/.exec(typeof target === 'string' ? target : '') ?? [];
    if (name !== undefined && module !== undefined && attribute !== undefined)
      return [{ kind: 'console-script', name, module, attribute }];
  }
  return [];
}
