import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { tryGit } from '../process/git.ts';
import { topLevel } from './sides.ts';

/** The configuration's file in a work tree or a plain folder. */

export interface ConfigurationRequest {
  readonly directory: string;
  /** As typed, relative to the directory. Defaults to `standard` at the top. */
  readonly config: string | undefined;
  /** The default path of a configuration, from the top. */
  readonly standard: string;
}

export interface ConfigurationFile {
  /** The repository's top, else the folder itself. */
  readonly top: string;
  readonly repository: boolean;
  /** The file's path from the top, as messages name it. */
  readonly file: string;
  /** The path from the real top to the real file: differs from `file` if a link leads there. */
  readonly realFile: string;
  readonly text: string;
}

/** @throws ConfigurationError if there is no configuration, with the place of one in a folder below */
export async function findConfiguration(request: ConfigurationRequest): Promise<ConfigurationFile> {
  const { directory, config, standard } = request;
  // actions/checkout with `path:` puts the repository into a folder below, which the configuration's path names.
  const found =
    (await topLevel(directory)) ??
    (config === undefined ? undefined : await topLevelOf(dirname(resolve(directory, config))));
  const top = found ?? resolve(directory);
  const path = config === undefined ? join(top, standard) : resolve(directory, config);
  const text = await readFile(path, 'utf8').catch(async (error: unknown) => {
    throw await withoutConfiguration(top, path, request, error);
  });
  const realFile = relative(await realpath(top), await realpath(path));
  return { top, repository: found !== undefined, file: relative(top, path), realFile, text };
}

/** Whether a folder, or its repository, has a configuration at the default place or one folder below. */
export async function hasConfiguration(directory: string, standard: string): Promise<boolean> {
  const top = (await topLevel(directory)) ?? resolve(directory);
  return existsSync(join(top, standard)) || (await configurationsBelow(top, standard)).length > 0;
}

/** The paths of all files at the checkout's commit; undefined if it has none. */
export async function committedFiles(top: string): Promise<readonly string[] | undefined> {
  const listed = await tryGit(top, ['ls-tree', '-r', '-z', '--name-only', 'HEAD']);
  return listed.status === 0 ? listed.stdout.split('\0').filter((path) => path !== '') : undefined;
}

const topLevelOf = async (folder: string) => (existsSync(folder) ? await topLevel(folder) : undefined);

async function withoutConfiguration(
  top: string,
  path: string,
  { config, standard }: ConfigurationRequest,
  cause: unknown,
): Promise<ConfigurationError> {
  const reason = cause instanceof Error ? cause.message.split(',')[0] : String(cause);
  const found = `There is no configuration at ${path} (${reason})`;
  const below = config === undefined ? await configurationsBelow(top, standard) : [];
  return new ConfigurationError(
    below.length > 0
      ? `${found}, and there is one in a folder below. Name it with --config ${below.join(' or ')}, or the input config.`
      : `${found}. Write one with \`pacegate init\`, or name another with ${config === undefined ? '--config, or the input config' : '--config'}.`,
    { cause },
  );
}

/** Configurations of checkouts one folder below, from actions/checkout with `path:`. */
async function configurationsBelow(top: string, standard: string): Promise<readonly string[]> {
  const entries = await readdir(top, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(name, standard))
    .filter((file) => existsSync(join(top, file)));
}
