import { tryGit } from '../process/git.ts';

/**
 * A token for git, through the environment alone: never in an argument list, never on the disk. actions/checkout
 * normally leaves its own header in the repository's configuration; a second one would be refused by the server.
 *
 * @returns environment to add, empty where there is nothing to do
 */
export async function tokenEnvironment(
  directory: string,
  token: string | undefined,
  serverUrl: string,
): Promise<Record<string, string>> {
  if (token === undefined || token === '' || !/^https?:\/\//.test(serverUrl)) return {};
  const key = `http.${serverUrl.replace(/\/$/, '')}/.extraheader`;
  const persisted = await tryGit(directory, ['config', '--get-all', key]);
  if (persisted.status === 0) return {};
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${basic}`,
  };
}
