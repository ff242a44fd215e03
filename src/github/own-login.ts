import { statusOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { isForgejo } from './context.ts';

/** The owners of a job's own token on Forgejo and on Gitea. Both names are reserved there. */
const JOB_LOGINS = ['forgejo-actions', 'gitea-actions'];

/**
 * Finds out which of some logins is ours. GitHub's GraphQL field `viewer.login` answers for an app's token, without
 * `[bot]`. GitHub's REST API (`GET /user`) rejects an app's token and answers for a person's. The first is asked if a
 * bot is among the logins, the second only if a person is. A server without GraphQL (Forgejo) has only the second. The
 * job's own token belongs to `github-actions[bot]`.
 */
export async function ownLogin(octokit: Octokit, logins: readonly string[]): Promise<string | undefined> {
  const bots = logins.filter((login) => login.endsWith('[bot]'));
  if (bots.length > 0) {
    const bot = await appLogin(octokit);
    if (bots.includes(bot)) return bot;
    if (bots.length === logins.length) return undefined;
  }
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login;
  } catch (error) {
    const status = statusOf(error);
    if (isForgejo(octokit.request.endpoint.DEFAULTS.baseUrl) && [401, 403, 404].includes(status ?? 0))
      return logins.find((login) => JOB_LOGINS.includes(login));
    if (status === 403 || status === 401) return undefined;
    throw error;
  }
}

async function appLogin(octokit: Octokit): Promise<string> {
  try {
    const answer: { viewer: { login: string } } = await octokit.graphql('query { viewer { login } }');
    const { login } = answer.viewer;
    return login.endsWith('[bot]') ? login : `${login}[bot]`;
  } catch {
    return 'github-actions[bot]';
  }
}
