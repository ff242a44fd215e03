import { ConfigurationError } from '../errors/errors.ts';
import { DEFAULTS } from '../plan/defaults.ts';
import { formerIdentityOf, IDENTITY, identityOf, isConfigurationFile } from '../plan/identity.ts';
import { resolvePlan, type Overrides } from '../plan/resolve.ts';
import type { SourcePort } from './ports.ts';
import { isOutside, type Project } from './project.ts';

/** Opens a folder's project: its configuration becomes a plan. */

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

/** The ports for opening a project. */
export type ProjectSource = Pick<SourcePort, 'findConfiguration' | 'committedFiles' | 'readFileAt'>;

/** @throws ConfigurationError if there is no configuration, or with all errors in it */
export async function openProject(
  { directory, config, overrides, follow = true }: ProjectRequest,
  source: ProjectSource,
): Promise<Project> {
  const { top, repository, file, realFile, text } = await source.findConfiguration({
    directory,
    config,
    standard: DEFAULTS.configurationFile,
  });
  if (!follow && !isOutside(file) && isOutside(realFile))
    throw new ConfigurationError(
      `${file} is a link to a place outside the repository. Put the configuration itself there.`,
    );
  return {
    ...{ top, repository, file },
    plan: resolvePlan({ text, file, root: top, overrides }),
    formerly: repository ? await formerName(top, file, source) : undefined,
  };
}

/**
 * The name of a configuration that may not be readable: as given, else as its file says, else as its path makes it.
 * Errors are posted and kept under this name. Never throws.
 */
export async function nameOfConfiguration(
  { directory, config, overrides }: Omit<ProjectRequest, 'follow'>,
  source: Pick<ProjectSource, 'findConfiguration'>,
): Promise<string> {
  const standard = DEFAULTS.configurationFile;
  const found = await source.findConfiguration({ directory, config, standard }).catch(() => undefined);
  // The file may be broken anywhere else, so it is not parsed.
  const [, named = ''] = /^name:[ \t]*(?:"|')?([^\s"'#]+)/m.exec(found?.text ?? '') ?? [];
  const given = [overrides.name, named].find((name) => name !== undefined && IDENTITY.test(name));
  return given ?? identityOf(found?.file ?? config ?? standard);
}

/**
 * The old name of a configuration, which is its base name. Its stored folder is adopted only if no other file of the
 * commit had the same old name, because sessions of two services in one folder cannot be told apart.
 */
async function formerName(top: string, file: string, source: ProjectSource): Promise<string | undefined> {
  const old = formerIdentityOf(file);
  if (old === identityOf(file)) return undefined;
  const files = await source.committedFiles(top);
  if (files === undefined) return undefined;
  const alike = files.filter(
    (path) => path !== file && isConfigurationFile(path) && formerIdentityOf(path) === old,
  );
  for (const path of alike) {
    const read = await source.readFileAt(top, 'HEAD', path);
    const text = read.kind === 'text' ? read.text : '';
    if (/^workload:/m.test(text) && /^variants:/m.test(text)) return undefined;
  }
  return old;
}
