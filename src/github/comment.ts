import { isPassing, reasonOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { ownLogin } from './own-login.ts';
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
