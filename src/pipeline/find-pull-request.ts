import { ConfigurationError } from '../errors/errors.ts';
import type { LabelResult } from '../github/acceptance.ts';
import type { TriggeringRun } from '../github/context.ts';
import type { OpenPullRequest } from '../github/pull-request.ts';
import { partsOf, type NamedSession } from '../session/merged.ts';
import { parseSessionFile } from '../session/read.ts';
import type { PullRequestPort } from './ports.ts';

/** Finds the pull request of a report and its measurements, if the event is not of that pull request. */

/** The first sentence of a report on a fork's figures. */
export const FORK_FIGURES =
  "These figures come from the fork: a job that the pull request's code and workflow could change measured them. The rules and the verdict are from the base. A maintainer can measure them again with the base's workflow (examples/measure-again.yml).";

export interface PullRequestQuestion {
  /** The number that the workflow gives. It precedes the run. */
  readonly number: number | undefined;
  /** The run whose end started this job. */
  readonly triggeredBy: TriggeringRun | undefined;
  /** Absolute paths to sessions that the workflow gives. They precede the run's artifacts. */
  readonly sessions: readonly string[] | undefined;
  /** The name of the gate's artifact. */
  readonly artifact: string;
}

export type Reported =
  | {
      readonly kind: 'found';
      readonly pull: OpenPullRequest;
      readonly named: readonly NamedSession[];
      /** The run that measured, if it is another one. */
      readonly measuredBy: TriggeringRun | undefined;
      /** The result of checking the accepting label; undefined if the pull request does not have it. */
      readonly label?: LabelResult | undefined;
    }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * @throws ConfigurationError if the workflow is not set up for it
 * @throws GitHubError if GitHub does not return the data
 */
export async function findPullRequest(
  { number, triggeredBy, sessions, artifact }: PullRequestQuestion,
  port: PullRequestPort,
): Promise<Reported> {
  const measuring = triggeredBy === undefined ? undefined : pullRequestRun(triggeredBy);
  const found =
    number === undefined && measuring !== undefined
      ? await port.ofRun(measuring)
      : await port.numbered(number ?? 0);
  if (found.kind === 'none') return found;
  const { pull } = found;
  if (sessions !== undefined || measuring === undefined)
    return { kind: 'found', pull, named: await port.readSessions(sessions ?? []), measuredBy: undefined };
  const texts = await port.sessionTexts(measuring.id, artifact);
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
    measuredBy: measuring,
    label: await port.label(pull.number, measuring),
  };
}

function pullRequestRun(run: TriggeringRun): TriggeringRun {
  if (run.event === 'pull_request') return run;
  throw new ConfigurationError(
    `The run ${run.id} was started by ${run.event}; expected: pull_request. Let the job of workflow_run start only for those: if: github.event.workflow_run.event == 'pull_request'.`,
  );
}
