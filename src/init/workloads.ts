import type { FoundDependencies } from './dependencies.ts';
import type { Layout } from './layout.ts';
import { folderOf, has, type ProjectFiles } from './project-files.ts';
import type { Pyproject } from './pyproject.ts';
import { findServer, type ServerWorkload } from './servers.ts';

/** A workload that the project offers. */
export type WorkloadFound =
  /** An existing `bench.py`. */
  | { readonly kind: 'bench'; readonly file: string }
  | { readonly kind: 'pytest-benchmark'; readonly paths: readonly string[] }
  | { readonly kind: 'pyperf'; readonly file: string }
  | { readonly kind: 'asv'; readonly folder: string }
  | ServerWorkload
  | {
      readonly kind: 'console-script';
      readonly name: string;
      readonly module: string;
      readonly attribute: string;
    }
  | { readonly kind: 'script'; readonly file: string }
  | { readonly kind: 'package'; readonly name: string };

/** Packages that a suite needs in addition to the application's own. */
export const SUITE_PACKAGES: Readonly<Partial<Record<WorkloadFound['kind'], readonly string[]>>> = {
  'pytest-benchmark': ['pytest', 'pytest-benchmark'],
  pyperf: ['pyperf'],
};

export interface WorkloadsFound {
  /** The best first. */
  readonly candidates: readonly WorkloadFound[];
  readonly notes: readonly string[];
}

/** A suite with up to this many files is listed file by file. */
const MOST_NAMED = 5;

export function findWorkloads(
  files: ProjectFiles,
  pyproject: Pyproject | undefined,
  layout: Layout,
  dependencies: FoundDependencies,
): WorkloadsFound {
  const server = findServer(files, layout, dependencies.names);
  const candidates: readonly (WorkloadFound | undefined)[] = [
    has(files, 'bench.py') ? { kind: 'bench', file: 'bench.py' } : undefined,
    pytestSuite(files),
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
  return { candidates: candidates.filter((one) => one !== undefined), notes: server.notes };
}

function pytestSuite(files: ProjectFiles): WorkloadFound | undefined {
  const found = files.paths.filter(
    (path) =>
      /(^|\/)(test_\w+|\w+_test|bench\w*)\.py$/.test(path) &&
      /def \w+\([^)]*\bbenchmark\b/.test(files.texts.get(path) ?? ''),
  );
  if (found.length === 0) return undefined;
  const folders = [...new Set(found.map(folderOf))];
  const [folder = '.'] = folders;
  return {
    kind: 'pytest-benchmark',
    paths:
      found.length > MOST_NAMED && folders.length === 1 && folder !== '.' ? [folder] : found.slice(0, 50),
  };
}

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
    ? { kind: 'asv', folder }
    : undefined;
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
