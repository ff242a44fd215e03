import type { Dependencies } from './dependencies.ts';
import type { ProjectFacts } from './project-facts.ts';
import type { WorkloadFound } from './workloads.ts';
import { SUITE_PACKAGES } from './workloads.ts';

/** What `init` writes next to the configuration where the default image cannot install a project. */
export const WRITTEN_DOCKERFILE = 'pacegate.Dockerfile';

/** What the default image installs from: variants/application/Dockerfile. */
const BY_DEFAULT = new Set<Dependencies['kind']>(['none', 'uv', 'poetry', 'requirements']);

/** Why the default image is not enough; undefined where it is. */
export function whyOwnDockerfile(facts: ProjectFacts, workload: WorkloadFound): string | undefined {
  const { dependencies, installed } = facts;
  if (
    !BY_DEFAULT.has(dependencies.kind) ||
    (dependencies.kind === 'requirements' && dependencies.file !== 'requirements.txt')
  )
    return `the default image does not install from ${sourceWords(dependencies)}`;
  if (dependencies.kind === 'requirements' && dependencies.local.length > 0)
    return `the default image does not install a project from its source (${dependencies.local[0] ?? ''})`;
  if (installed !== undefined)
    return `the default image does not install the project itself, and ${installed}`;
  const lacking = lackingPackages(facts, workload);
  return lacking.length === 0 ? undefined : `the workload also needs ${lacking.join(' and ')}`;
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

const lackingPackages = ({ names }: ProjectFacts, { kind }: WorkloadFound): readonly string[] =>
  (SUITE_PACKAGES[kind] ?? []).filter((name) => !names.has(name));

interface Installation {
  /** Files that are copied before the others: a change of code keeps the layer with the dependencies. */
  readonly files: readonly string[] | 'all';
  /** The program that reads the lock file, in an environment of its own. */
  readonly tool?: string;
  readonly commands: readonly string[];
}

const PIP = '/opt/venv/bin/python -m pip install --no-cache-dir --no-compile';
const UV_SYNC =
  'UV_PROJECT_ENVIRONMENT=/opt/venv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never /tmp/tool/bin/uv sync --locked --no-dev';
const UV_PIP = '/tmp/tool/bin/uv pip install --no-cache --python /opt/venv/bin/python';

function installation(dependencies: Dependencies, members: readonly string[]): Installation {
  switch (dependencies.kind) {
    case 'none':
      return { files: [], commands: [] };
    case 'uv':
      return {
        files: ['pyproject.toml', 'uv.lock'],
        tool: 'uv',
        commands: [`${UV_SYNC} --no-install-project`],
      };
    case 'uv-workspace':
      return {
        files: ['pyproject.toml', 'uv.lock', ...members.map((folder) => `${folder}/pyproject.toml`)],
        tool: 'uv',
        commands: [`${UV_SYNC} --no-install-workspace --package ${dependencies.name}`],
      };
    case 'poetry':
      return {
        files: ['pyproject.toml', 'poetry.lock'],
        tool: 'poetry',
        commands: [
          'VIRTUAL_ENV=/opt/venv POETRY_VIRTUALENVS_CREATE=false /tmp/tool/bin/poetry install --only main --no-root --no-interaction',
        ],
      };
    case 'pylock':
      return { files: ['pylock.toml'], tool: 'uv', commands: [`${UV_PIP} -r pylock.toml`] };
    case 'pdm':
      return {
        files: ['pyproject.toml', 'pdm.lock'],
        tool: 'pdm',
        commands: [
          '/tmp/tool/bin/pdm export --prod --without-hashes -o /tmp/requirements.txt',
          `${PIP} -r /tmp/requirements.txt`,
        ],
      };
    case 'pipenv':
      return {
        files: ['Pipfile', 'Pipfile.lock'],
        tool: 'pipenv',
        commands: [
          '/tmp/tool/bin/pipenv requirements > /tmp/requirements.txt',
          `${PIP} -r /tmp/requirements.txt`,
        ],
      };
    case 'requirements':
      // An included file or a project's own source may lie anywhere.
      return { files: 'all', commands: [`${PIP} -r ${dependencies.file}`] };
    case 'pyproject':
      return {
        // Dependencies that a build computes need the files that it reads.
        files: dependencies.computed ? 'all' : ['pyproject.toml'],
        tool: 'uv',
        commands: [`${UV_PIP} -r pyproject.toml`],
      };
    case 'setup.py':
      return { files: 'all', tool: 'uv', commands: [`${UV_PIP} -r setup.py`] };
  }
}

/** @param members folders of a uv workspace */
export function dockerfileText(
  facts: ProjectFacts,
  workload: WorkloadFound,
  why: string,
  members: readonly string[],
): string {
  const { files, tool, commands } = installation(facts.dependencies, members);
  const lacking = lackingPackages(facts, workload);
  const install = [
    ...(tool === undefined
      ? []
      : ['python -m venv /tmp/tool', `/tmp/tool/bin/python -m pip install --no-cache-dir ${tool}`]),
    ...commands,
    ...(lacking.length === 0 ? [] : [`${PIP} ${lacking.join(' ')}`]),
    ...(facts.installed === undefined ? [] : [`${PIP} --no-deps .`]),
    ...(tool === undefined && commands.length === 0 ? [] : ['rm -rf /tmp/tool /tmp/requirements.txt']),
  ];
  const everything = files === 'all' || facts.installed !== undefined;
  const first = everything ? ['COPY . /app'] : files.map((file) => `COPY ${file} /app/${folderWithin(file)}`);
  return `${[
    `# Written by \`pacegate init\`, because ${why}.`,
    "# Each variant's interpreter takes the place of `FROM python`, so that line has no tag. Change the rest as you need.",
    'FROM python',
    'RUN python -m venv /opt/venv',
    'ENV PATH=/opt/venv/bin:$PATH HOME=/tmp',
    ...(facts.installed === undefined
      ? []
      : ['# The build has no .git to read a version from.', 'ENV SETUPTOOLS_SCM_PRETEND_VERSION=0']),
    'WORKDIR /app',
    ...first,
    ...(install.length === 0 ? [] : [`RUN ${install.join(' && \\\n    ')}`]),
    ...(everything ? [] : ['COPY . /app']),
    '# A file that does not compile, such as a template, is not an error.',
    'RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv /app || true',
    'USER 10001:10001',
  ].join('\n')}\n`;
}

const folderWithin = (file: string) => file.slice(0, file.lastIndexOf('/') + 1);

/**
 * The ignore file of the written Dockerfile. BuildKit reads it in place of the project's own, so that one's lines follow.
 * @param defaults the default image's
 */
export function ignoreText(facts: ProjectFacts, defaults: string, projects: string | undefined): string {
  const builds = facts.installed !== undefined || installation(facts.dependencies, []).files === 'all';
  // The build of a project reads the files that its metadata names.
  const kept = builds ? ['!**/README*', '!**/LICENSE*', '!**/CHANGELOG*'] : [];
  return `${[defaults.trimEnd(), ...kept, ...(projects === undefined ? [] : [projects.trimEnd()])].join('\n')}\n`;
}
