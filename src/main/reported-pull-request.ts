import { resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { connect } from '../github/client.ts';
import type { TriggeringRun } from '../github/context.ts';
import { pullRequestNumbered, pullRequestOf, type OpenPullRequest } from '../github/pull-request.ts';
import { sessionTexts } from '../github/run-artifact.ts';
import { markOf, type RunMark } from '../github/run-mark.ts';
import { partsOf, type NamedSession } from '../session/merged.ts';
import { parseSessionFile } from '../session/read.ts';

import type { Job } from './job.ts';
import { readSessions } from '../out-folder/session-files.ts';

/** Finds the pull request of a report and its measurements, if the event is not of that pull request. */

/** The first sentence of a report on a fork's figures. */
export const FORK_FIGURES =
  "These figures are the fork's own: a job that the pull request's code and workflow could change measured them. The rules and the verdict are from the base. A maintainer can measure them again with the base's workflow (examples/measure-again.yml).";

export type Reported =
  | {
      readonly kind: 'found';
      readonly pull: OpenPullRequest;
      readonly named: readonly NamedSession[];
      /** The run that measured, if it is another one. */
      readonly measuredBy: RunMark | undefined;
    }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * @param artifact the name of the gate's artifact
 * @throws ConfigurationError if the workflow is not set up for it
 * @throws GitHubError if GitHub does not return the data
 */
export async function reportedPullRequest(
  { inputs, event, directory, run, signal }: Job,
  artifact: string,
): Promise<Reported> {
  const { owner, repo, apiUrl, triggeredBy } = event;
  if (inputs.githubToken === undefined)
    throw new ConfigurationError(
      'The input github-token is empty, so GitHub cannot be asked for the pull request. Leave the input out, and give the job pull-requests: write, checks: write and actions: read.',
    );
  const octokit = await connect(inputs.githubToken, apiUrl, { signal });
  const measuring = triggeredBy === undefined ? undefined : pullRequestRun(triggeredBy);
  const found =
    inputs.pullRequest === undefined && measuring !== undefined
      ? await pullRequestOf(octokit, { owner, repo }, measuring)
      : await pullRequestNumbered(octokit, { owner, repo }, inputs.pullRequest ?? 0);
  if (found.kind === 'none') return found;
  const { pull } = found;
  if (inputs.sessions !== undefined || measuring === undefined) {
    const paths = (inputs.sessions ?? []).map((path) => resolve(directory, path));
    return { kind: 'found', pull, named: await readSessions(paths), measuredBy: undefined };
  }
  const texts = await sessionTexts(octokit, { owner, repo, run: measuring.id, name: artifact });
  if (texts.length === 0)
    return {
      kind: 'none',
      reason: `run ${measuring.id} left no artifact ${artifact}, so it ended without a verdict`,
    };
  return {
    kind: 'found',
    pull,
    named: texts.flatMap(({ name, text }) =>
      partsOf(parseSessionFile(text, name)).map((session) => ({ session, file: name })),
    ),
    measuredBy: markOf(measuring.id, measuring.attempt, run.sessionId),
  };
}

function pullRequestRun(run: TriggeringRun): TriggeringRun {
  if (run.event === 'pull_request') return run;
  throw new ConfigurationError(
    `The run ${run.id} was started by ${run.event}; expected: pull_request. Let the job of workflow_run start only for those: if: github.event.workflow_run.event == 'pull_request'.`,
  );
}
