import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { BuildError, ConfigurationError } from '../errors/errors.ts';
import { runCommand } from '../process/command.ts';
import { CACHE_TOKEN } from './cache-token.ts';
import { lastWords } from './docker.ts';
import { insideCheckout } from './paths.ts';
import { isAddress } from '../plan/moving-contexts.ts';
import { own } from '../session/record.ts';
import { parseJson } from '../session/json.ts';

/**
 * A project's own bake file. buildx resolves it first, Pacegate checks the result and then builds it: a file of a
 * change could otherwise read a secret of the runner, or write to its folders.
 */

const textOrTable = z.union([z.string(), z.record(z.string(), z.unknown())]);
const targetSchema = z.looseObject({
  context: z.string().optional(),
  contexts: z.record(z.string(), z.string()).optional(),
  dockerfile: z.string().optional(),
  platforms: z.array(z.string()).optional(),
  secret: z.array(textOrTable).optional(),
  'cache-from': z.array(textOrTable).optional(),
  'cache-to': z.array(textOrTable).optional(),
  network: z.string().optional(),
});
const resolvedSchema = z.looseObject({ target: z.record(z.string(), targetSchema) });

type ResolvedTarget = z.infer<typeof targetSchema>;
/** A target and its linked targets in the output of `docker buildx bake --print`. */
export interface ResolvedBake {
  readonly target: Readonly<Record<string, ResolvedTarget>>;
}

/** Override files that `docker buildx bake` also reads, in its order. */
const OVERRIDES = ['docker-bake.override.json', 'docker-bake.override.hcl'];
const LOOKED_UP = ['docker-bake.json', 'docker-bake.hcl'];

/** A bake file with its override files, absolute. */
export async function bakeFiles(tree: string, file: string): Promise<readonly string[]> {
  const path = join(tree, file);
  if (!LOOKED_UP.includes(basename(file))) return [path];
  const there: string[] = [path];
  for (const name of OVERRIDES) {
    const override = join(dirname(path), name);
    const found = await access(override).then(
      () => true,
      () => false,
    );
    if (found) there.push(override);
  }
  return there;
}

