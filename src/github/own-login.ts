import { statusOf } from './answer.ts';
import type { Octokit } from './client.ts';

/**
 * Which of some logins is ours. GitHub's GraphQL field `viewer.login` tells an app's token, with `[bot]` left to be
 * added; its REST API refuses the question to an app's token and answers a person's (`GET /user`). The first is asked
 * where a bot has written, the second only where a person has. A server without GraphQL (Forgejo) has only the second.
 * The job's own token is `github-actions[bot]`'s.
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
