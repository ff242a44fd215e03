import { tokenEnvironment } from '../baseline/credentials.ts';
import { measureNight } from '../pipeline/measure-night.ts';
import { endOf } from '../pipeline/night-end.ts';
import { oneLine } from '../report/escape.ts';
import { nightlyHeadline, renderNightlyMarkdown } from '../report/nightly.ts';
import { upstreamOf } from '../source/trust.ts';
import { runner, upload, writeSummary } from './delivery.ts';
import { jobRepository, type Job } from './job.ts';
import { openProject } from './project.ts';
import { writeResults } from '../pipeline/results.ts';

/** The action's `mode: baseline`: a night, its files, its summary and its outputs. */
export async function baselineJob({
  inputs,
  overrides,
  event,
  directory,
  run,
  ports,
  signal,
}: Job): Promise<number> {
  const project = await openProject({ directory, config: inputs.config, overrides, follow: false });
  const gitEnvironment = await tokenEnvironment(project.top, inputs.githubToken, event.serverUrl);
  const night = await measureNight(
    project,
    {
      event: event.event,
      remote: await upstreamOf(project.top, jobRepository(event)),
      ...(event.defaultBranch === undefined ? {} : { defaultBranch: event.defaultBranch }),
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
  if (status !== 0) runner.fail(failure ?? `Pacegate: ${nightlyHeadline(session, comparison, oneLine)}`);
  return status;
}
