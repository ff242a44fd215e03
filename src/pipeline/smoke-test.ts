import { join } from 'node:path';
import { PacegateError } from '../errors/errors.ts';
import { checkEngine } from '../images/engine-check.ts';
import { smokeHint } from '../init/smoke-hint.ts';
import { measureTree } from './measure-tree.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';
import { tryGit } from '../process/git.ts';
import { measurementsOf, renderMeasurementTerminal } from '../report/measurement.ts';
import { metricWords, quantity } from '../report/verdict-wording.ts';
import type { Session } from '../session/session.ts';
import { withTemporaryRun, type CommandContext } from '../main/commands/command.ts';
import { openProject } from '../main/project.ts';

export interface SmokeRequest {
  readonly top: string;
  readonly repository: boolean;
  readonly configuration: string;
}

/** One block of the first variant, in Docker where it answers, else with this machine's Python. */
export async function smokeTest(
  context: CommandContext,
  { top, repository, configuration }: SmokeRequest,
): Promise<number> {
  const { log, print, colour } = context;
  if (repository && (await tryGit(top, ['rev-parse', '--verify', '--quiet', 'HEAD'])).status !== 0) {
    print(
      'The repository has no commit yet, so the workload was not tried. Commit, then run `pacegate run`.\n',
    );
    return 0;
  }
  const project = await openProject({ directory: top, config: join(top, configuration), overrides: {} });
  const { plan, where } = await withWorkingEngine(project.plan);
  log.step(`Smoke test: one block ${where}`);
  return await withTemporaryRun(context, async (run, ports) => {
    const { session, interrupted } = await measureTree(
      { ...project, plan },
      { side: 'head', event: 'terminal' },
      run,
      ports,
      context.signal,
    );
    const failure = session.failures[0] ?? undefined;
    if (failure === undefined && !interrupted && session.runs.some(({ outcome }) => outcome === 'ok')) {
      print(
        `The workload runs ${where}: ${figures(session)}. Next: \`pacegate gate\` compares a change with its base.\n`,
      );
      return 0;
    }
    print(renderMeasurementTerminal(session, { colour }));
    print(`In the way: ${smokeHint(failure?.message ?? 'nothing was measured')}\n`);
    return 3;
  });
}

/** The three figures that a person knows. */
const figures = (session: Session): string =>
  measurementsOf(session)
    .filter(({ metric }) => ['wall_time_s', 'cpu_time_s', 'max_rss_bytes'].includes(metric))
    .map(({ metric, median, unit }) => `${metricWords(metric)} ${quantity(median, unit)}`)
    .join(', ');

/** The plan for one block of one variant. */
async function withWorkingEngine(plan: Plan): Promise<{ readonly plan: Plan; readonly where: string }> {
  const [first] = plan.variants;
  const rules = { ...plan.rules, blocks: 1 };
  const host = "with this machine's Python, without a container";
  if (first === undefined || first.kind === 'host')
    return { plan: deepFreeze({ ...plan, rules, variants: plan.variants.slice(0, 1) }), where: host };
  try {
    await checkEngine();
    return { plan: deepFreeze({ ...plan, rules, variants: [first] }), where: `in Docker (${first.name})` };
  } catch (error) {
    if (!(error instanceof PacegateError)) throw error;
    const here = {
      name: 'here',
      kind: 'host',
      python: 'python3',
      flags: first.flags,
      env: first.env,
    } as const;
    const [reason = ''] = error.message.split('. ');
    return {
      plan: deepFreeze({ ...plan, rules, variants: [here] }),
      where: `${host} (${reason}; a gate needs Docker, or \`pacegate init --host\`)`,
    };
  }
}
