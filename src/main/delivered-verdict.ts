import type { Comparison } from '../verdict/comparison.ts';
import { conclusionOf, decisive } from '../verdict/conclusion.ts';
import { exitStatus } from '../verdict/exit-status.ts';
import { ifExistsWhenMeasuring } from '../github/artifact.ts';
import { runMark, type RunMark } from '../github/run-mark.ts';
import type { JudgedSessions } from '../pipeline/judged-sessions.ts';
import { writeResults } from '../pipeline/results.ts';
import { checkName, checkText, regressionPlaces } from '../report/check.ts';
import { oneLine } from '../report/escape.ts';
import { headline } from '../report/headline.ts';
import { markerOf, renderMarkdown } from '../report/markdown.ts';
import type { Verdict } from '../session/rules.ts';
import {
  annotate,
  postCheck,
  postComment,
  runner,
  targetOf,
  upload,
  writeSummary,
  type Checked,
  type Commented,
  type PostTarget,
  type Uploaded,
} from './delivery.ts';
import type { Job } from './job.ts';

/** Delivers a verdict from a job of the action: files, artifact, comment, check, summary, outputs and exit status. */

const CANCELLED =
  'This run was cancelled before its end. The measurements are kept, but there is no verdict.';

const CONFIRMATION_FOLLOWS = 'A second runner measures the regressions again, and its job gives the verdict.';

export interface Delivered extends JudgedSessions {
  readonly remarks: readonly string[];
  readonly failOn: readonly Verdict[];
  readonly interrupted: boolean;
  readonly artifact: string;
  /** An earlier version's marker of the comment. */
  readonly formerly: string | undefined;
  /** The files that the change adds or edits, from the top of the repository. */
  readonly changed: readonly string[];
  /** Where to post the verdict, if not at the event's own pull request or commit. */
  readonly target?: PostTarget;
  /** The run that measured, if it is another one. */
  readonly measuredBy?: RunMark | undefined;
}

/**
 * Writes to the disk first, then the artifact, then GitHub. If a step fails, the results of the earlier steps remain.
 */
export async function deliver(job: Job, result: Delivered): Promise<number> {
  const delivery = deliveryOf(job, result);
  const { inputs, event, run } = job;
  const { render } = delivery;
  await writeResults(run.out, result.file, result.comparison, () => render([]));
  const artifact = await upload(
    result.artifact,
    run.out,
    event,
    [],
    inputs.mode === 'measure' ? ifExistsWhenMeasuring(process.env) : 'rename',
  );
  const posted = delivery.posting
    ? await post(job, result, delivery, artifact)
    : { comment: { remarks: [] }, check: { remarks: [] } };
  const markdown = render(
    [...artifact.remarks, ...posted.comment.remarks, ...posted.check.remarks],
    artifact.url,
  );
  const files = await writeResults(run.out, result.file, result.comparison, () => markdown);
  await writeSummary(markdown);
  const checkHasVerdict = result.target !== undefined && posted.check.url !== undefined;
  if (delivery.posting && !checkHasVerdict) annotate(result.comparison);
  writeOutputs(result, files, artifact, posted);
  return ended(job, result, { ...delivery, artifact, posted, checkHasVerdict });
}

/** The data that the steps share. */
interface Delivery {
  readonly failOn: readonly Verdict[];
  readonly posting: boolean;
  /** Whether the job that confirms gives the verdict, because rows regressed. */
  readonly deferred: boolean;
  /** The hidden line that identifies the comment. */
  readonly marker: string;
  /** The run that measured. */
  readonly mark: RunMark | undefined;
  readonly remarks: readonly string[];
  readonly render: (more: readonly string[], artifactUrl?: string) => string;
}

function deliveryOf({ inputs, run: { sessionId } }: Job, result: Delivered): Delivery {
  const { comparison, session, parts, interrupted } = result;
  const marker = markerOf(session.configuration);
  const mark = result.measuredBy ?? runMark(process.env, sessionId);
  const deferred = inputs.confirmationFollows && !interrupted && regressionsOf(comparison).length > 0;
  const remarks = [
    ...(interrupted ? [CANCELLED] : []),
    ...(deferred ? [CONFIRMATION_FOLLOWS] : []),
    ...result.remarks,
  ];
  return {
    failOn: inputs.requireDecision ? decisive(result.failOn) : result.failOn,
    // A newer push cancels an older run. The older run posts nothing, because the newer one will post its verdict
    // there.
    posting: !interrupted && !deferred && inputs.mode !== 'measure',
    ...{ deferred, marker, mark, remarks },
    render: (more, artifactUrl) =>
      renderMarkdown(comparison, session, {
        marker: [marker, ...(mark === undefined ? [] : [mark.line])].join('\n'),
        ...{ parts, artifactUrl },
        remarks: [...remarks, ...more],
      }),
  };
}

