import { tokenEnvironment } from '../baseline/credentials.ts';
import { plainError } from '../errors/plain-error.ts';
import { runMark } from '../github/run-mark.ts';
import { concernName, concernsOf, type Concern } from '../history/concerns.ts';
import { measureNight } from '../pipeline/measure-night.ts';
import { endOf } from '../pipeline/night-end.ts';
import type { Project } from '../pipeline/project.ts';
import { oneLine } from '../report/escape.ts';
import { newConcernsComment, nightIssue } from '../report/night-issue.ts';
import { nightlyHeadline, renderNightlyMarkdown } from '../report/nightly.ts';
import type { History } from '../session/history.ts';
import { upstreamOf } from '../source/trust.ts';
import { postNightIssue, runner, upload, writeSummary } from './delivery.ts';
import { jobRepository, type Job } from './job.ts';
import { nameOfConfiguration, openProject } from '../pipeline/open-project.ts';
import { writeResults } from '../pipeline/results.ts';

/** The action's `mode: baseline`: measures a night and writes its files, summary, outputs and issue. */
export async function baselineJob(job: Job): Promise<number> {
  const { inputs, overrides, event, directory, ports, signal } = job;
  const request = { directory, config: inputs.config, overrides, follow: false };
  try {
    return await measure(job, await openProject(request, ports.source));
  } catch (error) {
    // A person watches a night that was started by hand.
    if (event.event === 'schedule' && !signal.aborted)
      await keepIssue(job, await nameOfConfiguration(request, ports.source), [
        { kind: 'failed', reason: plainError(error)?.message ?? String(error) },
      ]);
    throw error;
  }
}

async function measure({ inputs, event, run, ports, signal }: Job, project: Project): Promise<number> {
  const gitEnvironment = await tokenEnvironment(project.top, inputs.githubToken, event.serverUrl);
  const night = await measureNight(
    project,
    {
      event: event.event,
      remote: await upstreamOf(project.top, jobRepository(event)),
      defaultBranch: event.defaultBranch,
      gitEnvironment,
      anchorNow: false,
    },
    run,
    ports,
    signal,
  );
  const { session, comparison, anchor } = night;
  const { remarks, status, failure } = endOf(night, project.plan.baselineBranch);
  const artifact = await upload(
    inputs.artifactName ?? `pacegate-${project.plan.configuration}-baseline`,
    run.out,
    event,
    'out' in anchor ? [anchor.out] : [],
  );
  const markdown = renderNightlyMarkdown(session, comparison, [...remarks, ...artifact.remarks]);
  const files = await writeResults(run.out, session, comparison, () => markdown);
  await writeSummary(markdown);
  runner.output('session', files.session);
  runner.output('report', files.report);
  runner.output('artifact-id', artifact.id === undefined ? '' : String(artifact.id));
  for (const remark of remarks) runner.log.info(remark);
  const problem = failure ?? `Pacegate: ${nightlyHeadline(session, comparison, oneLine)}`;
  if (!night.interrupted)
    await keepIssue(
      { inputs, event, run, signal },
      session.configuration,
      [
        ...(status === 0 ? [] : [{ kind: 'failed' as const, reason: problem }]),
        ...concernsOf(session.history, session.rules),
      ],
      session.history,
    );
  if (status !== 0) runner.fail(problem);
  return status;
}

/** @param history undefined if the night ended before it was computed; known concerns then stay open */
async function keepIssue(
  { inputs, event, run, signal }: Pick<Job, 'inputs' | 'event' | 'run' | 'signal'>,
  configuration: string,
  concerns: readonly Concern[],
  history?: History,
): Promise<void> {
  const options = { configuration, history, started: new Date().toISOString(), runUrl: event.runUrl };
  await postNightIssue(
    inputs,
    event,
    {
      configuration,
      ...nightIssue(concerns, options),
      news: (names) =>
        newConcernsComment(
          concerns.filter((concern) => names.includes(concernName(concern))),
          options,
        ),
      partial: history === undefined,
      run: runMark(process.env, run.sessionId),
    },
    signal,
  );
}
