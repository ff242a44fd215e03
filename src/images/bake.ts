import { join } from 'node:path';
import type { BakeVariant, BuildOptions, InterpreterVariant } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import type { ResolvedBake } from './bake-file.ts';
import { cacheEntry } from './cache.ts';
import { imageTag, targetName } from './names.ts';
import { isAddress } from '../plan/moving-contexts.ts';

/** What our own Dockerfiles call their base; each interpreter takes its place. */
export const BASE_NAME = 'python';

export interface BakeTarget {
  readonly context: string;
  readonly dockerfile: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly secret?: readonly string[];
  readonly 'cache-from'?: readonly string[];
  readonly 'cache-to'?: readonly string[];
  readonly output: readonly string[];
}

/** A bake definition: written as JSON, built with `docker buildx bake`. */
export interface BakeDefinition {
  readonly target: Readonly<Record<string, BakeTarget>>;
}

/** What makes an interpreter's target, by itself or under an application. */
export interface InterpreterTarget {
  readonly variant: InterpreterVariant;
  readonly build: BuildOptions;
  /** Absolute folder that holds the interpreters' folders. */
  readonly variantsFolder: string;
  /** Absolute folder that the configuration's own paths start from (the CA, folders in `contexts`). */
  readonly root: string;
  /** More to read the cache from: the other side, pulled by digest. */
  readonly cacheFrom?: readonly string[];
}

/** What an application's image is built from. Paths are absolute. */
export interface ApplicationFiles {
  /** The side's files joined with `workload.context`. */
  readonly context: string;
  readonly dockerfile: string;
  /** Images and stages of the Dockerfile that the interpreter takes the place of. */
  readonly replaces: readonly string[];
  /** Build arguments and further named contexts of the default Dockerfile; empty for the project's own. */
  readonly args: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, string>>;
}

export interface ApplicationBuild extends InterpreterTarget {
  readonly side: Side;
  readonly sessionId: string;
  readonly application: ApplicationFiles;
  /** The interpreter's image where it is one by now; undefined: it is built along, as a linked target. */
  readonly interpreterImage?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The folder of `variants/` that an interpreter is built from: one serves all flavours of a compiled CPython. */
export const folderOf = ({ interpreter }: Pick<InterpreterVariant, 'interpreter'>): string =>
  interpreter.startsWith('pyenv') ? 'pyenv' : interpreter;

/** Named contexts that every interpreter is built with: the check of what it promises. */
const OWN_CONTEXTS = ['promises'] as const;

/** The targets' names of one variant's side. */
export const targetsOf = (variant: string, side: Side) => ({
  interpreter: interpreterTargetOf(variant),
  application: `${targetName(variant)}-${side}`,
});

export const interpreterTargetOf = (variant: string) => `interpreter-${targetName(variant)}`;

/**
 * The definition of one side of one interpreter variant: the application, of which the Python images are the interpreter's
 * image, or a second target linked with it where there is no such image yet.
 *
 * Only the application's target writes a cache: its layers hold the interpreter's, and a second writer of
 * the same scope would replace the first. With a registry configured the image carries its own cache, so
 * that who pulls it by digest builds the other side upon the same layers.
 */
export function bakeDefinition(request: ApplicationBuild): BakeDefinition {
  const { variant, side, sessionId, build, application, interpreterImage, labels = {} } = request;
  const { context, dockerfile, replaces, args, contexts } = application;
  const names = targetsOf(variant.name, side);
  const cacheTo = [
    ...build.cacheTo.map((entry) => cacheEntry(entry, variant.name)),
    ...(build.registry === undefined ? [] : ['type=inline']),
  ];
  return {
    target: {
      ...(interpreterImage === undefined
        ? { [names.interpreter]: { ...interpreterTarget(request), output: ['type=cacheonly'] } }
        : {}),
      [names.application]: {
        context,
        dockerfile,
        ...(Object.keys(args).length > 0 ? { args } : {}),
        contexts: {
          ...contexts,
          ...inPlaceOf(
            replaces,
            interpreterImage === undefined
              ? `target:${names.interpreter}`
              : `docker-image://${interpreterImage}`,
          ),
        },
        tags: [imageTag(variant.name, side, sessionId)],
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        ...shared(request),
        ...(cacheTo.length > 0 ? { 'cache-to': cacheTo } : {}),
        output: ['type=docker'],
      },
    },
  };
}

/** Named contexts that put one image in the place of others. */
export const inPlaceOf = (replaces: readonly string[], image: string): Readonly<Record<string, string>> =>
  Object.fromEntries(replaces.map((name) => [name, image]));

export const askingTargetOf = (variant: string) => `asking-${targetName(variant)}`;

/** The definition of a question to an interpreter: a Dockerfile of ours stands on it, and leaves its answer in a folder. */
export function askingDefinition(
  request: InterpreterTarget & {
    /** Absolute folder with the Dockerfile. */
    readonly context: string;
    /** Absolute folder that the answer is put into. */
    readonly answer: string;
    readonly interpreterImage: string | undefined;
  },
): BakeDefinition {
  const { variant, context, answer, interpreterImage } = request;
  const interpreter = interpreterTargetOf(variant.name);
  return {
    target: {
      ...(interpreterImage === undefined
        ? { [interpreter]: { ...interpreterTarget(request), output: ['type=cacheonly'] } }
        : {}),
      [askingTargetOf(variant.name)]: {
        context,
        dockerfile: join(context, 'Dockerfile'),
        contexts: {
          [BASE_NAME]:
            interpreterImage === undefined ? `target:${interpreter}` : `docker-image://${interpreterImage}`,
        },
        output: [`type=local,${csvField(`dest=${answer}`)}`],
      },
    },
  };
}

/** The definition of an interpreter's image by itself. @param output buildx's word: `type=docker`, `type=registry` */
export function interpreterDefinition(
  request: InterpreterTarget,
  tag: string,
  output: string,
  labels: Readonly<Record<string, string>>,
): BakeDefinition {
  return {
    target: {
      [interpreterTargetOf(request.variant.name)]: {
        ...interpreterTarget(request),
        tags: [tag],
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        output: [output],
      },
    },
  };
}

function interpreterTarget(request: InterpreterTarget): Omit<BakeTarget, 'output'> {
  const { variant, variantsFolder, root } = request;
  const folder = join(variantsFolder, folderOf(variant));
  return {
    context: folder,
    dockerfile: join(folder, 'Dockerfile'),
    args: variant.args,
    contexts: interpreterContexts(variant, variantsFolder, root),
    ...shared(request),
  };
}

/** The named contexts of an interpreter's build, ours last: the user's cannot replace the check. */
export function interpreterContexts(
  variant: InterpreterVariant,
  variantsFolder: string,
  root: string,
): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(
      Object.entries(variant.contexts).map(([name, value]) => [name, namedContext(value, root)]),
    ),
    ...Object.fromEntries(OWN_CONTEXTS.map((name) => [name, join(variantsFolder, name)])),
  };
}

