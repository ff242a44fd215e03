/** The files of a project: all paths, and the texts of the files that describe it. */
export interface ProjectFiles {
  /** From the repository's top, with `/`, sorted. */
  readonly paths: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
}

/** The maximum size of a text. Larger files are data, or were generated. */
export const MOST_BYTES = 256 * 1024;
/** The maximum number of texts. The files that describe a project are near its top. */
export const MOST_TEXTS = 1500;

const NAMES =
  /(^|\/)(pyproject\.toml|setup\.(py|cfg)|\.python-version|runtime\.txt|\.dockerignore|asv\.conf\.json|Pipfile)$/;
const REQUIREMENTS = /(^|\/)(requirements[^/]*|constraints[^/]*)\.(txt|in)$|(^|\/)requirements\/[^/]+\.txt$/;
const CONTAINERS = /(^|\/)(Dockerfile|Containerfile|docker-bake)(\.[^/]+)?$/;

/** Whether to read a file's text, because it describes the project. */
export const describesProject = (path: string): boolean =>
  NAMES.test(path) || REQUIREMENTS.test(path) || CONTAINERS.test(path) || path.endsWith('.py');

/** A path below a context; `.` is the repository's top. */
export const below = (context: string, path: string): string =>
  context === '.' ? path : `${context}/${path}`;

/** The files of one context, their paths from it. */
export function within({ paths, texts }: ProjectFiles, context: string): ProjectFiles {
  if (context === '.') return { paths, texts };
  const prefix = `${context}/`;
  const inside = paths.filter((path) => path.startsWith(prefix));
  return {
    paths: inside.map((path) => path.slice(prefix.length)),
    texts: new Map(
      [...texts].flatMap(([path, text]) =>
        path.startsWith(prefix) ? [[path.slice(prefix.length), text] as const] : [],
      ),
    ),
  };
}

export const has = ({ paths }: ProjectFiles, path: string): boolean => paths.includes(path);

/** The folder of a path; `.` at the top. */
export const folderOf = (path: string): string => {
  const at = path.lastIndexOf('/');
  return at < 0 ? '.' : path.slice(0, at);
};

/** Folders whose code is not part of the shipped project. */
const BESIDE =
  /(^|\/)(tests?|testing|docs?|examples?|samples?|benchmarks?|bench|scripts|tools|migrations|fixtures|build|\.[^/]+)\//;

export const isShipped = (path: string): boolean => !BESIDE.test(path);
