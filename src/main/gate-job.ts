import { resolve } from 'node:path';
import { tokenEnvironment } from '../baseline/credentials.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { checkLabelOfRun } from '../github/acceptance.ts';
import { connect } from '../github/client.ts';
import type { Inputs } from '../github/inputs.ts';
import { pullRequestNumbered, pullRequestOf } from '../github/pull-request.ts';
import { sessionTexts } from '../github/run-artifact.ts';
import { markOf } from '../github/run-mark.ts';
import { gateRepository } from '../pipeline/gate-repository.ts';
import type { Occasion } from '../pipeline/occasion.ts';
import type { PullRequestPort } from '../pipeline/ports.ts';
import type { Project } from '../pipeline/project.ts';
import { FORK_FIGURES, findPullRequest } from '../pipeline/find-pull-request.ts';
import { planShards } from '../pipeline/plan-shards.ts';
import { judgePullRequest } from '../pipeline/report-pull-request.ts';
import { judgeForReport } from '../pipeline/report-sessions.ts';
import { DEFAULT_MOST_SHARDS } from '../planning/shards.ts';
import { logDuration } from '../report/durations.ts';
import type { Session } from '../session/session.ts';
import { upstreamOf } from '../source/trust.ts';
import { deliver } from './delivered-verdict.ts';
import { checkAccepting, runner, targetOf } from './delivery.ts';
import { jobRepository, type Job } from './job.ts';
import { openProject } from '../pipeline/open-project.ts';
import { readSessions } from '../out-folder/session-files.ts';

/**
 * Modes `gate` and `measure`: build and measure. A gate judges its session; a measuring job leaves that to another job.
 */
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
      skips: inputs.mode === 'gate',
      shard: inputs.shard,
      confirm: first,
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

/** Mode `plan`: chooses the number of measuring jobs, as a matrix for the workflow. */
export async function planJob(job: Job): Promise<number> {
  const { inputs, overrides, ports } = job;
  const project = await openProjectOf(job);
  const most = inputs.maxShards ?? DEFAULT_MOST_SHARDS;
  const planned = await planShards(project, overrides, await occasionOf(job, project), ports, most);
  const { shards, seconds, costs, budgetSeconds, configuration } = planned;
  for (const { variant, build, pair, assumed } of costs)
    runner.log.info(
      `${variant}: ${logDuration(build)} of building, ${pair.toFixed(1)} s for a pair${assumed ? ' (assumed, no night has it)' : ''}`,
    );
  runner.log.info(
    `Pacegate measures in ${shards === 1 ? '1 job' : `${shards} jobs`}: the longest needs up to ${logDuration(seconds)} of its budget of ${logDuration(budgetSeconds)}.`,
  );
  if (seconds > budgetSeconds)
    runner.log.warn(
      `The longest job may end at its budget, and report inconclusive rows. At most ${most} ${most === 1 ? 'job was' : 'jobs were'} allowed, and a variant is not divided. Raise max-shards or rules.budget, or shorten the workload.`,
    );
  runner.output('matrix', JSON.stringify({ include: jobsOf(shards) }));
  runner.output('configuration', configuration);
  return 0;
}

/** The measuring jobs. A single job measures all variants, so its shard is empty. `part` is for the artifact's name. */
const jobsOf = (of: number): readonly { readonly shard: string; readonly part: string }[] =>
  Array.from({ length: of }, (_, position) => ({
    shard: of === 1 ? '' : `${position + 1}/${of}`,
    part: `${position + 1}-of-${of}`,
  }));

