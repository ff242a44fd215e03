import { additionsOf, type Addition } from './additions.ts';
import { readContainerFiles, type OwnImage } from './container-files.ts';
import { findDependencies, isCompiled, whyInstalled, type Dependencies } from './dependencies.ts';
import { findLayout } from './layout.ts';
import { below, within, type ProjectFiles } from './project-files.ts';
import { choosePython, type PythonChoice } from './python-version.ts';
import { findProjects } from './projects.ts';
import { readPyproject, requirementName, type Pyproject } from './pyproject.ts';
import { findWorkloads, type WorkloadFound } from './workloads.ts';

/** The facts of one project. */
export interface ProjectFacts {
  /** The folder in the images, from the repository's top; `.` is the top. */
  readonly context: string;
  readonly python: PythonChoice;
  readonly dependencies: Dependencies;
  /** Normalised names of the packages in a production install. */
  readonly names: ReadonlySet<string>;
  /** The dependency groups and extras of `pyproject.toml`. */
  readonly additions: readonly Addition[];
  /** Folders for `PYTHONPATH`, from the context. */
  readonly roots: readonly string[];
  /** Why the project has to be installed itself. */
  readonly installed: string | undefined;
  /** Whether a compiler has to build a part of it. */
  readonly compiled: boolean;
  readonly image: OwnImage;
  /** What can be measured, the best first. */
  readonly workloads: readonly WorkloadFound[];
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** The reason why `init` cannot write a working configuration: one sentence with what to do. */
export interface Obstacle {
  readonly obstacle: string;
}

/** @param chosen the folder of the project, from the repository's top */
export function findFacts(files: ProjectFiles, chosen: string): ProjectFacts | Obstacle {
  const { workspace } = findProjects(files);
  const member = workspace.includes(chosen) ? chosen : undefined;
  const own = within(files, chosen);
  const pyproject = readPyproject(own);
  if (pyproject === 'broken')
    return {
      obstacle: `${below(chosen, 'pyproject.toml')} is not valid TOML. Correct it, then run init again.`,
    };
  const container = readContainerFiles(own);
  const found = findDependencies(own, pyproject);
  if (found.problem !== undefined)
    return { obstacle: `${found.problem} Correct the line, then run init again.` };
  const python = choosePython({ files: own, required: requiredPython(pyproject), image: container.python });
  if (typeof python === 'string') return { obstacle: python };
  const name = pyproject?.project?.name ?? pyproject?.tool?.poetry?.name;
  const layout = findLayout(own, name);
  const additions = additionsOf(found.source, pyproject);
  const { candidates, notes } = findWorkloads(own, { pyproject, layout, dependencies: found, additions });
  const facts: ProjectFacts = {
    context: chosen,
    python,
    dependencies: found.source,
    names: found.names,
    additions,
    roots: layout.roots,
    installed: whyInstalled(own, pyproject),
    compiled: isCompiled(own, pyproject),
    image: container.image,
    workloads: candidates,
    notes: [...container.notes, ...notes],
  };
  if (candidates.length === 0)
    return {
      obstacle: `init found no Python module, package or script in ${chosen === '.' ? 'this folder' : chosen}. Name the folder with --context, or write a bench.py there.`,
    };
  if (facts.compiled && container.image.kind === 'none')
    return {
      obstacle: `The project compiles extension modules, and the default image has no compiler. Write a Dockerfile with \`FROM python\` that builds and installs it (docs/own-dockerfile.md), then run init again.`,
    };
  return member === undefined ? facts : inWorkspace(facts, files, member, name);
}

/** A member of a workspace. Its lock and the other members are outside of its folder, so the context is the top. */
function inWorkspace(
  facts: ProjectFacts,
  files: ProjectFiles,
  member: string,
  name: string | undefined,
): ProjectFacts | Obstacle {
  if (!files.paths.includes('uv.lock'))
    return {
      obstacle: `${member} is a member of a uv workspace without uv.lock. Run \`uv lock\`, then run init again.`,
    };
  const { workspace } = findProjects(files);
  const roots = [member, ...workspace.filter((one) => one !== member)].map((folder) => {
    const pyproject = readPyproject(within(files, folder));
    const layout = findLayout(
      within(files, folder),
      pyproject === 'broken' ? undefined : pyproject?.project?.name,
    );
    return layout.roots[0] === undefined ? folder : `${folder}/${layout.roots[0]}`;
  });
  return {
    ...facts,
    context: '.',
    roots,
    // Left out, because the build searches them at the top, and these are the member's.
    additions: [],
    dependencies: { kind: 'uv-workspace', member, name: requirementName(name ?? '') ?? member },
    workloads: facts.workloads.map((workload) => movedBelow(workload, member)),
    // Its files do not say whether they are built from the member's folder or from the top.
    image: { kind: 'none' },
  };
}

/** The same workload, with file names from the top. */
function movedBelow(workload: WorkloadFound, folder: string): WorkloadFound {
  switch (workload.kind) {
    case 'bench':
    case 'pyperf':
    case 'script':
      return { ...workload, file: below(folder, workload.file) };
    case 'pytest-benchmark':
      return {
        ...workload,
        paths: workload.paths.map((path) => below(folder, path)),
        files: workload.files.map((path) => below(folder, path)),
      };
    case 'asv':
      return { ...workload, folder: below(folder, workload.folder) };
    default:
      return workload;
  }
}

function requiredPython(pyproject: Pyproject | undefined): string | undefined {
  const poetry = pyproject?.tool?.poetry?.dependencies?.['python'];
  return pyproject?.project?.['requires-python'] ?? (typeof poetry === 'string' ? poetry : undefined);
}

/** A short description of the workload for a question or a message. */
export function workloadWords(workload: WorkloadFound): string {
  switch (workload.kind) {
    case 'bench':
      return `your ${workload.file}`;
    case 'pytest-benchmark':
      return `the pytest-benchmark suite in ${workload.paths.join(', ')}`;
    case 'pyperf':
      return `the pyperf benchmarks of ${workload.file}`;
    case 'asv':
      return `the asv suite in ${workload.folder}`;
    case 'server':
      return `the ${workload.framework} server under load`;
    case 'console-script':
      return `the command ${workload.name}`;
    case 'script':
      return `the script ${workload.file}`;
    case 'package':
      return `the import of ${workload.name}`;
  }
}
