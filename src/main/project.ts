import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { DEFAULTS } from '../plan/defaults.ts';
import type { Plan } from '../plan/plan.ts';
import { formerIdentityOf, identityOf, isConfigurationFile } from '../plan/identity.ts';
import { tryGit } from '../process/git.ts';
import { resolvePlan, type Overrides } from '../plan/resolve.ts';
import { readFileAt } from '../source/export.ts';
import { topLevel } from '../source/sides.ts';

/** A folder with a configuration: a repository's work tree, or a plain folder. */
export interface Project {
  /** The repository's top, else the folder itself. */
  readonly top: string;
  readonly repository: boolean;
  /** The configuration's path from the top, as messages name it. */
  readonly file: string;
  readonly plan: Plan;
  /** What an earlier version knew the configuration by, where that can have been no other of the repository. */
  readonly formerly: string | undefined;
}

export interface ProjectRequest {
  readonly directory: string;
  /** As typed, from the directory; without one the default, from the top. */
  readonly config: string | undefined;
  readonly overrides: Overrides;
  /** Whether the file may be a link out of the repository: what a change links to is not for its report. */
  readonly follow?: boolean;
}

/** @throws ConfigurationError when there is no configuration, or with all that is wrong with it. */
export async function openProject({
  directory,
  config,
  overrides,
  follow = true,
}: ProjectRequest): Promise<Project> {
  // actions/checkout with path: leaves the repository in a folder below, which the configuration's own path names.
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
      : `${found}. Write one (docs/getting-started.md shows a short one), or name another with ${config === undefined ? '--config, or the input config' : '--config'}.`,
    { cause },
  );
}

/** Configurations of checkouts that lie one folder below, as actions/checkout with path: leaves them. */
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
 * The base name of a configuration is its old name. What is kept under it is adopted where no other file of the commit
 * would have had it: two services that shared a folder cannot be told apart in it.
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

/** What a commit's own configuration says; `none` where it has none, `broken` where there is one that cannot be read. */
export type PlanAt =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly message: string };

/** Whether a configuration lies outside of the repository, and so in none of its commits. */
export const isOutside = (file: string): boolean => file.startsWith('..') || isAbsolute(file);

/** Reads the configuration of a commit. */
export async function planAt({ top, file }: Project, commit: string, overrides: Overrides): Promise<PlanAt> {
  if (isOutside(file)) return { kind: 'none' };
  const found = await readFileAt(top, commit, file);
  if (found.kind === 'none') return found;
  if (found.kind === 'refused')
    return { kind: 'broken', message: `${file} at ${commit.slice(0, 10)} ${found.reason}.` };
  const { text } = found;
  const read = (variants: Overrides['variants']): PlanAt => {
    try {
      return {
        kind: 'plan',
        plan: resolvePlan({ text, file, root: top, overrides: { ...overrides, variants } }),
      };
    } catch (error) {
      if (error instanceof ConfigurationError) return { kind: 'broken', message: error.message };
      throw error;
    }
  };
  // A shard's choice first: blocks that are enough for its variants may be too few for all. A name that the old
  // file does not have is no fault of it.
  const chosen = read(overrides.variants);
  return chosen.kind === 'plan' || overrides.variants === undefined ? chosen : read(undefined);
}
