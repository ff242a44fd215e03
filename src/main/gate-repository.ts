import { join } from 'node:path';
import { openBaselineBranch } from '../baseline/branch.ts';
import { knownImage } from '../baseline/format.ts';
import { gateHistory } from '../compare/history.ts';
import type { NamedSession } from '../compare/merge.ts';
import { StoreError } from '../errors/errors.ts';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { confirm } from '../pipeline/confirm.ts';
import { gate, type GateRequest } from '../pipeline/gate.ts';
import type { Ports, SideTree } from '../pipeline/ports.ts';
import { guarded, ruleChanges, withoutSecrets, withRulesOf } from '../plan/base-rules.ts';
import type { Plan } from '../plan/plan.ts';
import type { Overrides } from '../plan/resolve.ts';
import { shardOf } from '../plan/shard.ts';
import type { History } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { ShardRequest } from '../session/shard.ts';
import { exportTree, repositoryName } from '../source/export.ts';
import { isPullRequest, resolveSides, type SideCommit, type Sides } from '../source/sides.ts';
import { checkContext } from '../source/workload-files.ts';
import { withPorts } from './compose.ts';
import type { OutFolder } from './out-folder.ts';
import type { Places } from './places.ts';
import type { ProgressLog } from './progress.ts';
import { planAt, type Project } from './project.ts';
import { judgedParts, type JudgedSessions } from './session-files.ts';
import { newSeed } from './session-id.ts';
import { VERSION } from './version.ts';

/** What a run has whoever asked for it. */
export interface RunContext {
  readonly sessionId: string;
  readonly workFolder: string;
  readonly places: Places;
  readonly out: OutFolder;
  readonly log: ProgressLog;
}

/** What happened, as the caller knows it: the runner's event, or a person's command. */
export interface Occasion {
  /** `pull_request`, `push`, … or `terminal`. */
  readonly event: string;
  readonly before?: string;
  readonly baseRef?: string;
  /** The commit at the pull request's own tip, to tell the merge commit from it. */
  readonly headSha?: string;
  /** The commit that a merge queue's group starts from. */
  readonly baseSha?: string;
  readonly baselineRef?: string;
  /** Environment for git: credentials. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
  /** Whether build secrets of the configuration reach the builds of a pull request. */
  readonly secretsOnPullRequests: boolean;
}

/** Which part of a gate this job is; nothing of it: the whole. */
export interface GatePart {
  readonly shard?: ShardRequest;
  /** An earlier job's gate: what regressed in it is measured again here. */
  readonly confirm?: readonly NamedSession[];
  /** Build both sides once more from nothing, for their build time. */
  readonly coldBuilds?: boolean;
}

export interface GatedRepository extends JudgedSessions {
  readonly interrupted: boolean;
  /** The plan that judged: its rules decide the exit status. */
  readonly plan: Plan;
  readonly history: readonly Session[];
  /** Sentences that stand below the headline. */
  readonly remarks: readonly string[];
}

/**
 * Gates the work tree of a repository: finds the two sides, exports them, reads the rules and the history, builds,
 * measures and decides.
 */
export async function gateRepository(
  project: Project,
  overrides: Overrides,
  occasion: Occasion,
  context: RunContext,
  signal: AbortSignal,
  part: GatePart = {},
): Promise<GatedRepository> {
  const { top } = project;
  const { log, workFolder, out } = context;
  const { event, gitEnvironment: env, secretsOnPullRequests, ...rest } = occasion;
  const sides = await resolveSides({ directory: top, event, env, ...rest });
  const baselineCommit = 'unavailable' in sides.baseline ? undefined : sides.baseline;

  const ruled = await ruledPlan(project, overrides, event, baselineCommit);
  const allowed = isPullRequest(event) && !secretsOnPullRequests ? withoutSecrets(ruled.plan) : ruled.plan;
  const { plan, shard } =
    part.shard === undefined ? { plan: allowed, shard: undefined } : shardOf(allowed, part.shard);
  const { sessions: history, record: standing, remarks } = await readHistory(top, plan, env, log);
  const warnings = [...cacheWarnings(plan), ...compileWarnings(plan)];
  for (const warning of warnings) log.warn(warning);

  const head = await exportSide(top, sides.head, join(workFolder, 'head'), plan.workload.context);
  const baseline =
    baselineCommit === undefined
      ? undefined
      : await exportSide(top, baselineCommit, join(workFolder, 'baseline'), plan.workload.context);
  const request: GateRequest = {
    sessionId: context.sessionId,
    ...(shard === undefined ? {} : { shard }),
    plan,
    pair: {
      head: head.tree,
      baseline:
        baseline === undefined
          ? unavailable(sides)
          : { ...baseline.tree, ...(ruled.base === undefined ? {} : { plan: ruled.base }) },
    },
    source: {
      repository: await repositoryName(top),
      event,
      ...(baselineCommit === undefined ? {} : { baseline: record(baselineCommit) }),
      head: record(sides.head),
    },
    seed: plan.seed ?? newSeed(),
    toolVersion: VERSION,
    history,
    ...(standing === undefined ? {} : { record: standing }),
    knownImage: ({ name }) =>
      baselineCommit === undefined ? undefined : knownImage(history, baselineCommit.commit, name),
    notes: [...sides.notes, ...ruled.notes, ...head.notes, ...warnings],
    ...(part.coldBuilds === true ? { figures: { coldBuilds: 'all' } } : {}),
  };
  const result = await withPorts(
    { plan, ...context, out },
    async (ports) => await measurePart(request, part.confirm, ports, signal),
  );
  return { ...result, plan, history, remarks };
}

