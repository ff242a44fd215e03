import { isPassing, reasonOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { ownLogin } from './own-login.ts';
import { markIn, relationTo, type RunMark } from './run-mark.ts';

/** Finds Pacegate's comment on a pull request and writes it. */

export type CommentResult =
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly url: string }
  /** Another job of this run has written it, and its verdict would be lost. */
  | { readonly kind: 'twice' }
  /** A newer run has written it, and its verdict applies. */
  | { readonly kind: 'outdated'; readonly url: string }
  /** There is no comment, and none was requested. */
  | { readonly kind: 'none' }
  /** GitHub refused the comment. The verdict stays the same; `reason` names the missing permission. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface CommentRequest {
  readonly owner: string;
  readonly repo: string;
  /** The pull request's number. */
  readonly number: number;
  /** The hidden first line of our comments. Each pull request and configuration has one comment. */
  readonly marker: string;
  /** The marker of an earlier version. Its comment is taken over if none has the current marker. */
  readonly formerMarker?: string | undefined;
  /** The job that writes, for the body's second line. */
  readonly run?: RunMark | undefined;
  /** Whether several jobs of a run write it in turn: one that measures, and one that confirms or reports. */
  readonly shared?: boolean;
  /** Edit an existing comment, but create none. */
  readonly editOnly?: boolean;
  /** The whole body, beginning with the marker; at most 65,536 characters. */
  readonly body: string;
}

/**
 * Writes the one comment of a pull request and configuration: edits it or creates it.
 *
 * Never throws for GitHub's answers: a token that may not comment is a result.
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
          // The comment may exist although its answer was lost, so the next attempt reads before it posts again.
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
 * Our comment, if there is one. Anyone can copy the marker, so the author must be us. If two jobs created a comment at
 * the same time, the oldest is used.
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
  // Most pull requests have no candidate, which saves the request for our login.
  if (found.length === 0) return undefined;
  const logins = found.flatMap(({ user }) => (user === null ? [] : [user.login]));
  const own = await ownLogin(octokit, logins);
  return found.find(({ user }) => user?.login === own);
}
