import { StoreError } from '../errors/errors.ts';
import { gateHistory } from '../history/history.ts';
import type { Plan } from '../plan/plan.ts';
import type { History } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { Occasion } from './occasion.ts';
import type { JobPorts } from './ports.ts';
import type { Project } from './project.ts';

/** The stored sessions, or none with a logged reason. A history that cannot be read does not stop a gate. */
export async function readHistory(
  { top: directory, formerly }: Project,
  { baselineBranch, configuration, rules: { evidence } }: Plan,
  { gitEnvironment: env, remote = 'origin' }: Pick<Occasion, 'gitEnvironment' | 'remote'>,
  { store, log }: Pick<JobPorts, 'store' | 'log'>,
): Promise<{
  readonly sessions: readonly Session[];
  /** The history computed from them; undefined if there are none. */
  readonly record: History | undefined;
  readonly remarks: readonly string[];
}> {
  try {
    const branch = store.open({ directory, branch: baselineBranch, env, remote, formerly });
    const { sessions, summaries, problems } = await branch.read(configuration);
    for (const problem of problems) log.warn(problem);
    return {
      sessions,
      record: sessions.length === 0 ? undefined : gateHistory({ sessions, summaries }),
      remarks:
        sessions.length > 0
          ? problems
          : [
              `There is no baseline history yet${evidence === 'stored' ? ', and evidence: stored needs it' : '; the pair is still judged'}. Run Pacegate with mode: baseline on a schedule to begin one on the branch ${baselineBranch}.`,
            ],
    };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.warn(error.message);
    return {
      sessions: [],
      record: undefined,
      remarks: [`The baseline history could not be read: ${error.message}`],
    };
  }
}
