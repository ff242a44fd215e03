import { messageOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { ACCEPTING_LABEL, type Accepting, type TriggeringRun } from './context.ts';

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
  const refused = refusedFor(author);
  try {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
      owner,
      repo,
      username: author,
    });
    // GitHub maps the role "maintain" to "write".
    return data.permission === 'admin' || data.permission === 'write'
      ? { kind: 'accepted', accepting }
      : refused(`${author} has the permission "${data.permission}" here, but accepting needs "write".`);
  } catch (error) {
    return refused(
      `GitHub did not report which permission ${author} has (${messageOf(error)}). Let the job's token read the repository (contents: read), and put the label again.`,
    );
  }
}

const refusedFor =
  (author: string) =>
  (reason: string): LabelResult => ({
    kind: 'refused',
    reason: `${author} put the label "${ACCEPTING_LABEL}" on this pull request, but the label accepts nothing: ${reason}`,
  });

/** The maximum time between a label and the start of its run, in milliseconds. */
const LATEST_START = 120_000;

interface LabelledRun {
  readonly owner: string;
  readonly repo: string;
  /** The pull request's number. */
  readonly number: number;
  /** The run that measured. Its head is the pull request's newest commit. */
  readonly run: TriggeringRun;
}

/**
 * Checks the label for a job that did not see its event, such as the report on a fork. GitHub does not record the commit
 * that a label was put on. The run that the label started has it: the first run of the workflow and head after the
 * label, by the same person, within two minutes. Any other run measured a commit without an acceptance. Commit dates are
 * not used, because the author of a change chooses them.
 *
 * Never throws for GitHub's answers.
 * @returns undefined if the pull request does not have the label
 */
export async function checkLabelOfRun(
  octokit: Octokit,
  { owner, repo, number, run }: LabelledRun,
): Promise<LabelResult | undefined> {
  const label = await labelOn(octokit, { owner, repo, number });
  if (label === undefined) return undefined;
  if ('unknown' in label)
    return {
      kind: 'refused',
      reason: `GitHub did not report whether the label "${ACCEPTING_LABEL}" is on this pull request (${label.unknown}), so the label accepts nothing. Give the job pull-requests: write, and run it again.`,
    };
  const { author, time } = label;
  const refused = refusedFor(author);
  try {
    const started = await runOfLabel(octokit, { owner, repo, run, time });
    if (started === undefined)
      return refused(
        'it started no run of the gate. Let the workflow of the gate start on labels (types: [opened, synchronize, reopened, labeled]), and put the label again.',
      );
    if (started.id !== run.id || started.author !== author)
      return refused(
        `it accepts the commit that run ${started.id} measured, and these figures are of run ${run.id} (${run.headSha.slice(0, 10)}). Remove the label and put it again to accept this commit.`,
      );
  } catch (error) {
    return refused(
      `GitHub did not report which run it started (${messageOf(error)}). Give the job actions: read, and put the label again.`,
    );
  }
  return await checkLabel(octokit, { owner, repo, accepting: { author, commit: run.headSha } });
}

/** Who put the label that is on the pull request now, and when. */
async function labelOn(
  octokit: Octokit,
  { owner, repo, number }: Pick<LabelledRun, 'owner' | 'repo' | 'number'>,
): Promise<{ readonly author: string; readonly time: number } | { readonly unknown: string } | undefined> {
  try {
    const events = await octokit.paginate(octokit.rest.issues.listEvents, {
      ...{ owner, repo, issue_number: number, per_page: 100 },
    });
    const [newest] = events
      .filter((event) => 'label' in event && event.label.name === ACCEPTING_LABEL)
      .sort((a, b) => b.id - a.id);
    if (newest?.event !== 'labeled') return undefined;
    return { author: newest.actor.login, time: Date.parse(newest.created_at) };
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}

/** The first run of the head's workflow after the label. */
async function runOfLabel(
  octokit: Octokit,
  { owner, repo, run, time }: Omit<LabelledRun, 'number'> & { readonly time: number },
): Promise<{ readonly id: number; readonly author: string | undefined } | undefined> {
  if (run.workflow === undefined) return undefined;
  // GitHub lists the newest first.
  const runs = await octokit.paginate(
    octokit.rest.actions.listWorkflowRuns,
    {
      ...{ owner, repo, workflow_id: run.workflow, event: 'pull_request', branch: run.headBranch },
      per_page: 100,
    },
    ({ data }, done) => {
      if (data.some(({ created_at }) => Date.parse(created_at) < time)) done();
      return data;
    },
  );
  const [first] = runs
    .filter(
      ({ head_repository: head, created_at }) =>
        head.full_name === run.headRepository && Date.parse(created_at) >= time,
    )
    .sort((a, b) => a.id - b.id);
  if (first === undefined || Date.parse(first.created_at) > time + LATEST_START) return undefined;
  return { id: first.id, author: first.actor?.login };
}
