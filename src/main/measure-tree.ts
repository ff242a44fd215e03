import { join } from 'node:path';
import { openBaselineBranch } from '../baseline/branch.ts';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { measureOneSide, type OneSideResult } from '../pipeline/one-side.ts';
import type { SideTree } from '../pipeline/ports.ts';
import type { Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { repositoryName } from '../source/export.ts';
import { isPullRequest, resolveCommit, resolveHead } from '../source/sides.ts';
import { checkContext } from '../source/workload-files.ts';
import { withPorts } from './compose.ts';
import { exportSide, type RunContext } from './gate-repository.ts';
import type { Project } from './project.ts';
import { newSeed } from './session-id.ts';
import { VERSION } from './version.ts';

export interface TreeRequest {
  readonly side: Side;
  readonly event: string;
  /** Push the images to the plan's registry. */
  readonly push: boolean;
}

/** Builds and measures the files of a work tree, or of a plain folder, as one side. */
export async function measureTree(
  project: Project,
  { side, event, push }: TreeRequest,
  context: RunContext,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const { plan, top, repository } = project;
  const warnings = [...cacheWarnings(plan), ...compileWarnings(plan)];
  for (const warning of warnings) context.log.warn(warning);
  const exported = repository
    ? await exportSide(
        top,
        event === 'terminal' ? await resolveHead(top) : await resolveCommit(top),
        join(context.workFolder, side),
        plan.workload.context,
      )
    : { tree: { directory: top } satisfies SideTree, notes: [] };
  await checkContext(exported.tree.directory, plan.workload.context);
  const { tree, notes } = exported;
  return await withPorts(
    { plan, ...context },
    async (ports) =>
      await measureOneSide(
        {
          sessionId: context.sessionId,
          plan,
          side,
          tree,
          source: {
            repository: repository ? await repositoryName(top) : top,
            event,
            ...(tree.commit === undefined ? {} : { [side]: tree.commit }),
          },
          seed: plan.seed ?? newSeed(),
          toolVersion: VERSION,
          notes: [...notes, ...warnings],
          push,
        },
        ports,
        signal,
      ),
  );
}

export interface Refreshed extends OneSideResult {
  readonly stored:
    | { readonly kind: 'stored'; readonly commit: string }
    /** Nothing was measured, or the run was cut short. */
    | { readonly kind: 'nothing' }
    /** The branch could not be written. What was measured is in the session all the same. */
    | { readonly kind: 'refused'; readonly reason: string };
}

/**
 * Measures the checkout as the baseline and appends the session to the baseline branch.
 * @throws ConfigurationError where the checkout is not a commit that others can have, or a pull request's
 */
export async function refreshBaseline(
  project: Project,
  occasion: { readonly event: string; readonly gitEnvironment: Readonly<Record<string, string>> },
  context: RunContext,
  signal: AbortSignal,
  keep: (session: Session) => Promise<void>,
): Promise<Refreshed> {
  const { event, gitEnvironment: env } = occasion;
  const { plan, top, repository } = project;
  if (!repository)
    throw new ConfigurationError(`${top} is no git repository, so there is no branch to keep a baseline on.`);
  if (isPullRequest(event))
    throw new ConfigurationError(
      `Mode baseline was asked for by ${event}; a pull request never feeds the baseline. Run it on a schedule or on a push to the main branch.`,
    );
  if (event === 'terminal' && (await resolveHead(top)).dirty)
    throw new ConfigurationError(
      `${top} has uncommitted changes; a baseline is a commit that everybody can have. Commit or stash them.`,
    );
  const result = await measureTree(
    project,
    { side: 'baseline', event, push: plan.build.registry !== undefined },
    context,
    signal,
  );
  // On disk before the branch is tried: a push that fails must not lose what was measured.
  await keep(result.session);
  if (result.interrupted || !result.session.runs.some(({ outcome }) => outcome === 'ok'))
    return { ...result, stored: { kind: 'nothing' } };
  const branch = openBaselineBranch({ directory: top, branch: plan.baselineBranch, env });
  try {
    const { commit } = await branch.append(result.session);
    return { ...result, stored: { kind: 'stored', commit } };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { ...result, stored: { kind: 'refused', reason: error.message } };
  }
}