/** Mode `report`: judges the sessions of other jobs in one verdict. */
export async function reportJob(job: Job): Promise<number> {
  const { inputs, overrides, signal, event } = job;
  if (inputs.pullRequest !== undefined || (event.triggeredBy !== undefined && inputs.sessions === undefined))
    return await pullRequestJob(job);
  // A change is judged by its base's rules, which needs a checkout. Other sessions contain the rules of their commit.
  // The configuration comes first: if it is wrong, no job has measured, and the missing sessions are not the reason.
  const project = await openProjectOf(job);
  if (inputs.sessions === undefined)
    throw new ConfigurationError(
      `The event ${event.event} names no run whose artifacts could be read, so there is nothing to report. Let the job start on workflow_run with types: [completed], or name the sessions with the input sessions.`,
    );
  const named = await readSessions(pathsOf(job, inputs.sessions));
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

/** Mode `report` for a pull request that is neither the event's nor checked out: of a fork, or of Dependabot. */
async function pullRequestJob(job: Job): Promise<number> {
  const { inputs, overrides, signal, event, run } = job;
  const project = await openProjectOf(job);
  const taken = await findPullRequest(
    {
      number: inputs.pullRequest,
      triggeredBy: event.triggeredBy,
      sessions: inputs.sessions && pathsOf(job, inputs.sessions),
      artifact: artifactName(inputs, project.plan.configuration),
    },
    await pullRequestPort(job),
  );
  if (taken.kind === 'none') {
    runner.log.info(`Pacegate posts nothing: ${taken.reason}.`);
    return 0;
  }
  const { pull, named, measuredBy, label } = taken;
  const occasion = { ...(await occasionOf(job, project)), baseRef: pull.baseRef, label };
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
    // The measuring run's artifact has the measurements.
    artifact: 'none',
    formerly: undefined,
    changed: await changedBy(job, project, judged.session),
    target: { ...targetOf(event), number: pull.number, commit: pull.headSha, readOnly: false },
    measuredBy: measuredBy && markOf(measuredBy.id, measuredBy.attempt, run.sessionId),
  });
}

/** @throws ConfigurationError without a token */
async function pullRequestPort({ inputs, event, signal }: Job): Promise<PullRequestPort> {
  const { owner, repo, apiUrl } = event;
  if (inputs.githubToken === undefined)
    throw new ConfigurationError(
      'The input github-token is empty, so GitHub cannot be asked for the pull request. Leave the input out, and give the job pull-requests: write, checks: write and actions: read.',
    );
  const octokit = await connect(inputs.githubToken, apiUrl, { signal });
  return {
    ofRun: async (run) => await pullRequestOf(octokit, { owner, repo }, run),
    numbered: async (number) => await pullRequestNumbered(octokit, { owner, repo }, number),
    label: async (number, run) => await checkLabelOfRun(octokit, { owner, repo, number, run }),
    sessionTexts: async (run, name) => await sessionTexts(octokit, { owner, repo, run, name }),
    readSessions,
  };
}

const openProjectOf = async ({ directory, inputs, overrides, ports }: Job) =>
  await openProject({ directory, config: inputs.config, overrides, follow: false }, ports.source);

const pathsOf = ({ directory }: Job, paths: readonly string[]) =>
  paths.map((path) => resolve(directory, path));

async function occasionOf({ inputs, event, signal }: Job, { top }: Project): Promise<Occasion> {
  const { pullRequest, before, mergeBase, mergeSha, sha, defaultBranch } = event;
  return {
    event: event.event,
    remote: await upstreamOf(top, jobRepository(event)),
    ...{ defaultBranch, before, sha, mergeSha },
    baseRef: pullRequest?.baseRef,
    baseSha: mergeBase,
    gitEnvironment: await tokenEnvironment(top, inputs.githubToken, event.serverUrl),
    secretsOnPullRequests: inputs.buildSecretsOnPullRequests,
    label:
      event.accepting === undefined
        ? undefined
        : await checkAccepting(event.accepting, inputs, event, signal),
  };
}

/** The files of the change, for a check's annotations. If they are unknown, the check has none. */
async function changedBy({ ports }: Job, { top }: Project, { source }: Session): Promise<readonly string[]> {
  const { baseline, head } = source;
  if (baseline === undefined || head === undefined) return [];
  return await ports.source.changedFiles(top, baseline.commit, head.commit).catch(() => []);
}

/** The artifact's name. Names are unique in a workflow's run, so each measuring job has its own. */
function artifactName({ mode, shard, artifactName: given }: Inputs, configuration: string): string {
  if (given !== undefined) return given;
  if (mode !== 'measure') return `pacegate-${configuration}`;
  return shard === undefined
    ? `pacegate-${configuration}-measured`
    : `pacegate-${configuration}-shard-${shard.index}-of-${shard.of}`;
}
