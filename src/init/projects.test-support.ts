import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findFacts } from './project-facts.ts';
import { describesProject, type ProjectFiles } from './project-files.ts';
import { writtenFiles, type Templates, type Written, type WritingRequest } from './written-files.ts';

/** The small projects of fixtures/projects, as `init` reads them. */

export function filesOf(project: string): ProjectFiles {
  const folder = join('fixtures/projects', project);
  const paths = globSync('**/*', { cwd: folder })
    .concat(globSync('.python-version', { cwd: folder }))
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
  return {
    paths,
    texts: new Map(
      paths.filter(describesProject).map((path) => [path, readFileSync(join(folder, path), 'utf8')] as const),
    ),
  };
}

/** A project with the given files. */
export const madeUp = (texts: Readonly<Record<string, string>>): ProjectFiles => ({
  paths: Object.keys(texts).sort(),
  texts: new Map(Object.entries(texts)),
});

export const TEMPLATES: Templates = {
  gate: readFileSync('examples/gate.yml', 'utf8'),
  nightly: readFileSync('examples/baseline.yml', 'utf8'),
  ignore: readFileSync('variants/application/Dockerfile.dockerignore', 'utf8'),
};

/** The files that `init --yes` writes. */
export function writtenFor(
  files: ProjectFiles,
  context = '.',
  more: Partial<WritingRequest> = {},
): Written & { readonly of: (path: string) => string } {
  const facts = findFacts(files, context);
  if ('obstacle' in facts) throw new Error(facts.obstacle);
  const [workload] = facts.workloads;
  if (workload === undefined) throw new Error('no workload');
  const written = writtenFiles({
    files,
    facts,
    workload,
    host: false,
    configuration: '.github/pacegate.yml',
    templates: TEMPLATES,
    ...more,
  });
  return { ...written, of: (path) => written.files.find((file) => file.path === path)?.text ?? '' };
}