function shared({ variant, build, root, cacheFrom = [] }: InterpreterTarget) {
  const secret = secretsOf(build, root);
  const from = [...build.cacheFrom.map((entry) => cacheEntry(entry, variant.name)), ...cacheFrom];
  return {
    ...(secret.length > 0 ? { secret } : {}),
    ...(from.length > 0 ? { 'cache-from': from } : {}),
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
export function definitionText(definition: BakeDefinition | ResolvedBake): string {
  return `${JSON.stringify(escapeTemplates(definition), undefined, 2)}\n`;
}

export interface BakeCall {
  readonly file: string;
  readonly metadataFile: string;
  readonly target: string;
  readonly progress: 'rawjson' | 'plain';
  readonly set?: readonly string[] | undefined;
  readonly cold?: boolean | undefined;
}

/** The argument list after `docker`. Attestations are off: the image store that loads the result refuses them. */
export function bakeArguments({
  file,
  metadataFile,
  target,
  progress,
  set = [],
  cold = false,
}: BakeCall): string[] {
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
    ...(cold ? ['--no-cache'] : []),
    ...set.flatMap((override) => ['--set', override]),
    target,
  ];
}

/** What a target of the project's own bake file is given: our tag, and the caches that the configuration names. */
export const bakeSettings = ({ name }: BakeVariant, side: Side, sessionId: string, build: BuildOptions) => ({
  tag: imageTag(name, side, sessionId),
  cacheFrom: build.cacheFrom.map((entry) => cacheEntry(entry, name)),
  cacheTo: build.cacheTo.map((entry) => cacheEntry(entry, name)),
});

/** A named context: an address stays, a path starts from the root. */
function namedContext(value: string, root: string): string {
  return isAddress(value) ? value : absolute(value, root);
}

const absolute = (path: string, root: string) => (path.startsWith('/') ? path : join(root, path));

/** One field of a comma-separated specification, quoted where it holds what would end it. */
const csvField = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

function escapeTemplates(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[$%]\{/g, (opening) => opening.charAt(0) + opening);
  if (Array.isArray(value)) return value.map(escapeTemplates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [escapeTemplates(key), escapeTemplates(inner)]),
  );
}
