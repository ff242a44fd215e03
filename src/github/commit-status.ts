import { reasonOf } from './answer.ts';
import type { CheckRequest, CheckResult, Conclusion } from './check.ts';
import type { Octokit } from './client.ts';
import { MARK, relationTo } from './run-mark.ts';

/**
 * Writes a configuration's verdict as the status of a commit, on servers without check runs (Forgejo, Gitea). A branch
 * rule can require it by its name.
 */

/** There is no neutral status. A neutral check passes on GitHub where it is required. */
const STATES: Readonly<Record<Conclusion, 'success' | 'failure'>> = {
  success: 'success',
  neutral: 'success',
  failure: 'failure',
};

/** GitHub's limit, which is the smallest. */
const MOST_CHARACTERS = 140;

/**
 * Adds a status to the commit. The newest status of a name counts, so an older run adds none after a newer one. The run is
 * named in the fragment of the status's address.
 *
 * Never throws for the server's answers.
 */
export async function writeCommitStatus(octokit: Octokit, request: CheckRequest): Promise<CheckResult> {
  const { owner, repo, commit: sha, name, run, output, conclusion, detailsUrl = '' } = request;
  const id = run?.id ?? `${MARK}unknown`;
  try {
    const statuses = await octokit.paginate(octokit.rest.repos.listCommitStatusesForRef, {
      ...{ owner, repo, ref: sha, per_page: 50 },
    });
    const relations = statuses
      .filter(({ context }) => context === name)
      .map(({ target_url }) => ({
        url: target_url ?? '',
        relation: relationTo(
          { id },
          decodeURIComponent(new URL(target_url ?? '', 'http://none').hash.slice(1)),
        ),
      }));
    const newer = relations.find(({ relation }) => relation === 'newer');
    if (newer !== undefined) return { kind: 'outdated', url: newer.url };
    if (request.shared !== true && relations.some(({ relation }) => relation === 'sibling'))
      return { kind: 'twice' };
    const title = output.title.replace(/\s+/g, ' ');
    const url = `${detailsUrl}#${id}`;
    await octokit.rest.repos.createCommitStatus({
      ...{ owner, repo, sha, context: name, state: STATES[conclusion], target_url: url },
      description: title.length > MOST_CHARACTERS ? `${title.slice(0, MOST_CHARACTERS - 1)}…` : title,
    });
    return { kind: relations.length === 0 ? 'created' : 'updated', url };
  } catch (error) {
    return {
      kind: 'refused',
      forbidden: false,
      reason: reasonOf(error, {
        deed: 'write the status of a commit',
        target: `commit ${sha.slice(0, 10)} of ${owner}/${repo}`,
        permission: 'statuses: write',
      }),
    };
  }
}
