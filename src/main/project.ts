import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { DEFAULTS } from '../plan/defaults.ts';
import { formerIdentityOf, identityOf, isConfigurationFile } from '../plan/identity.ts';
import { isOutside, type Project } from '../pipeline/project.ts';
import { tryGit } from '../process/git.ts';
import { resolvePlan, type Overrides } from '../plan/resolve.ts';
import { readFileAt } from '../source/export.ts';
import { topLevel } from '../source/sides.ts';

export interface ProjectRequest {
  readonly directory: string;
  /** As typed, relative to the directory. Defaults to the default file at the top. */
  readonly config: string | undefined;
  readonly overrides: Overrides;
  /**
   * Whether the file may be a link out of the repository. A change could link to secret files, so its report does not
   * follow links.
   */
  readonly follow?: boolean;
}

/** @throws ConfigurationError if there is no configuration, or with all errors in it */
export async function openProject({
  directory,
  config,
  overrides,
  follow = true,
}: ProjectRequest): Promise<Project> {
  // actions/checkout with `path:` puts the repository into a folder below, which the configuration's path names.
  const found =
    (await topLevel(directory)) ??
    (config === undefined ? undefined : await topLevelOf(dirname(resolve(directory, config))));
  const top = found ?? resolve(directory);
  const path = config === undefined ? join(top, DEFAULTS.configurationFile) : resolve(directory, config);
  const file = relative(top, path);
  const text = await readFile(path, 'utf8').catch(async (error: unknown) => {
    throw await withoutConfiguration(top, path, config, error);
  });
  if (!follow && !isOutside(file)) await refuseLinkOut(top, path, file);
  return {
    top,
    repository: found !== undefined,
    file,
    plan: resolvePlan({ text, file, root: top, overrides }),
    formerly: found === undefined ? undefined : await formerName(top, file),
  };
}

/** Whether a folder, or its repository, has a configuration at the default place or one folder below. */
export async function hasConfiguration(directory: string): Promise<boolean> {
  const top = (await topLevel(directory)) ?? resolve(directory);
  return existsSync(join(top, DEFAULTS.configurationFile)) || (await configurationsBelow(top)).length > 0;
}

const topLevelOf = async (folder: string) => (existsSync(folder) ? await topLevel(folder) : undefined);

async function withoutConfiguration(
  top: string,
  path: string,
  config: string | undefined,
  cause: unknown,
): Promise<ConfigurationError> {
  const reason = cause instanceof Error ? cause.message.split(',')[0] : String(cause);
  const found = `There is no configuration at ${path} (${reason})`;
  const below = config === undefined ? await configurationsBelow(top) : [];
  return new ConfigurationError(
    below.length > 0
      ? `${found}, and there is one in a folder below. Name it with --config ${below.join(' or ')}, or the input config.`
      : `${found}. Write one with \`pacegate init\`, or name another with ${config === undefined ? '--config, or the input config' : '--config'}.`,
    { cause },
  );
}

/** Configurations of checkouts one folder below, from actions/checkout with `path:`. */
async function configurationsBelow(top: string): Promise<readonly string[]> {
  const entries = await readdir(top, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(name, DEFAULTS.configurationFile))
    .filter((file) => existsSync(join(top, file)));
}

async function refuseLinkOut(top: string, path: string, file: string): Promise<void> {
  const real = relative(await realpath(top), await realpath(path));
  if (isOutside(real))
    throw new ConfigurationError(
      `${file} is a link that leads out of the repository. Put the configuration itself there.`,
    );
}

/**
 * The old name of a configuration, which is its base name. Its stored folder is adopted only if no other file of the
 * commit had the same old name, because sessions of two services in one folder cannot be told apart.
 */
async function formerName(top: string, file: string): Promise<string | undefined> {
  const old = formerIdentityOf(file);
  if (old === identityOf(file)) return undefined;
  const listed = await tryGit(top, ['ls-tree', '-r', '-z', '--name-only', 'HEAD']);
  if (listed.status !== 0) return undefined;
  const alike = listed.stdout
    .split('\0')
    .filter((path) => path !== file && isConfigurationFile(path) && formerIdentityOf(path) === old);
  for (const path of alike) {
    const read = await readFileAt(top, 'HEAD', path);
    const text = read.kind === 'text' ? read.text : '';
    if (/^workload:/m.test(text) && /^variants:/m.test(text)) return undefined;
  }
  return old;
}
