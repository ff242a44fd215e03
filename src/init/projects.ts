import { below, folderOf, has, type ProjectFiles } from './project-files.ts';
import { readPyproject } from './pyproject.ts';

/** The folders of a repository that contain a Python project, from its top. */
export interface Projects {
  /** Whether the top itself is a project that ships code. */
  readonly top: boolean;
  readonly below: readonly string[];
  /** Members of a uv workspace, whose lock is at the top. */
  readonly workspace: readonly string[];
}

const MARKS = /(^|\/)(pyproject\.toml|setup\.py|requirements\.txt|Pipfile)$/;
/** Folders whose projects are tests, examples or copies. */
const NOT_PROJECTS =
  /(^|\/)(tests?|testing|docs?|examples?|samples?|benchmarks?|bench|fixtures|vendor|third_party|node_modules|templates?|\.[^/]+)(\/|$)/;

export function findProjects(files: ProjectFiles): Projects {
  const folders = [...new Set(files.paths.filter((path) => MARKS.test(path)).map(folderOf))];
  const inside = folders.filter((folder) => folder !== '.' && !NOT_PROJECTS.test(folder)).sort();
  const pyproject = readPyproject(files);
  const read = pyproject === 'broken' ? undefined : pyproject;
  const members = (read?.tool?.uv?.workspace?.members ?? []).map(globOf);
  const excluded = (read?.tool?.uv?.workspace?.exclude ?? []).map(globOf);
  const workspace = inside.filter(
    (folder) =>
      members.some((glob) => glob.test(folder)) &&
      !excluded.some((glob) => glob.test(folder)) &&
      has(files, below(folder, 'pyproject.toml')),
  );
  return { top: folders.includes('.') && shipsAtTop(files, inside), below: inside, workspace };
}

/** Whether the top has modules or packages outside of the projects below it. */
const shipsAtTop = (files: ProjectFiles, inside: readonly string[]): boolean =>
  inside.length === 0 ||
  files.paths.some(
    (path) =>
      path.endsWith('.py') &&
      !NOT_PROJECTS.test(folderOf(path)) &&
      !inside.some((folder) => path.startsWith(`${folder}/`)) &&
      !/(^|\/)(setup|conftest|noxfile|tasks)\.py$/.test(path),
  );

const globOf = (glob: string) =>
  new RegExp(
    `^${glob
      .replace(/\/$/, '')
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '[^/]*')
      .replace(/\?/g, '[^/]')}$`,
  );

/** The folders to choose from: only the top, or the folders below. */
export function choicesOf({ top, below: inside, workspace }: Projects): readonly string[] {
  if (workspace.length > 0) return top ? ['.', ...workspace] : workspace;
  if (top || inside.length === 0) return ['.'];
  return inside;
}
