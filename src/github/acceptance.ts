import type { Octokit } from './client.ts';
import { ACCEPTING_LABEL, type Accepting } from './context.ts';

/** The result of checking the label on a pull request. */
export type LabelResult =
  | { readonly kind: 'accepted'; readonly accepting: Accepting }
  /** The label does not count: the regressions stay, and the report shows the reason. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Asks GitHub whether the person who added the label may write to the repository, because people without write access
 * can add labels. Never throws for GitHub's answers. Without an answer nothing is accepted.
 */
export async function checkLabel(
  octokit: Octokit,
  {
    owner,
    repo,
    accepting,
  }: { readonly owner: string; readonly repo: string; readonly accepting: Accepting },
): Promise<LabelResult> {
  const { author } = accepting;
  const refused = (reason: string): LabelResult => ({
    kind: 'refused',
    reason: `${author} put the label "${ACCEPTING_LABEL}" on this pull request, and nothing is accepted by it: ${reason}`,
  });
  try {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
      owner,
      repo,
      username: author,
    });
    // GitHub maps the role "maintain" to "write".
    return data.permission === 'admin' || data.permission === 'write'
      ? { kind: 'accepted', accepting }
      : refused(`${author} has the permission "${data.permission}" here, and it takes "write".`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused(
      `GitHub did not say which permission ${author} has (${message}). Let the job's token read the repository (contents: read), and put the label again.`,
    );
  }
}
