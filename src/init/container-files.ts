import { finalBase, readBases, replacedBases } from '../dockerfile/dockerfile.ts';
import type { ProjectFiles } from './project-files.ts';

/** The image of an existing Dockerfile or bake file. */
export type OwnImage =
  | { readonly kind: 'none' }
  /** A Dockerfile whose last stage stands on an image called `python`. Each variant's interpreter replaces it. */
  | { readonly kind: 'replaceable'; readonly dockerfile: string }
  /** A Dockerfile on another image, which is built unchanged. */
  | { readonly kind: 'fixed'; readonly dockerfile: string; readonly base: string }
  | { readonly kind: 'bake'; readonly file: string; readonly target: string };

export interface ContainerFacts {
  readonly image: OwnImage;
  /** The minor version of the Dockerfile's Python, such as `3.12`. */
  readonly python: string | undefined;
  readonly notes: readonly string[];
}

const BAKE_FILES = ['docker-bake.hcl', 'docker-bake.json'];
/** Common names of the deployed image's target. */
const DEPLOYED = ['app', 'prod', 'production', 'runtime', 'release', 'image', 'default'];

export function readContainerFiles(files: ProjectFiles): ContainerFacts {
  const dockerfile = ['Dockerfile', 'Containerfile'].find((path) => files.texts.has(path));
  const text = dockerfile === undefined ? '' : (files.texts.get(dockerfile) ?? '');
  const base = finalBase(text);
  const python = pythonOf(base?.base ?? '');
  const bake = bakeTarget(files);
  const notes = readBases(text, {}).stages.some(({ platform }) => platform !== undefined && platform !== '')
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
  // The same rule as when the images are built.
  return replacedBases(text, []).kind === 'found'
    ? facts({ kind: 'replaceable', dockerfile })
    : facts({ kind: 'fixed', dockerfile, base: base.base ?? base.text });
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