/** One gate, or what confirms an earlier one. */
async function measurePart(
  request: GateRequest,
  first: GatePart['confirm'],
  ports: Ports,
  signal: AbortSignal,
): Promise<JudgedSessions & { readonly interrupted: boolean }> {
  if (first === undefined) {
    const { session, comparison, interrupted } = await gate(request, ports, signal);
    return { session, comparison, interrupted, parts: [session], file: session };
  }
  const { parts, comparison, interrupted } = await confirm({ ...request, first }, ports, signal);
  return { ...judgedParts(parts, comparison), interrupted };
}

const record = ({ commit, dirty }: SideCommit) => ({ commit, dirty });

const unavailable = ({ baseline }: Sides) =>
  'unavailable' in baseline ? baseline : { unavailable: 'it was not exported' };

/** The plan with the rules that hold, and the sentences on where they come from. */
export async function ruledPlan(
  project: Project,
  overrides: Overrides,
  event: string,
  baseline: SideCommit | undefined,
): Promise<{ readonly plan: Plan; readonly base: Plan | undefined; readonly notes: readonly string[] }> {
  const { plan, file } = project;
  if (baseline === undefined)
    return {
      plan: isPullRequest(event) ? guarded(withoutSecrets(plan), undefined) : plan,
      base: undefined,
      notes: isPullRequest(event) ? ["No base could be had, so the rules are this change's own."] : [],
    };
  const at = await planAt(project, baseline.commit, overrides);
  if (!isPullRequest(event)) return { plan, base: at.kind === 'plan' ? at.plan : undefined, notes: [] };
  switch (at.kind) {
    case 'plan':
      return {
        plan: guarded(withRulesOf(plan, at.plan, overrides), at.plan),
        base: at.plan,
        notes: ruleChanges(plan, at.plan),
      };
    case 'none':
      // Nobody has agreed to anything yet, secrets least of all.
      return {
        plan: guarded(withoutSecrets(plan), undefined),
        base: undefined,
        notes: [`The base has no ${file} yet, so the rules are this change's own.`],
      };
    case 'broken':
      return {
        plan: guarded(withoutSecrets(plan), undefined),
        base: undefined,
        notes: [`The base's ${file} cannot be read, so the rules are this change's own: ${at.message}`],
      };
  }
}

/** The stored sessions, or none with a word on why: a history that cannot be read must not stop a gate. */
export async function readHistory(
  directory: string,
  { baselineBranch, configuration, evidence }: Plan,
  env: Readonly<Record<string, string>>,
  log: ProgressLog,
): Promise<{
  readonly sessions: readonly Session[];
  /** What they say together; undefined without any. */
  readonly record: History | undefined;
  readonly remarks: readonly string[];
}> {
  try {
    const branch = openBaselineBranch({ directory, branch: baselineBranch, env });
    const { sessions, summaries, problems } = await branch.read(configuration);
    for (const problem of problems) log.warn(problem);
    return {
      sessions,
      record: sessions.length === 0 ? undefined : gateHistory({ sessions, summaries }),
      remarks:
        sessions.length > 0
          ? problems
          : [
              `There is no baseline history yet${evidence === 'stored' ? ', and evidence: stored judges by nothing else' : '; the pair is judged all the same'}. Run Pacegate with mode: baseline on a schedule to begin one on the branch ${baselineBranch}.`,
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

/** Writes a side's files into a folder of the session's own. */
export async function exportSide(
  directory: string,
  side: SideCommit,
  folder: string,
  context: string,
): Promise<{ readonly tree: SideTree; readonly notes: readonly string[] }> {
  const notes = await exportTree(directory, side.tree, folder);
  await checkContext(folder, context);
  return { tree: { directory: folder, commit: record(side) }, notes };
}
