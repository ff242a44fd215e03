import { join } from 'node:path';
import type { BakeVariant, BuildOptions, InterpreterVariant } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import { cacheEntry } from './cache.ts';
import { imageTag, targetName } from './names.ts';

/** What an application's Dockerfile calls its base; each interpreter takes its place. */
export const BASE_NAME = 'python';

export interface BakeTarget {
  readonly context: string;
  readonly dockerfile: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly secret?: readonly string[];
  readonly 'cache-from'?: readonly string[];
  readonly 'cache-to'?: readonly string[];
  readonly output: readonly string[];
}

/** A bake definition: written as JSON, built with `docker buildx bake`. */
export interface BakeDefinition {
  readonly target: Readonly<Record<string, BakeTarget>>;
}

export interface InterpreterBuild {
  readonly variant: InterpreterVariant;
  readonly side: Side;
  readonly sessionId: string;
  readonly build: BuildOptions;
  /** Absolute folder that holds the interpreters' folders. */
  readonly variantsFolder: string;
  /** Absolute folder that the configuration's own paths start from (the CA, folders in `contexts`). */
  readonly root: string;
  /** Absolute folder that the image carries: the side's files joined with `workload.context`. */
  readonly context: string;
  /** Absolute path of the application's Dockerfile. */
  readonly dockerfile: string;
  /** More to read the cache from: the other side, pulled by digest. */
  readonly cacheFrom?: readonly string[];
}

/** The targets' names of one variant's side. */
export const targetsOf = (variant: string, side: Side) => ({
  interpreter: `interpreter-${targetName(variant)}`,
  application: `${targetName(variant)}-${side}`,
});

/**
 * The definition of one side of one interpreter variant: two linked targets, of which the application's
 * `FROM python` is the interpreter's.
 *
 * Only the application's target writes a cache: its layers hold the interpreter's, and a second writer of
 * the same scope would replace the first. With a registry configured the image carries its own cache, so
 * that who pulls it by digest builds the other side upon the same layers.
 */
export function bakeDefinition(request: InterpreterBuild): BakeDefinition {
  const { variant, side, sessionId, build, variantsFolder, root, context, dockerfile } = request;
  const names = targetsOf(variant.name, side);
  const interpreterFolder = join(variantsFolder, variant.interpreter);
  const secret = secretsOf(build, root);
  const cacheFrom = [
    ...build.cacheFrom.map((entry) => cacheEntry(entry, variant.name)),
    ...(request.cacheFrom ?? []),
  ];
  const cacheTo = [
    ...build.cacheTo.map((entry) => cacheEntry(entry, variant.name)),
    ...(build.registry === undefined ? [] : ['type=inline']),
  ];
  const shared = {
    ...(secret.length > 0 ? { secret } : {}),
    ...(cacheFrom.length > 0 ? { 'cache-from': cacheFrom } : {}),
  };
  return {
    target: {
      [names.interpreter]: {
        context: interpreterFolder,
        dockerfile: join(interpreterFolder, 'Dockerfile'),
        args: variant.args,
        ...(Object.keys(variant.contexts).length > 0
          ? { contexts: mapValues(variant.contexts, (value) => namedContext(value, root)) }
          : {}),
        ...shared,
        output: ['type=cacheonly'],
      },
      [names.application]: {
        context,
        dockerfile,
        contexts: { [BASE_NAME]: `target:${names.interpreter}` },
        tags: [imageTag(variant.name, side, sessionId)],
        ...shared,
        ...(cacheTo.length > 0 ? { 'cache-to': cacheTo } : {}),
        output: ['type=docker'],
      },
    },
  };
}

/** The secrets as bake takes them, the extra certificate authority among them as `ca`. */
export function secretsOf({ secrets, ca }: BuildOptions, root: string): string[] {
  return [...secrets, ...(ca === undefined ? [] : [`id=ca,${csvField(`src=${absolute(ca, root)}`)}`])];
}

/**
 * The definition as text. Bake reads every string of a JSON file, keys too, as a template: without the
 * doubling, a `${…}` in an argument would be evaluated.
 */
export function definitionText(definition: BakeDefinition): string {
  return `${JSON.stringify(escapeTemplates(definition), undefined, 2)}\n`;
}

export interface BakeCall {
  readonly file: string;
  readonly metadataFile: string;
  readonly target: string;
  readonly progress: 'rawjson' | 'plain';
  readonly set?: readonly string[];
}

/** The argument list after `docker`. Attestations are off: the image store that loads the result refuses them. */
export function bakeArguments({ file, metadataFile, target, progress, set = [] }: BakeCall): string[] {
  return [
    'buildx',
    'bake',
    '--file',
    file,
    '--metadata-file',
    metadataFile,
    '--progress',
    progress,
    '--provenance=false',
    '--sbom=false',
    ...set.flatMap((override) => ['--set', override]),
    target,
  ];
}

/**
 * What is laid over a target of the project's own bake file: our tag, an image in the engine's store, and
 * the caches that the configuration names. Its secrets, arguments and contexts stay its own.
 */
export function bakeOverrides(
  variant: BakeVariant,
  side: Side,
  sessionId: string,
  build: BuildOptions,
): string[] {
  const { target, name } = variant;
  return [
    `${target}.tags=${imageTag(name, side, sessionId)}`,
    `${target}.output=type=docker`,
    ...build.cacheFrom.map((entry) => `${target}.cache-from=${cacheEntry(entry, name)}`),
    ...build.cacheTo.map((entry) => `${target}.cache-to=${cacheEntry(entry, name)}`),
  ];
}

/** A named context: `docker-image://…`, `https://…` and their like stay, a path starts from the root. */
function namedContext(value: string, root: string): string {
  return value.includes('://') ? value : absolute(value, root);
}

const absolute = (path: string, root: string) => (path.startsWith('/') ? path : join(root, path));

/** One field of a comma-separated specification, quoted where it holds what would end it. */
const csvField = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function escapeTemplates(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[$%]\{/g, (opening) => opening.charAt(0) + opening);
  if (Array.isArray(value)) return value.map(escapeTemplates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [escapeTemplates(key), escapeTemplates(inner)]),
  );
}
