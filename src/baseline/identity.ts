import { tryGit } from '../process/git.ts';

/** Who writes the branch's commits. */

const [NAME, EMAIL] = ['pacegate', 'pacegate@users.noreply.github.com'];
export const OWN_IDENTITY = {
  GIT_AUTHOR_NAME: NAME,
  GIT_AUTHOR_EMAIL: EMAIL,
  GIT_COMMITTER_NAME: NAME,
  GIT_COMMITTER_EMAIL: EMAIL,
};

/** Who the commits are by: the user where git knows one for both of its roles, else the tool. */
export async function identity(directory: string): Promise<Record<string, string>> {
  for (const role of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    // Without the setting git makes up an address of the machine's name where it can.
    const known = await tryGit(directory, ['-c', 'user.useConfigOnly=true', 'var', role]);
    if (known.status !== 0) return OWN_IDENTITY;
  }
  return {};
}
