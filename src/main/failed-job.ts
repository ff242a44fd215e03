import type { PacegateError } from '../errors/errors.ts';
import { plainError } from '../errors/plain-error.ts';
import { runMark } from '../github/run-mark.ts';
import { nameOfConfiguration } from '../pipeline/open-project.ts';
import { checkName, errorCheckText } from '../report/check.ts';
import { postCheck, runner, targetOf } from './delivery.ts';
import type { Job } from './job.ts';

/** Ends a job of the action that failed with an error that a user can fix. */

/**
 * Runs a job. If it ends with such an error, the error is the job's annotation and the check's text.
 * @returns the exit status
 * @throws every other error, which is a fault of Pacegate
 */
export async function runJob(job: Job, work: (job: Job) => Promise<number>): Promise<number> {
  try {
    return await work(job);
  } catch (error) {
    const plain = plainError(error);
    if (plain === undefined) throw error;
    await postErrorCheck(job, plain);
    return endedWith(plain);
  }
}

/** Reports an error as the job's annotation. @returns the exit status */
export function endedWith({ message, exitStatus }: PacegateError): number {
  // Later steps that read the verdict must see that nothing was measured.
  if (exitStatus === 3) runner.output('verdict', 'no_data');
  runner.fail(message);
  return exitStatus;
}

/**
 * Writes the error as a failed check: a required check that is never written stays open, and nobody sees why. A job that
 * was cancelled writes none, because a newer run follows or a person ended it.
 */
async function postErrorCheck(job: Job, { message, exitStatus }: PacegateError): Promise<void> {
  const { inputs, event, directory, overrides, ports, run, signal } = job;
  if (signal.aborted || (inputs.mode !== 'gate' && inputs.mode !== 'report')) return;
  const target = targetOf(event);
  // Without a commit there is no check, and the configuration's name is not needed.
  if (target.commit === undefined) return;
  const name = await nameOfConfiguration({ directory, config: inputs.config, overrides }, ports.source);
  await postCheck(
    inputs,
    target,
    {
      name: checkName(name),
      run: runMark(process.env, run.sessionId),
      shared: inputs.confirm !== undefined,
      conclusion: 'failure',
      output: { ...errorCheckText(message, exitStatus), annotations: [] },
      detailsUrl: event.runUrl,
    },
    signal,
  );
}
