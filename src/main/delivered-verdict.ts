import type { Comparison } from '../verdict/comparison.ts';
import { conclusionOf, decisive } from '../verdict/conclusion.ts';
import { exitStatus } from '../verdict/exit-status.ts';
import { takenForMeasuring } from '../github/artifact.ts';
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
  type PostTarget,
} from './delivery.ts';
import type { Job } from './job.ts';

/** What a job of the action does with a verdict: files, artifact, comment, check, summary, outputs and exit status. */

const CANCELLED =
  'This run was cancelled before its end: what was measured is kept, and nothing of it is a verdict.';

export interface Delivered extends JudgedSessions {
  readonly remarks: readonly string[];
  readonly failOn: readonly Verdict[];
  readonly interrupted: boolean;
  readonly artifact: string;
  /** What an earlier version marked the comment with. */
  readonly formerly: string | undefined;
  /** The files that the change adds or edits, from the top of the repository. */
  readonly changed: readonly string[];
  /** Where the verdict is posted, if not where the event happened. */
  readonly target?: PostTarget;
  /** The run that measured, if it is not this one. */
  readonly measuredBy?: RunMark;
}

/** First to the disk, then to the artifact, then to people: each step may fail without losing the one before. */
export async function deliver(
  { inputs, event, run: { out, sessionId }, signal }: Job,
  result: Delivered,
): Promise<number> {
  const { comparison, session, parts, file, interrupted } = result;
  const failOn = inputs.requireDecision ? decisive(result.failOn) : result.failOn;
  const measuring = inputs.mode === 'measure';
  const marker = markerOf(session.configuration);
  const run = result.measuredBy ?? runMark(process.env, sessionId);
  // A confirming job writes where the job that it confirms wrote, and in the same run.
  const shared = inputs.confirm !== undefined || result.measuredBy !== undefined;
  const target = result.target ?? targetOf(event);
  const remarks = [...(interrupted ? [CANCELLED] : []), ...result.remarks];
  const render = (more: readonly string[], artifactUrl?: string) =>
    renderMarkdown(comparison, session, {
      marker: [marker, ...(run === undefined ? [] : [run.line])].join('\n'),
      parts,
      remarks: [...remarks, ...more],
      ...(artifactUrl === undefined ? {} : { artifactUrl }),
    });
  await writeResults(out, file, comparison, () => render([]));
  const artifact = await upload(
    result.artifact,
    out,
    event,
    [],
    measuring ? takenForMeasuring(process.env) : 'rename',
  );
  // A newer push cancels an older run: what that one had so far must not stand where the newer one will write.
  const posting = !interrupted && !measuring;
  const conclusion = conclusionOf(comparison, failOn);
  const comment = posting
    ? await postComment(
        inputs,
        target,
        {
          marker,
          body: render(artifact.remarks, artifact.url),
          ...(result.formerly === undefined ? {} : { formerMarker: markerOf(result.formerly) }),
          ...(run === undefined ? {} : { run }),
          shared,
          news: comparison.verdict !== 'unchanged' || comparison.measuring !== undefined,
        },
        signal,
      )
    : { remarks: [] };
  const check = posting
    ? await postCheck(
        inputs,
        target,
        {
          name: checkName(session.configuration),
          ...{ run, shared, conclusion, detailsUrl: event.runUrl },
          output: {
            ...checkText(comparison, session, conclusion, {
              parts,
              remarks: [...remarks, ...artifact.remarks],
              ...(artifact.url === undefined ? {} : { artifactUrl: artifact.url }),
            }),
            annotations: regressionPlaces(comparison, session, result.changed),
          },
        },
        signal,
      )
    : { remarks: [] };
  const markdown = render([...artifact.remarks, ...comment.remarks, ...check.remarks], artifact.url);
  const files = await writeResults(out, file, comparison, () => markdown);
  await writeSummary(markdown);
  // The pull request's check has the verdict then; a job that is not the pull request's would only be red elsewhere.
  const told = result.target !== undefined && 'url' in check;
  if (posting && !told) annotate(comparison);

  runner.output('verdict', interrupted ? 'no_data' : comparison.verdict);
  runner.output('regressions', JSON.stringify(regressionsOf(comparison)));
  runner.output('session', files.session);
  runner.output('report', files.report);
  runner.output('artifact-id', artifact.id === undefined ? '' : String(artifact.id));
  runner.output('comment-url', ('url' in comment ? comment.url : undefined) ?? '');
  runner.output('check-url', ('url' in check ? check.url : undefined) ?? '');
  if (interrupted) {
    runner.fail(CANCELLED);
    return 3;
  }
  runner.log.info(`Pacegate: ${headline(comparison, oneLine)}`);
  if (artifact.taken === true) {
    runner.fail(takenWords(result.artifact, session.configuration));
    return 2;
  }
  // The job that judges says what this one found; what it could not hand on would be lost.
  if (measuring && artifact.id === undefined && result.artifact !== 'none') {
    runner.fail('The session could not be uploaded, so the job that judges cannot have it.');
    return 3;
  }
  if (('twice' in comment && comment.twice) || ('twice' in check && check.twice)) {
    runner.fail(twiceWords(session.configuration));
    return 2;
  }
  const status = measuring || told ? 0 : exitStatus(comparison, failOn);
  if (status !== 0) runner.fail(`Pacegate: ${headline(comparison, oneLine)}`);
  return status;
}

export const takenWords = (artifact: string, configuration: string) =>
  `Another job of this workflow run has uploaded an artifact named ${artifact} already, so this one's session cannot reach the job that judges. Where a matrix runs one configuration twice, give each a name of its own: the input \`name\`, such as name: ${configuration}-\${{ matrix.os }}. Where the jobs share one configuration's variants, give each its \`shard\`.`;

const twiceWords = (configuration: string) =>
  `Another job of this workflow run has written the comment or the check of the configuration ${configuration} already, so this one would hide that one's verdict. Where a matrix runs one configuration twice, give each a name of its own: the input \`name\`, such as name: ${configuration}-\${{ matrix.os }}.`;

const regressionsOf = ({ rows }: Comparison) =>
  rows
    .filter(({ verdict }) => verdict === 'regressed')
    .map(({ variant, metric, change }) => ({ variant, metric, change }));
