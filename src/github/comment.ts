import { isPassing, reasonOf, statusOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { markIn, relationTo, type RunMark } from './run-mark.ts';

/** Finds Pacegate's comment on a pull request and writes it. */

export type CommentResult =
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly url: string }
  /** Another job of this run has written it: its verdict would be lost. */
  | { readonly kind: 'twice' }
  /** A newer run has written it: its verdict holds. */
  | { readonly kind: 'outdated'; readonly url: string }
  /** There is none, and none was wanted. */
  | { readonly kind: 'none' }
  /** The verdict stands all the same; `reason` says what the job would need. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface CommentRequest {
  readonly owner: string;
  readonly repo: string;
  /** The pull request's number. */
  readonly number: number;
  /** Hidden first line of our comments: one comment for each pull request and configuration. */
  readonly marker: string;
  /** That of an earlier version: its comment is taken over where there is none with the marker. */
  readonly formerMarker?: string;
  /** The job that writes, as the body's second line has it. */
  readonly run?: RunMark;
  /** Several jobs of a run write it, one after the other: one that measures, and one that confirms or reports. */
  readonly shared?: boolean;
  /** Only an existing comment is edited; none is made. */
  readonly editOnly?: boolean;
  /** The whole body, beginning with the marker; at most 65,536 characters. */
  readonly body: string;
}

/**
 * Writes the one comment of a pull request and configuration: edited where it is, created where it is not.
 *
 * Never throws for what GitHub answers: a token that may not comment is a result.
 */
export async function upsertComment(octokit: Octokit, request: CommentRequest): Promise<CommentResult> {
  const { owner, repo, run, body } = request;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const own = await findOwn(octokit, request);
      const relation = run === undefined || own === undefined ? 'unknown' : relationTo(run, markIn(own.body));
      if (relation === 'newer' && own !== undefined) return { kind: 'outdated', url: own.html_url };
      if (relation === 'sibling' && request.shared !== true) return { kind: 'twice' };
      if (own === undefined && request.editOnly === true) return { kind: 'none' };
      if (own?.body === body) return { kind: attempt === 1 ? 'unchanged' : 'created', url: own.html_url };
      if (own !== undefined) {
        const updated = await octokit.rest.issues.updateComment({ owner, repo, comment_id: own.id, body });
        return { kind: 'updated', url: updated.data.html_url };
      }
      try {
        const created = await octokit.rest.issues.createComment({
          ...{ owner, repo, issue_number: request.number, body },
          // The comment may be there although its answer was lost: that is looked at before it is posted again.
          request: { retries: 0 },
        });
        return { kind: 'created', url: created.data.html_url };
      } catch (error) {
        if (attempt === MOST_POSTS || !isPassing(error)) throw error;
      }
    }
  } catch (error) {
    return {
      kind: 'refused',
      reason: reasonOf(error, {
        deed: 'comment on this pull request',
        target: `${owner}/${repo} #${request.number}`,
        permission: 'pull-requests: write',
      }),
    };
  }
}

const MOST_POSTS = 3;

/**
 * Our comment, if there is one. Anyone can copy the marker; only a comment of our own is ours to edit, and only ours
 * counts as ours. With several (two jobs at once), the oldest stays the one.
 */
async function findOwn(octokit: Octokit, { owner, repo, number, marker, formerMarker }: CommentRequest) {
  const comments = await octokit.paginate(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number: number,
    per_page: 100,
  });
  const marked = (mark: string | undefined) =>
    mark === undefined ? [] : comments.filter(({ body }) => body?.split('\n')[0]?.trim() === mark);
  const found = [...marked(marker), ...marked(formerMarker)];
  // Who we are is a question of its own, and mostly nobody has to ask it.
  if (found.length === 0) return undefined;
  const logins = found.flatMap(({ user }) => (user === null ? [] : [user.login]));
  const own = await ownLogin(octokit, logins);
  return found.find(({ user }) => user?.login === own);
}

/**
 * Which of some logins is ours. GitHub's GraphQL field `viewer.login` tells an app's token, with `[bot]` left to be
 * added; its REST API refuses the question to an app's token and answers a person's (`GET /user`). The first is asked
 * where a bot has written, the second only where a person has. A server without GraphQL (Forgejo) has only the second.
 * The job's own token is `github-actions[bot]`'s.
 */
async function ownLogin(octokit: Octokit, logins: readonly string[]): Promise<string | undefined> {
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
