import { GitHubError } from '../errors/errors.ts';
import { reasonOf } from './answer.ts';
import type { Octokit } from './client.ts';
import type { TriggeringRun } from './context.ts';

/** Finds the pull request of another run's verdict, and reads its current state from GitHub. */

export interface OpenPullRequest {
  readonly number: number;
  readonly baseRef: string;
  /** The newest commit. */
  readonly headSha: string;
  /** Whether the pull request comes from a fork, so that a stranger controlled the measuring job. */
  readonly fromFork: boolean;
}

export type FoundPullRequest =
  | { readonly kind: 'found'; readonly pull: OpenPullRequest }
  /** There is no pull request to post to, and this is not an error. The reason goes to the log. */
  | { readonly kind: 'none'; readonly reason: string };

interface Repository {
  readonly owner: string;
  readonly repo: string;
}

/**
 * The open pull request of a run's head. The event of a fork's run names no pull request, so this searches by the
 * head's branch and requires the event's repository and commit. A stranger may have chosen the branch and repository
 * names. They only filter GitHub's answers.
 *
 * @throws GitHubError if GitHub does not answer, or if several pull requests have this head
 */
export async function pullRequestOf(
  octokit: Octokit,
  { owner, repo }: Repository,
  run: Pick<TriggeringRun, 'headSha' | 'headBranch' | 'headRepository'>,
): Promise<FoundPullRequest> {
  const [headOwner = ''] = run.headRepository.split('/');
  const pulls = await asked({ owner, repo }, async () =>
    octokit.paginate(octokit.rest.pulls.list, {
      ...{ owner, repo, state: 'open', head: `${headOwner}:${run.headBranch}`, per_page: 100 },
    }),
  );
  const same = pulls.filter(
    ({ head, base }) =>
      repositoryOf(head) === run.headRepository && base.repo.full_name === `${owner}/${repo}`,
  );
  const current = same.filter(({ head }) => head.sha === run.headSha);
  const [pull] = current;
  if (pull === undefined)
    return {
      kind: 'none',
      reason:
        same.length === 0
          ? `no pull request of ${run.headRepository}:${run.headBranch} is open`
          : `pull request ${same.map(({ number }) => number).join(', ')} has a newer commit than ${run.headSha.slice(0, 10)}`,
    };
  if (current.length > 1)
    throw new GitHubError(
      `The pull requests ${current.map(({ number, base }) => `${number} (into ${base.ref})`).join(', ')} have the same head ${run.headSha.slice(0, 10)}, and the run does not name its own. Nothing was posted. Name one with the input pull-request.`,
    );
  return { kind: 'found', pull: openPull(pull, `${owner}/${repo}`) };
}

/**
 * A pull request by its number.
 * @throws GitHubError if GitHub does not answer
 */
export async function pullRequestNumbered(
  octokit: Octokit,
  { owner, repo }: Repository,
  number: number,
): Promise<FoundPullRequest> {
  const { data } = await asked({ owner, repo }, async () =>
    octokit.rest.pulls.get({ owner, repo, pull_number: number }),
  );
  if (data.state !== 'open') return { kind: 'none', reason: `pull request ${number} is ${data.state}` };
  return { kind: 'found', pull: openPull(data, `${owner}/${repo}`) };
}

/** Null for a deleted fork, although GitHub's API description excludes it. */
const repositoryOf = ({ repo }: { readonly repo: { readonly full_name: string } | null }) => repo?.full_name;

const openPull = (
  {
    number,
    base,
    head,
  }: {
    readonly number: number;
    readonly base: { readonly ref: string };
    readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } | null };
  },
  own: string,
): OpenPullRequest => ({
  ...{ number, baseRef: base.ref, headSha: head.sha, fromFork: repositoryOf(head) !== own },
});

async function asked<Answer>({ owner, repo }: Repository, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    throw new GitHubError(
      `The pull request could not be looked up: ${reasonOf(error, {
        deed: 'read pull requests',
        target: `the pull requests of ${owner}/${repo}`,
        permission: 'pull-requests: write',
      })}. Nothing was posted.`,
      { cause: error },
    );
  }
}
