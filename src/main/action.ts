import { join, resolve } from 'node:path';
import { tokenEnvironment } from '../baseline/credentials.ts';
import { ConfigurationError, PacegateError } from '../errors/errors.ts';
import type { EventContext } from '../github/context.ts';
import { readEvent } from '../github/context.ts';
import { parseInputs, type Inputs } from '../github/inputs.ts';
import type { Overrides } from '../plan/resolve.ts';
import { measurementHeadline, renderMeasurementMarkdown } from '../report/measurement.ts';
import { oneLine } from '../report/escape.ts';
import { removeSession } from './compose.ts';
import { runner, upload, writeSummary } from './delivery.ts';
import { gateJob, reportJob } from './gate-job.ts';
import type { RunContext } from './gate-repository.ts';
import type { Job } from './job.ts';
import { refreshBaseline } from './measure-tree.ts';
import { openOutFolder } from './out-folder.ts';
import type { Places } from './places.ts';
import { openProject } from './project.ts';
import { writeResults } from './results.ts';
import { newSessionId } from './session-id.ts';
import { VERSION } from './version.ts';
import { openWorkFolder, removeWorkFolder } from './work-folder.ts';

/** The action's entry: the job itself, and the post step that cleans up after one that was killed. */
export async function runAction(places: Places): Promise<void> {
  if (runner.state('session') === '') await runMain(places);
  else await runPost();
}

async function runMain(places: Places): Promise<void> {
  const interrupt = new AbortController();
  // The runner cancels with SIGINT, then SIGTERM, then kills: what was measured is written in between.
  const end = () => interrupt.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  const sessionId = newSessionId(new Date());
  runner.saveState('session', sessionId);
  const workFolder = await openWorkFolder();
  runner.saveState('work-folder', workFolder);
  try {
    const inputs = parseInputs(process.env);
    runner.log.info(`Pacegate ${VERSION}: ${inputs.mode}, session ${sessionId}`);
    const event = await readEvent();
    refuseTarget(event);
    const directory = process.env['GITHUB_WORKSPACE'] ?? process.cwd();
    const out = await openOutFolder(
      inputs.out === undefined ? defaultOut(sessionId) : resolve(directory, inputs.out),
    );
    const overrides = overridesOf(inputs);
    const context: RunContext = { sessionId, workFolder, places, out, log: runner.log };
    const job: Job = { inputs, overrides, event, directory, context, signal: interrupt.signal };
    process.exitCode = await JOBS[inputs.mode](job);
  } catch (error) {
    if (!(error instanceof PacegateError)) throw error;
    runner.fail(error.message);
    process.exitCode = error.exitStatus;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await removeWorkFolder(workFolder);
  }
}

/** Nothing is left to do after a run that ended by itself; after one that was killed, its containers are. */
async function runPost(): Promise<void> {
  await removeWorkFolder(runner.state('work-folder'));
  // Without an engine there is nothing of ours in it.
  await removeSession(runner.state('session')).catch(() => undefined);
}

const JOBS: Readonly<Record<Inputs['mode'], (job: Job) => Promise<number>>> = {
  gate: gateJob,
  measure: gateJob,
  report: reportJob,
  baseline: baselineJob,
};

async function baselineJob({ inputs, overrides, event, directory, context, signal }: Job): Promise<number> {
  const project = await openProject({ directory, config: inputs.config, overrides });
  const gitEnvironment = await tokenEnvironment(project.top, inputs.githubToken, event.serverUrl);
  const { session, stored, interrupted } = await refreshBaseline(
    project,
    { event: event.event, gitEnvironment },
    context,
    signal,
    async (measured) => {
      await writeResults(context.out, measured, undefined, renderMeasurementMarkdown(measured));
    },
  );
  const artifact = await upload(
    inputs.artifactName ?? `pacegate-${project.plan.configuration}-baseline`,
    context.out,
    event,
  );
  const remark =
    stored.kind === 'stored'
      ? `Stored on the branch ${project.plan.baselineBranch} as ${stored.commit.slice(0, 10)}.`
      : stored.kind === 'refused'
        ? stored.reason
        : 'Nothing was stored on the baseline branch: no run ended well, or the run was cancelled.';
  const markdown = renderMeasurementMarkdown(session, [remark, ...artifact.remarks]);
  const files = await writeResults(context.out, session, undefined, markdown);
  await writeSummary(markdown);
  runner.output('session', files.session);
  runner.output('report', files.report);
  runner.output('artifact-id', artifact.id === undefined ? '' : String(artifact.id));
  if (stored.kind === 'refused') {
    runner.fail(remark);
    return 3;
  }
  runner.log.info(remark);
  if (!interrupted && session.failures.length === 0) return 0;
  // A nightly that measured less than it was asked to must not look like one that is well.
  runner.fail(`Pacegate: ${measurementHeadline(session, oneLine)}`);
  return 3;
}

/** `pull_request_target` gives a stranger's code the base's secrets; nothing here needs it. */
function refuseTarget({ event }: EventContext): void {
  if (event === 'pull_request_target')
    throw new ConfigurationError(
      'Pacegate was run by pull_request_target, which hands the secrets of the base to the code of the pull request. Use the event pull_request.',
    );
}

const defaultOut = (sessionId: string) =>
  join(process.env['RUNNER_TEMP'] ?? process.cwd(), `pacegate-${sessionId}`);

function overridesOf(inputs: Inputs): Overrides {
  const { variants, evidence, failOn, budget, registry, cacheFrom, cacheTo, baselineBranch } = inputs;
  return {
    ...(variants === undefined ? {} : { variants }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(failOn === undefined ? {} : { failOn }),
    ...(budget === undefined ? {} : { budget }),
    ...(registry === undefined ? {} : { registry }),
    ...(cacheFrom === undefined ? {} : { cacheFrom }),
    ...(cacheTo === undefined ? {} : { cacheTo }),
    ...(baselineBranch === undefined ? {} : { baselineBranch }),
  };
}
