import { parse } from 'smol-toml';
import { z } from 'zod';
import type { ProjectFiles } from './project-files.ts';

/** The parts of a `pyproject.toml` that Pacegate reads. A part with another type counts as absent. */
const text = z.string().optional().catch(undefined);
const texts = z.array(z.string()).optional().catch(undefined);
const named = z.record(z.string(), z.unknown()).optional().catch(undefined);

const schema = z.object({
  project: z
    .object({
      name: text,
      'requires-python': text,
      dependencies: texts,
      dynamic: texts,
      'optional-dependencies': z.record(z.string(), z.array(z.string())).optional().catch(undefined),
      scripts: z.record(z.string(), z.string()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  'build-system': z.object({ 'build-backend': text, requires: texts }).optional().catch(undefined),
  'dependency-groups': z.record(z.string(), z.array(z.unknown())).optional().catch(undefined),
  tool: z
    .object({
      poetry: z
        .object({ name: text, dependencies: named, scripts: named, group: named })
        .optional()
        .catch(undefined),
      uv: z
        .object({
          workspace: z.object({ members: texts, exclude: texts }).optional().catch(undefined),
        })
        .optional()
        .catch(undefined),
      pdm: named,
      setuptools_scm: named,
      hatch: named,
    })
    .optional()
    .catch(undefined),
});

export type Pyproject = z.infer<typeof schema>;

/** @returns undefined if there is no `pyproject.toml`; `broken` if it is not TOML */
export function readPyproject({ texts }: ProjectFiles): Pyproject | 'broken' | undefined {
  const found = texts.get('pyproject.toml');
  if (found === undefined) return undefined;
  try {
    return schema.parse(parse(found));
  } catch {
    return 'broken';
  }
}

/** The normalised name of a requirement: `Flask[async]>=2 ; …` is `flask`. */
export function requirementName(requirement: string): string | undefined {
  const [, name] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(requirement) ?? [];
  return name === undefined ? undefined : name.toLowerCase().replace(/[._-]+/g, '-');
}
