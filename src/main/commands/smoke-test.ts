import { join } from 'node:path';
import { smokeHint } from '../../init/smoke-hint.ts';
import { smokeTest } from '../../pipeline/smoke-test.ts';
import { tryGit } from '../../process/git.ts';
import { measurementsOf, renderMeasurementTerminal } from '../../report/measurement.ts';
import { metricWords, quantity } from '../../report/verdict-wording.ts';
import type { Session } from '../../session/session.ts';
import { projectSource } from '../compose.ts';
import { openProject } from '../../pipeline/open-project.ts';
import { COULD_NOT_BE_MEASURED, withTemporaryRun, type CommandContext } from './command.ts';

export interface SmokeRequest {
  readonly top: string;
  readonly repository: boolean;
  readonly configuration: string;
  /** Changes the written files after a failure; true if another attempt is worthwhile. */
  readonly adapt?: ((obstacle: string) => Promise<boolean>) | undefined;
}

/**
 * The last step of `init`: tries the written files.
 * @returns the exit status
 */
export async function trySmokeTest(context: CommandContext, request: SmokeRequest): Promise<number> {
  const { print, colour } = context;
  const { top, repository, configuration, adapt } = request;
  if (repository && (await tryGit(top, ['rev-parse', '--verify', '--quiet', 'HEAD'])).status !== 0) {
    print(
      'The repository has no commit yet, so the workload was not tried. Commit, then run `pacegate run`.\n',
    );
    return 0;
  }
  const project = await openProject(
    { directory: top, config: join(top, configuration), overrides: {} },
    projectSource,
  );
  const { session, where, obstacle } = await withTemporaryRun(
    context,
    async (run, ports) => await smokeTest(project, run, ports, context.signal),
  );
  if (obstacle === undefined) {
    print(
      `The workload runs ${where}: ${figures(session)}. Next: \`pacegate gate\` compares a change with its base.\n`,
    );
    return 0;
  }
  if ((await adapt?.(obstacle)) === true)
    return await trySmokeTest(context, { ...request, adapt: undefined });
  print(renderMeasurementTerminal(session, { colour }));
  print(`In the way: ${smokeHint(obstacle)}\n`);
  return COULD_NOT_BE_MEASURED;
}

/** Three well-known figures. */
const figures = (session: Session): string =>
  measurementsOf(session)
    .filter(({ metric }) => ['wall_time_s', 'cpu_time_s', 'max_rss_bytes'].includes(metric))
    .map(({ metric, median, unit }) => `${metricWords(metric)} ${quantity(median, unit)}`)
    .join(', ');
