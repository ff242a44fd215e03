import { tryGit } from '../process/git.ts';

/** Finds the author of the branch's commits. */

const [NAME, EMAIL] = ['pacegate', 'pacegate@users.noreply.github.com'];
export const OWN_IDENTITY = {
  GIT_AUTHOR_NAME: NAME,
  GIT_AUTHOR_EMAIL: EMAIL,
  GIT_COMMITTER_NAME: NAME,
  GIT_COMMITTER_EMAIL: EMAIL,
};

/** The author and committer: the user if git has both identities, else Pacegate. */
export async function identity(directory: string): Promise<Record<string, string>> {
  for (const role of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    // Without this setting git may derive an address from the machine's name.
    const known = await tryGit(directory, ['-c', 'user.useConfigOnly=true', 'var', role]);
    if (known.status !== 0) return OWN_IDENTITY;
  }
  return {};
}