/** The results of posting to GitHub. */
interface Posted {
  readonly comment: Commented;
  readonly check: Checked;
}

/** Writes the comment, then the check. */
async function post(
  { inputs, event, signal }: Job,
  result: Delivered,
  { failOn, marker, mark, remarks, render }: Delivery,
  artifact: Uploaded,
): Promise<Posted> {
  const { comparison, session, parts } = result;
  const target = result.target ?? targetOf(event);
  // A confirming job updates the comment and check of the job that it confirms, in the same run.
  const shared = inputs.confirm !== undefined || result.measuredBy !== undefined;
  const conclusion = conclusionOf(comparison, failOn);
  const comment = await postComment(
    inputs,
    target,
    {
      marker,
      body: render(artifact.remarks, artifact.url),
      formerMarker: result.formerly === undefined ? undefined : markerOf(result.formerly),
      ...{ run: mark, shared },
      news: comparison.verdict !== 'unchanged' || comparison.measuring !== undefined,
    },
    signal,
  );
  const check = await postCheck(
    inputs,
    target,
    {
      name: checkName(session.configuration),
      ...{ run: mark, shared, conclusion, detailsUrl: event.runUrl },
      output: {
        ...checkText(comparison, session, conclusion, {
          parts,
          remarks: [...remarks, ...artifact.remarks],
          artifactUrl: artifact.url,
        }),
        annotations: regressionPlaces(comparison, session, result.changed),
      },
    },
    signal,
  );
  return { comment, check };
}

function writeOutputs(
  { interrupted, comparison }: Delivered,
  files: { readonly session: string; readonly report: string },
  artifact: Uploaded,
  { comment, check }: Posted,
): void {
  runner.output('verdict', interrupted ? 'no_data' : comparison.verdict);
  runner.output('regressions', JSON.stringify(regressionsOf(comparison)));
  runner.output('session', files.session);
  runner.output('report', files.report);
  runner.output('artifact-id', artifact.id === undefined ? '' : String(artifact.id));
  runner.output('comment-url', comment.url ?? '');
  runner.output('check-url', check.url ?? '');
}

interface Ending extends Pick<Delivery, 'failOn' | 'deferred'> {
  readonly artifact: Uploaded;
  readonly posted: Posted;
  /**
   * Whether the pull request's check has the verdict. In this case a job outside of the pull request does not fail too.
   */
  readonly checkHasVerdict: boolean;
}

/**
 * Prints the job's last line, as an error if the job fails.
 * @returns the exit status
 */
function ended(
  { inputs }: Job,
  { comparison, session, interrupted, artifact: name }: Delivered,
  { failOn, deferred, artifact, posted, checkHasVerdict }: Ending,
): number {
  const failed = (status: number, message: string) => {
    runner.fail(message);
    return status;
  };
  if (interrupted) return failed(3, CANCELLED);
  const line = `Pacegate: ${headline(comparison, oneLine)}`;
  runner.log.info(line);
  if (artifact.taken === true) return failed(2, takenWords(name, session.configuration));
  const measuring = inputs.mode === 'measure';
  // The judging job reports this job's findings, so a failed upload would lose them.
  if (measuring && artifact.id === undefined && name !== 'none')
    return failed(
      3,
      `The session could not be uploaded, so the job that judges cannot read it.${artifact.unsupported === true ? ` ${artifact.remarks.join(' ')}` : ''}`,
    );
  if (posted.comment.twice === true || posted.check.twice === true)
    return failed(2, twiceWords(session.configuration));
  if (deferred) runner.log.info(CONFIRMATION_FOLLOWS);
  const status = measuring || checkHasVerdict || deferred ? 0 : exitStatus(comparison, failOn);
  return status === 0 ? 0 : failed(status, line);
}

export const takenWords = (artifact: string, configuration: string) =>
  `Another job of this workflow run has uploaded an artifact named ${artifact} already, so this one's session cannot reach the job that judges. Where a matrix runs one configuration twice, give each a name of its own: the input \`name\`, such as name: ${configuration}-\${{ matrix.os }}. Where the jobs share one configuration's variants, give each its \`shard\`.`;

const twiceWords = (configuration: string) =>
  `Another job of this workflow run has written the comment or the check of the configuration ${configuration} already, so this one would hide that one's verdict. Where a matrix runs one configuration twice, give each a name of its own: the input \`name\`, such as name: ${configuration}-\${{ matrix.os }}.`;

const regressionsOf = ({ rows }: Comparison) =>
  rows
    .filter(({ verdict }) => verdict === 'regressed')
    .map(({ variant, metric, change }) => ({ variant, metric, change }));
