import { join, resolve } from 'node:path';
import { ConfigurationError } from '../errors/errors.ts';
import { type EventContext, readEvent } from '../github/context.ts';
import { parseInputs, type Inputs } from '../github/inputs.ts';
import { overridesOf } from '../plan/resolve.ts';
import { endGitWith } from '../process/git.ts';
import { baselineJob } from './baseline-job.ts';
import { jobPorts } from './compose.ts';
import { runner } from './delivery.ts';
import { endOnSignals } from '../process/signals.ts';
import { removeSession } from './engines.ts';
import { endedWith, runJob } from './failed-job.ts';
import { gateJob, planJob, reportJob } from './gate-job.ts';
import type { Job } from './job.ts';
import { openOutFolder, type OutFolder } from '../out-folder/out-folder.ts';
import type { Places } from './places.ts';
import { plainError } from '../errors/plain-error.ts';
import { statusOfFiles } from '../pipeline/results.ts';
import { newSessionId } from '../measure/session-id.ts';
import { VERSION } from './version.ts';
import { endProcessesOf, openWorkFolder, ownerOfFolder, removeWorkFolder } from '../process/work-folder.ts';

/** Runs the action: the job itself, or the post step that cleans up after a killed job. */
export async function runAction(places: Places): Promise<void> {
  if (runner.state('session') === '') await runMain(places);
  else await runPost();
}

async function runMain(places: Places): Promise<void> {
  // To cancel, the runner sends SIGINT, then SIGTERM, then kills. In between the measurements are written.
  const ending = endOnSignals({ warn: (text) => runner.log.warn(text), second: 'ignored' });
  endGitWith(ending.signal);
  const sessionId = newSessionId(new Date());
  runner.saveState('session', sessionId);
  let workFolder: string | undefined;
  let out: OutFolder | undefined;
  try {
    workFolder = await openWorkFolder();
    runner.saveState('work-folder', workFolder);
    const inputs = parseInputs(process.env);
    runner.log.info(`Pacegate ${VERSION}: ${inputs.mode}, session ${sessionId}`);
    const event = await readEvent();
    refuseTarget(event);
    const directory = process.env['GITHUB_WORKSPACE'] ?? process.cwd();
    out = await openOutFolder(
      inputs.out === undefined ? defaultOut(sessionId) : resolve(directory, inputs.out),
    );
    const overrides = overridesOf(inputs);
    const run = { sessionId, workFolder, out, toolVersion: VERSION };
    const ports = jobPorts(places, runner.log, ending.signal);
    const job: Job = { inputs, overrides, event, directory, run, ports, signal: ending.signal };
    process.exitCode = statusOfFiles(out, await runJob(job, JOBS[inputs.mode]), (text) => runner.fail(text));
  } catch (error) {
    const plain = plainError(error);
    if (plain === undefined) throw error;
    process.exitCode = endedWith(plain);
  } finally {
    ending.stop();
    await out?.close();
    if (workFolder !== undefined) await removeWorkFolder(workFolder, ending.signal);
  }
}

/** Removes the containers of a killed run. After a normal run it does nothing. */
async function runPost(): Promise<void> {
  const workFolder = runner.state('work-folder');
  const owner = ownerOfFolder(workFolder);
  if (owner !== undefined) await endProcessesOf(owner, workFolder);
  await removeWorkFolder(workFolder);
  // Without an engine there are no containers to remove.
  await removeSession(runner.state('session')).catch(() => undefined);
}

const JOBS: Readonly<Record<Inputs['mode'], (job: Job) => Promise<number>>> = {
  gate: gateJob,
  measure: gateJob,
  plan: planJob,
  report: reportJob,
  baseline: baselineJob,
};

/**
 * Rejects `pull_request_target`, which gives a stranger's code the base's secrets. Pacegate does not need this event.
 */
export function refuseTarget({ event }: Pick<EventContext, 'event'>): void {
  if (event === 'pull_request_target')
    throw new ConfigurationError(
      'Pacegate was run by pull_request_target, which hands the secrets of the base to the code of the pull request. Use the event pull_request.',
    );
}

const defaultOut = (sessionId: string) =>
  join(process.env['RUNNER_TEMP'] ?? process.cwd(), `pacegate-${sessionId}`);