/** Resolves a bake file with buildx. @throws BuildError with buildx's message */
export async function resolveBake(
  request: {
    readonly files: readonly string[];
    readonly target: string;
    readonly directory: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
  signal: AbortSignal,
): Promise<ResolvedBake> {
  const { files, target, directory, env } = request;
  const result = await runCommand(
    'docker',
    ['buildx', 'bake', '--print', ...files.flatMap((file) => ['--file', file]), target],
    { cwd: directory, env, signal, timeoutSeconds: 60, group: true },
  );
  if (result.status !== 0) throw new BuildError(`the bake file could not be resolved: ${lastWords(result)}`);
  const parsed = resolvedSchema.safeParse(parseJson(result.stdout));
  if (!parsed.success || own(parsed.data.target, target) === undefined)
    throw new BuildError(
      `${JSON.stringify(target)} names no single target of the bake file. A group cannot be a variant: name a target that makes one image.`,
    );
  return { target: parsed.data.target };
}

/** The definition to build: one image for this machine under Pacegate's tag. Linked targets write nothing. */
export function bakeToBuild(
  { target: targets }: ResolvedBake,
  target: string,
  {
    tag,
    cacheFrom,
    cacheTo,
    confined,
  }: {
    readonly tag: string;
    readonly cacheFrom: readonly string[];
    readonly cacheTo: readonly string[];
    /** The file comes from a change: it writes no cache that later builds read. */
    readonly confined: boolean;
  },
): ResolvedBake {
  return {
    target: Object.fromEntries(
      Object.entries(targets).map(([name, own]) => {
        const { platforms = [], 'cache-to': written, ...others } = own;
        const rest = Object.fromEntries(
          Object.entries(others).filter(([key]) => key !== 'tags' && key !== 'output'),
        );
        const main = name === target;
        const caches = main && cacheTo.length > 0 ? cacheTo : confined ? [] : (written ?? []);
        return [
          name,
          {
            ...rest,
            // Several platforms give an index, which an engine cannot load. Without platforms the build is for this
            // machine.
            ...(platforms.length === 1 ? { platforms } : {}),
            ...(main && cacheFrom.length > 0 ? { 'cache-from': [...cacheFrom] } : {}),
            ...(caches.length > 0 ? { 'cache-to': [...caches] } : {}),
            ...(main ? { tags: [tag], output: ['type=docker'] } : { output: ['type=cacheonly'] }),
          },
        ];
      }),
    ),
  };
}

/** Keys of a target that cannot reach the runner, or that are checked below. */
const KNOWN = [
  ...[
    'annotations',
    'args',
    'attest',
    'cache-from',
    'cache-to',
    'call',
    'context',
    'contexts',
    'description',
  ],
  ...['dockerfile', 'dockerfile-inline', 'extra-hosts', 'labels', 'network', 'no-cache', 'no-cache-filter'],
  ...['output', 'platforms', 'policy', 'pull', 'secret', 'shm-size', 'tags', 'target', 'ulimits'],
];
const ADDRESS = /^(docker-image|https?):\/\//;

/**
 * Checks what a change's bake file would reach of the runner: paths that lead out of its files, secrets of the
 * environment, the ssh agent, the host's network. Its outputs and the caches that it writes are removed anyway.
 * @returns a sentence on the first such key, or undefined
 */
export async function hostAccessOf({ target }: ResolvedBake, tree: string): Promise<string | undefined> {
  try {
    for (const [name, own] of Object.entries(target)) await checkTarget(name, own, tree);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

async function checkTarget(name: string, own: ResolvedTarget, tree: string): Promise<void> {
  const refuse = (key: string, what: string): never => {
    throw new ConfigurationError(
      `target.${name}.${key} of the bake file ${what}. A pull request's bake file may use only its own files.`,
    );
  };
  const unknown = Object.keys(own).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) refuse(unknown, 'must not be set by a pull request');
  if (own.network !== undefined && !['default', 'none'].includes(own.network))
    refuse('network', `is ${JSON.stringify(own.network)}`);
  const context = own.context ?? '.';
  const contexts = { context, ...own.contexts };
  for (const [key, value] of Object.entries(contexts)) {
    if (value.startsWith('target:') || ADDRESS.test(value)) continue;
    if (isAddress(value)) refuse(`contexts.${key}`, `has the scheme of ${JSON.stringify(value)}`);
    await insideTree(tree, value, `target.${name}.contexts.${key} of the bake file`);
  }
  const { dockerfile } = own;
  if (dockerfile !== undefined && !ADDRESS.test(context))
    await insideTree(
      tree,
      dockerfile.startsWith('/') ? dockerfile : join(context, dockerfile),
      `target.${name}.dockerfile of the bake file`,
    );
  for (const entry of own.secret ?? []) {
    const { src, source, path = src ?? source, env, type } = fieldsOf(entry);
    if (path === undefined || env !== undefined || type === 'env')
      refuse('secret', 'reads a secret of the environment');
    else await insideTree(tree, path, `target.${name}.secret of the bake file`);
  }
  for (const entry of own['cache-from'] ?? []) {
    const { src, source, path = src ?? source } = fieldsOf(entry);
    if (path !== undefined) await insideTree(tree, path, `target.${name}.cache-from of the bake file`);
  }
}

/**
 * A secret of a bake file, also of the maintainers', that would give the runner's cache token to a Dockerfile. A secret
 * without a source and without a variable is read from the variable of its name.
 */
export function exposedToken({
  target,
}: ResolvedBake): { readonly target: string; readonly name: string } | undefined {
  for (const [name, { secret = [] }] of Object.entries(target))
    for (const { id, src, source, path = src ?? source, env, type } of secret.map(fieldsOf)) {
      const variables = path === undefined ? [env ?? id] : [env, ...(type === 'env' ? [path] : [])];
      const token = CACHE_TOKEN.find((variable) => variables.includes(variable));
      if (token !== undefined) return { target: name, name: token };
    }
  return undefined;
}

/** An absolute path is refused like one that leads out of the checkout. */
async function insideTree(tree: string, path: string, what: string): Promise<void> {
  if (path.startsWith('/') && !`${path}/`.startsWith(`${tree}/`))
    throw new ConfigurationError(
      `${what} is ${JSON.stringify(path)}, which is outside the checkout. A pull request's bake file may use only its own files.`,
    );
  await insideCheckout(tree, path, what);
}

/** The fields of a specification, as text or as newer versions of buildx print it. */
function fieldsOf(entry: string | Readonly<Record<string, unknown>>): Record<string, string> {
  if (typeof entry !== 'string')
    return Object.fromEntries(
      Object.entries(entry).filter((field): field is [string, string] => typeof field[1] === 'string'),
    );
  return Object.fromEntries(
    entry.split(',').map((field) => {
      const [key = '', ...rest] = field.trim().replace(/^"|"$/g, '').split('=');
      return [key.toLowerCase(), rest.join('=')];
    }),
  );
}
