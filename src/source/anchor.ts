import { ConfigurationError } from '../errors/errors.ts';
import { tryGit } from '../process/git.ts';
import { fetchCommit, fetchTag } from './fetch.ts';
import type { SideCommit } from './sides.ts';

/** Finds the commit of `rules.anchor`, and fetches it if it is missing. */

export interface AnchorRequest {
  /** The top of the work tree. */
  readonly directory: string;
  /** `rules.anchor`: a tag or a commit. */
  readonly ref: string;
  /** The configuration file, for messages. */
  readonly file: string;
  /** Credentials for fetching. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Resolves `rules.anchor` to a commit and fetches it if a shallow checkout lacks it. Rejects a branch, because a branch
 * moves by itself, and only a change of the configuration may move the anchor.
 *
 * @throws ConfigurationError if it names no tag and no commit that can be fetched
 */
export async function resolveAnchor({ directory, ref, file, env = {} }: AnchorRequest): Promise<SideCommit> {
  const refuse = (found: string) =>
    new ConfigurationError(
      `${file}: rules.anchor: found ${JSON.stringify(ref)}, ${found}; must be a tag or a commit of this repository, such as v1.2.0.`,
    );
  const commitOf = async (name: string) => {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const { status, stdout } = await tryGit(directory, args);
    return status === 0 ? stdout.trim() : undefined;
  };
  const asSide = (commit: string): SideCommit => ({ commit, tree: commit, dirty: false });

  const tag = await commitOf(`refs/tags/${ref}`);
  if (tag !== undefined) return asSide(tag);
  if (/^[0-9a-f]{40,64}$/.test(ref)) {
    const missing = await fetchCommit({ directory, env }, ref);
    if (missing === undefined) return asSide(ref);
    throw refuse(`a commit that cannot be fetched from origin (${missing})`);
  }
  for (const branch of [`refs/heads/${ref}`, `refs/remotes/origin/${ref}`])
    if ((await commitOf(branch)) !== undefined)
      throw refuse(`a branch, which moves by itself (it is now at ${(await commitOf(branch)) ?? ''})`);
  const short = /^[0-9a-f]{7,}$/.test(ref) ? await commitOf(ref) : undefined;
  if (short !== undefined) return asSide(short);
  const fetched = await fetchTag({ directory, env }, ref);
  if ('commit' in fetched) return asSide(fetched.commit);
  throw refuse(
    `which is no tag here and could not be fetched from origin as one (${fetched.missing}); a shallow checkout needs the full commit hash`,
  );
}
