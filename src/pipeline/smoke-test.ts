import { PacegateError } from '../errors/errors.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';
import type { Session } from '../session/session.ts';
import { measureTree } from './measure-tree.ts';
import type { EnginePort, JobPorts, RunContext } from './ports.ts';
import type { Project } from './project.ts';

export interface SmokeTest {
  readonly session: Session;
  /** Where the workload ran, as part of a sentence. */
  readonly where: string;
  /** Why the workload does not run; undefined if it runs. */
  readonly obstacle: string | undefined;
}

/** Runs one block of the first variant, in Docker if it answers, else with this machine's Python. */
export async function smokeTest(
  project: Project,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<SmokeTest> {
  const { plan, where } = await withWorkingEngine(project.plan, ports.engine);
  ports.log.step(`Smoke test: one block ${where}`);
  const { session, interrupted } = await measureTree(
    { ...project, plan },
    { side: 'head', event: 'terminal' },
    run,
    ports,
    signal,
  );
  const [failure] = session.failures;
  const runs = failure === undefined && !interrupted && session.runs.some(({ outcome }) => outcome === 'ok');
  return { session, where, obstacle: runs ? undefined : (failure?.message ?? 'nothing was measured') };
}

/** The plan for one block of one variant. */
async function withWorkingEngine(
  plan: Plan,
  engine: EnginePort,
): Promise<{ readonly plan: Plan; readonly where: string }> {
  const [first] = plan.variants;
  const rules = { ...plan.rules, blocks: 1 };
  const host = "with this machine's Python, without a container";
  if (first === undefined || first.kind === 'host')
    return { plan: deepFreeze({ ...plan, rules, variants: plan.variants.slice(0, 1) }), where: host };
  try {
    await engine.check();
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
