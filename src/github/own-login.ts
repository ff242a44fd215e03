import { statusOf } from './answer.ts';
import type { Octokit } from './client.ts';

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
    if (statusOf(error) === 403 || statusOf(error) === 401) return undefined;
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
