import type { GitHub } from '@actions/github/lib/utils';

import { isOfAnotherJob, type RunMark } from './run-mark.ts';

export type Octokit = InstanceType<typeof GitHub>;

/**
 * A client that repeats what a passing fault broke. Loaded on demand: a run that posts nothing does not read it.
 * @param apiUrl such as `https://api.github.com`; a GHES or Forgejo has its own
 */
export async function connect(token: string, apiUrl: string): Promise<Octokit> {
  const [{ getOctokit }, { retry }] = await Promise.all([
    import('@actions/github'),
    import('@octokit/plugin-retry'),
  ]);
  return getOctokit(token, { baseUrl: apiUrl, request: { retries: 3, timeout: 20_000 } }, retry);
}

export type CommentResult =
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly url: string }
  /** Another job of this run has written it: its verdict would be lost. */
  | { readonly kind: 'twice' }
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
  /** The whole body, beginning with the marker; at most 65,536 characters. */
  readonly body: string;
}

/**
 * Writes the one comment of a pull request and configuration: edited where it is, created where it is not.
 *
 * Never throws for what GitHub answers: a token that may not comment is a result.
 */
export async function upsertComment(octokit: Octokit, request: CommentRequest): Promise<CommentResult> {
  const { owner, repo, number, marker, formerMarker, run, body } = request;
  try {
    const login = await ownLogin(octokit);
    const comments = await octokit.paginate(octokit.rest.issues.listComments, {
      owner,
      repo,
      issue_number: number,
      per_page: 100,
    });
    // Anyone can copy the marker; only a comment of our own is ours to edit, and only ours counts as ours. With
    // several (two jobs at once), the oldest stays the one.
    const marked = (mark: string | undefined) =>
      comments.find(
        (comment) => comment.user?.login === login && comment.body?.split('\n')[0]?.trim() === mark,
      );
    const own = marked(marker) ?? (formerMarker === undefined ? undefined : marked(formerMarker));
    if (run !== undefined && isOfAnotherJob(own?.body ?? '', run)) return { kind: 'twice' };
    if (own === undefined) {
      const created = await octokit.rest.issues.createComment({ owner, repo, issue_number: number, body });
      return { kind: 'created', url: created.data.html_url };
    }
    if (own.body === body) return { kind: 'unchanged', url: own.html_url };
    const updated = await octokit.rest.issues.updateComment({ owner, repo, comment_id: own.id, body });
    return { kind: 'updated', url: updated.data.html_url };
  } catch (error) {
    return { kind: 'refused', reason: reasonOf(error) };
  }
}

/**
 * Who we are. GitHub's REST API tells a person's token (`GET /user`) and refuses the question to an app's; the
 * GraphQL field `viewer.login` answers both, with `[bot]` left to be added for apps. A server without GraphQL
 * (Forgejo) has only the first. The job's own token is `github-actions[bot]`'s.
 */
async function ownLogin(octokit: Octokit): Promise<string> {
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login;
  } catch (error) {
    if (statusOf(error) !== 403 && statusOf(error) !== 401) throw error;
  }
  try {
    const answer: { viewer: { login: string } } = await octokit.graphql('query { viewer { login } }');
    const { login } = answer.viewer;
    return login.endsWith('[bot]') ? login : `${login}[bot]`;
  } catch {
    return 'github-actions[bot]';
  }
}

const statusOf = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
    ? error.status
    : undefined;

function reasonOf(error: unknown): string {
  const status = statusOf(error);
  const message = error instanceof Error ? error.message : String(error);
  switch (status) {
    case 401:
      return `GitHub does not accept the token (${message}); check the input github-token`;
    case 403:
    case 404:
      return `the token may not comment on this pull request (${status}: ${message}); the job needs the permission \`pull-requests: write\`, which a pull request from a fork and Dependabot do not get`;
    case undefined:
      return `GitHub did not answer: ${message}`;
    default:
      return `GitHub answered ${status}: ${message}`;
  }
}
