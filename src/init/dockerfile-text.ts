import type { Dependencies } from './dependencies.ts';
import type { ProjectFacts } from './project-facts.ts';
import { requirementName } from './pyproject.ts';
import type { WorkloadFound } from './workloads.ts';
import { suitePackages } from './workloads.ts';

/** The Dockerfile that `init` writes next to the configuration if the default image cannot install a project. */
export const WRITTEN_DOCKERFILE = 'pacegate.Dockerfile';

/** Dependency files with which the default image installs the project itself: variants/application/install.py. */
const INSTALLED_BY_DEFAULT = new Set<Dependencies['kind']>([
  'uv',
  'uv-workspace',
  'poetry',
  'pdm',
  'pyproject',
  'setup.py',
]);

/** Why the default image cannot be used; undefined if it can. */
export function whyOwnDockerfile({ dependencies, installed }: ProjectFacts): string | undefined {
  if (installed === undefined || INSTALLED_BY_DEFAULT.has(dependencies.kind)) return undefined;
  // A line such as `-e .` installs it.
  if (dependencies.kind === 'requirements' && dependencies.local.length > 0) return undefined;
  return `the default image does not install the project itself with ${sourceWords(dependencies)}, and ${installed}`;
}

export function sourceWords(dependencies: Dependencies): string {
  switch (dependencies.kind) {
    case 'none':
      return 'no dependencies';
    case 'uv':
      return 'uv.lock';
    case 'uv-workspace':
      return 'uv.lock of a workspace';
    case 'poetry':
      return 'poetry.lock';
    case 'pylock':
      return 'pylock.toml';
    case 'pdm':
      return 'pdm.lock';
    case 'pipenv':
      return 'Pipfile.lock';
    case 'requirements':
      return dependencies.file;
    case 'pyproject':
      return 'pyproject.toml';
    case 'setup.py':
      return 'setup.py';
  }
}

export const lackingPackages = ({ names }: ProjectFacts, workload: WorkloadFound): readonly string[] =>
  suitePackages(workload).filter((name) => !names.has(requirementName(name) ?? name));

interface Installation {
  /** The program that reads the lock file, installed in a separate environment. */
  readonly tool?: string;
  readonly commands: readonly string[];
}

const PIP = '/opt/venv/bin/python -m pip install --no-cache-dir --no-compile';

/** The installation for the kinds that the default image installs without the project itself. */
function installation(dependencies: Dependencies): Installation {
  switch (dependencies.kind) {
    case 'pylock':
      return {
        tool: 'uv',
        commands: ['/tmp/tool/bin/uv pip install --no-cache --python /opt/venv/bin/python -r pylock.toml'],
      };
    case 'pipenv':
      return {
        tool: 'pipenv',
        commands: [
          '/tmp/tool/bin/pipenv requirements > /tmp/requirements.txt',
          `${PIP} -r /tmp/requirements.txt`,
        ],
      };
    case 'requirements':
      return { commands: [`${PIP} -r ${dependencies.file}`] };
    default:
      return { commands: [] };
  }
}

/** A Dockerfile that installs the project itself and its dependencies. */
export function dockerfileText(facts: ProjectFacts, workload: WorkloadFound, why: string): string {
  const { tool, commands } = installation(facts.dependencies);
  const lacking = lackingPackages(facts, workload);
  const install = [
    ...(tool === undefined
      ? []
      : ['python -m venv /tmp/tool', `/tmp/tool/bin/python -m pip install --no-cache-dir ${tool}`]),
    ...commands,
    ...(lacking.length === 0 ? [] : [`${PIP} ${lacking.join(' ')}`]),
    `${PIP} --no-deps .`,
    ...(tool === undefined ? [] : ['rm -rf /tmp/tool /tmp/requirements.txt']),
  ];
  return `${[
    `# Written by \`pacegate init\`, because ${why}.`,
    "# Each variant's interpreter takes the place of `FROM python`, so that line has no tag. Change the rest as you need.",
    'FROM python',
    'RUN python -m venv /opt/venv',
    'ENV PATH=/opt/venv/bin:$PATH HOME=/tmp',
    '# The build has no .git to read a version from.',
    'ENV SETUPTOOLS_SCM_PRETEND_VERSION=0',
    'WORKDIR /app',
    'COPY . /app',
    `RUN ${install.join(' && \\\n    ')}`,
    '# A file that does not compile, such as a template, is not an error.',
    'RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv /app || true',
    'USER 10001:10001',
  ].join('\n')}\n`;
}

/** Files that the build of a project reads as metadata. */
const DESCRIBING = ['!**/README*', '!**/LICENSE*', '!**/CHANGELOG*'];

/**
 * The ignore file of the written Dockerfile. BuildKit reads it instead of the project's own file, so it ends with that
 * file's lines.
 * @param defaults the default image's ignore file
 */
export const ignoreText = (defaults: string, projects: string | undefined): string =>
  `${[defaults.trimEnd(), ...DESCRIBING, ...(projects === undefined ? [] : [projects.trimEnd()])].join('\n')}\n`;
