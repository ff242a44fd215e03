import { resolve } from 'node:path';
import { tokenEnvironment } from '../baseline/credentials.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { exitStatus } from '../verdict/exit-status.ts';
import { takenForMeasuring } from '../github/artifact.ts';
import type { Inputs } from '../github/inputs.ts';
import { gateRepository } from '../pipeline/gate-repository.ts';
import type { JudgedSessions } from '../pipeline/judged-sessions.ts';
import type { Occasion } from '../pipeline/occasion.ts';
import type { Project } from '../pipeline/project.ts';
import { judgePullRequest } from '../pipeline/report-pull-request.ts';
import { judgeForReport } from '../pipeline/report-sessions.ts';
import { oneLine } from '../report/escape.ts';
import { headline } from '../report/headline.ts';
import { markerOf, renderMarkdown } from '../report/markdown.ts';
import { runMark, type RunMark } from '../github/run-mark.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import { upstreamOf } from '../source/trust.ts';
import { checkName, checkText, regressionPlaces } from '../report/check.ts';
import { conclusionOf, decisive } from '../verdict/conclusion.ts';
import {
  annotate,
  checkAccepting,
  postCheck,
  postComment,
  runner,
  targetOf,
  upload,
  writeSummary,
  type PostTarget,
} from './delivery.ts';
import { jobRepository, type Job } from './job.ts';
import { openProject } from './project.ts';
import { writeResults } from '../pipeline/results.ts';
import { FORK_FIGURES, reportedPullRequest } from './reported-pull-request.ts';
import { readSessions } from '../out-folder/session-files.ts';

const CANCELLED =
  'This run was cancelled before its end: what was measured is kept, and nothing of it is a verdict.';

/** Modes `gate` and `measure`: builds and measures; a gate decides, a measuring job leaves that to another. */
export async function gateJob(job: Job): Promise<number> {
  const { inputs, overrides, run, ports, signal } = job;
  const project = await openProjectOf(job);
  const first = inputs.confirm === undefined ? undefined : await readSessions(pathsOf(job, inputs.confirm));
  const judged = await gateRepository(
    project,
    overrides,
    await occasionOf(job, project),
    run,
    ports,
    signal,
    {
      ...(inputs.shard === undefined ? {} : { shard: inputs.shard }),
      ...(first === undefined ? {} : { confirm: first }),
    },
  );
  return await deliver(job, {
    ...judged,
    failOn: judged.plan.rules.failOn,
    artifact: artifactName(inputs, judged.plan.configuration),
    formerly: project.formerly,
    changed: await changedBy(job, project, judged.session),
  });
}

/** Mode `report`: one verdict of the sessions that other jobs measured. */
export async function reportJob(job: Job): Promise<number> {
  const { inputs, overrides, signal, event } = job;
  if (inputs.pullRequest !== undefined || (event.triggeredBy !== undefined && inputs.sessions === undefined))
    return await pullRequestJob(job);
  const named = await readSessions(pathsOf(job, inputs.sessions ?? []));
  // Of a change the rules are the base's, so there has to be a checkout; else the sessions carry those of their commit.
  const project = await openProjectOf(job);
  const { judged, failOn, remarks } = await judgeForReport(
    named,
    project,
    overrides,
    await occasionOf(job, project),
    job.ports,
  );
  return await deliver(job, {
    ...judged,
    remarks,
    failOn,
    interrupted: signal.aborted,
    artifact: artifactName(inputs, judged.session.configuration),
    formerly: undefined,
    changed: await changedBy(job, project, judged.session),
  });
}

/** Mode `report` for a pull request that is neither the event's nor checked out: a fork's, or Dependabot's. */
async function pullRequestJob(job: Job): Promise<number> {
  const { inputs, overrides, signal, event } = job;
  const project = await openProjectOf(job);
  const taken = await reportedPullRequest(job, artifactName(inputs, project.plan.configuration));
  if (taken.kind === 'none') {
    runner.log.info(`Pacegate posts nothing: ${taken.reason}.`);
    return 0;
  }
  const { pull, named, measuredBy } = taken;
  const occasion = { ...(await occasionOf(job, project)), baseRef: pull.baseRef };
  const { judged, failOn, remarks } = await judgePullRequest(
    named,
    project,
    overrides,
    pull,
    occasion,
    job.ports,
  );
  return await deliver(job, {
    ...judged,
    remarks: [...(pull.fromFork && event.triggeredBy !== undefined ? [FORK_FIGURES] : []), ...remarks],
    failOn,
    interrupted: signal.aborted,
    // What was measured is in the artifact of the run that measured it.
    artifact: 'none',
    formerly: undefined,
    changed: await changedBy(job, project, judged.session),
    target: { ...targetOf(event), number: pull.number, commit: pull.headSha, readOnly: false },
    ...(measuredBy === undefined ? {} : { measuredBy }),
  });
}

const openProjectOf = async ({ directory, inputs, overrides }: Job) =>
  await openProject({ directory, config: inputs.config, overrides, follow: false });

const pathsOf = ({ directory }: Job, paths: readonly string[]) =>
  paths.map((path) => resolve(directory, path));

async function occasionOf({ inputs, event, signal }: Job, { top }: Project): Promise<Occasion> {
  const { pullRequest, before, mergeBase, sha, defaultBranch } = event;
  return {
    event: event.event,
    remote: await upstreamOf(top, jobRepository(event)),
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
    ...(before === undefined ? {} : { before }),
    ...(pullRequest === undefined ? {} : { baseRef: pullRequest.baseRef }),
    // Of a pull request alone the runner's commit is the merge that GitHub made.
    ...(pullRequest === undefined || sha === undefined ? {} : { mergeSha: sha }),
    ...(sha === undefined ? {} : { sha }),
    ...(mergeBase === undefined ? {} : { baseSha: mergeBase }),
    gitEnvironment: await tokenEnvironment(top, inputs.githubToken, event.serverUrl),
    secretsOnPullRequests: inputs.buildSecretsOnPullRequests,
    ...(event.accepting === undefined
      ? {}
      : { label: await checkAccepting(event.accepting, inputs, event, signal) }),
  };
}

/** The files of the change, for the places that a check shows: without them it shows none. */
async function changedBy({ ports }: Job, { top }: Project, { source }: Session): Promise<readonly string[]> {
  const { baseline, head } = source;
  if (baseline === undefined || head === undefined) return [];
  return await ports.source.changedFiles(top, baseline.commit, head.commit).catch(() => []);
}

/** Names are unique in a workflow's run: each measuring job has one of its own. */
function artifactName({ mode, shard, artifactName: given }: Inputs, configuration: string): string {
  if (given !== undefined) return given;
  if (mode !== 'measure') return `pacegate-${configuration}`;
  return shard === undefined
    ? `pacegate-${configuration}-measured`
    : `pacegate-${configuration}-shard-${shard.index}-of-${shard.of}`;
}

interface Delivered extends JudgedSessions {
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
async function deliver(
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
