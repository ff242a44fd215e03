import type { EventContext } from '../github/context.ts';
import type { Inputs } from '../github/inputs.ts';
import type { Overrides } from '../plan/resolve.ts';
import type { JobRepository } from '../source/trust.ts';
import type { JobPorts, RunContext } from '../pipeline/ports.ts';

/** The data of every job of the action. */
export interface Job {
  readonly inputs: Inputs;
  readonly overrides: Overrides;
  readonly event: EventContext;
  /** The work tree of the runner, absolute. */
  readonly directory: string;
  readonly run: RunContext;
  readonly ports: JobPorts;
  readonly signal: AbortSignal;
}

/** The repository of the runner's job, for any checkout. */
export const jobRepository = ({ owner, repo, serverUrl }: EventContext): JobRepository => ({
  name: `${owner}/${repo}`,
  serverUrl,
});
