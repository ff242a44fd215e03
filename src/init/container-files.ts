import type { ProjectFiles } from './project-files.ts';

/** The image of an existing Dockerfile or bake file. */
export type OwnImage =
  | { readonly kind: 'none' }
  /** A Dockerfile with `FROM python` without a tag. Each variant's interpreter replaces this base. */
  | { readonly kind: 'replaceable'; readonly dockerfile: string }
  /** A Dockerfile that names its own base, which is built unchanged. */
  | { readonly kind: 'fixed'; readonly dockerfile: string; readonly base: string }
  | { readonly kind: 'bake'; readonly file: string; readonly target: string };

export interface ContainerFacts {
  readonly image: OwnImage;
  /** The minor version of the Dockerfile's Python, such as `3.12`. */
  readonly python: string | undefined;
  readonly notes: readonly string[];
}

interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly platform: string | undefined;
}

const BAKE_FILES = ['docker-bake.hcl', 'docker-bake.json'];
/** Common names of the deployed image's target. */
const DEPLOYED = ['app', 'prod', 'production', 'runtime', 'release', 'image', 'default'];

export function readContainerFiles(files: ProjectFiles): ContainerFacts {
  const dockerfile = ['Dockerfile', 'Containerfile'].find((path) => files.texts.has(path));
  const stages = dockerfile === undefined ? [] : stagesOf(files.texts.get(dockerfile) ?? '');
  const base = finalBase(stages);
  const python = base === undefined ? undefined : pythonOf(base);
  const bake = bakeTarget(files);
  const notes = stages.some(({ platform }) => platform !== undefined && !platform.includes('$'))
    ? [
        `${dockerfile ?? ''} names a platform: an image for another processor than this machine's is not measured.`,
      ]
    : [];
  const facts = (image: OwnImage): ContainerFacts => ({ image, python, notes });
  if (bake?.kind === 'bake') return facts(bake);
  if (bake !== undefined)
    notes.push(
      `${bake.file} has the targets ${bake.targets.join(', ')}: to measure one of them, write \`bake: TARGET\` into a variant.`,
    );
  if (dockerfile === undefined || base === undefined) return facts({ kind: 'none' });
  if (stages.some(({ base: named }) => named === 'python' || named === 'python:latest'))
    return facts({ kind: 'replaceable', dockerfile });
  return facts({ kind: 'fixed', dockerfile, base });
}

/** The stages of a Dockerfile. The `ARG`s before the first `FROM` are replaced by their values. */
export function stagesOf(text: string): readonly Stage[] {
  const defaults = new Map<string, string>();
  const stages: Stage[] = [];
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const [, name, value] = /^\s*ARG\s+(\w+)=["']?([^\s"']*)/i.exec(line) ?? [];
    if (name !== undefined && value !== undefined && stages.length === 0) defaults.set(name, value);
    const from = /^\s*FROM\s+(?:--platform=(\S+)\s+)?(\S+)(?:\s+AS\s+(\S+))?/i.exec(line);
    if (from?.[2] === undefined) continue;
    const base = from[2].replace(
      /\$\{?(\w+)(?::-([^}]*))?\}?/g,
      (whole, variable: string, fallback?: string) => defaults.get(variable) ?? fallback ?? whole,
    );
    stages.push({ base, name: from[3]?.toLowerCase(), platform: from[1] });
  }
  return stages;
}

/** The base image of the last stage. */
function finalBase(stages: readonly Stage[]): string | undefined {
  let at = stages.length - 1;
  for (;;) {
    const stage = stages[at];
    if (stage === undefined) return undefined;
    do at--;
    while (at >= 0 && stages[at]?.name !== stage.base.toLowerCase());
    if (at < 0) return stage.base;
  }
}

/** `python:3.12.4-slim`, `ghcr.io/astral-sh/uv:python3.12-bookworm-slim`: 3.12. */
const pythonOf = (base: string): string | undefined =>
  /(?:^|\/)python:(3\.\d+)/.exec(base)?.[1] ?? /python(3\.\d+)/.exec(base)?.[1];

function bakeTarget(
  files: ProjectFiles,
):
  | Extract<OwnImage, { kind: 'bake' }>
  | { readonly kind: 'several'; readonly file: string; readonly targets: readonly string[] }
  | undefined {
  const file = BAKE_FILES.find((path) => files.texts.has(path));
  if (file === undefined) return undefined;
  const text = files.texts.get(file) ?? '';
  const targets = file.endsWith('.json')
    ? jsonTargets(text)
    : [...text.matchAll(/^\s*target\s+"([\w.-]+)"/gm)].flatMap(([, name]) => name ?? []);
  const target = targets.length === 1 ? targets[0] : DEPLOYED.find((name) => targets.includes(name));
  if (target !== undefined) return { kind: 'bake', file, target };
  return targets.length === 0 ? undefined : { kind: 'several', file, targets };
}

function jsonTargets(text: string): readonly string[] {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== 'object' || value === null || !('target' in value)) return [];
    return typeof value.target === 'object' && value.target !== null ? Object.keys(value.target) : [];
  } catch {
    return [];
  }
}
