import { tryGit } from '../process/git.ts';

/**
 * Passes a token to git through the environment only, so that it is in no argument list and on no disk.
 * actions/checkout usually stores its own header in the repository's configuration, and servers reject two headers.
 *
 * @returns environment to add; empty if none is needed
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
