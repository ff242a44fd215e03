import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openBaselineBranch } from '../baseline/branch.ts';
import { gateHistory } from '../history/history.ts';
import type { NamedSession } from '../verdict/merge.ts';
import { StoreError } from '../errors/errors.ts';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { movingContexts } from '../images/moving-contexts.ts';
import { confirm } from '../pipeline/confirm.ts';
import { gate, type GateRequest } from '../pipeline/gate.ts';
import { gateRequest } from '../pipeline/gate-request.ts';
import type { Ports, SideTree } from '../pipeline/ports.ts';
import {
  guarded,
  guardNotes,
  ruleChanges,
  withMeasuringOf,
  withoutSecrets,
  withRulesOf,
} from '../plan/base-rules.ts';
import { DEFAULTS } from '../plan/defaults.ts';
import { doubtfulMetrics } from '../plan/metrics.ts';
import { hasOwnScope, withoutGitHubCacheTo } from '../plan/github-cache.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseImpossible, resolvePlan, type Overrides } from '../plan/resolve.ts';
import { shardOf } from '../plan/shard.ts';
import type { History } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { ShardRequest } from '../session/shard.ts';
import { deletedFiles, exportTree, repositoryName } from '../source/export.ts';
import { resolveSides, type SideCommit, type Sides } from '../source/sides.ts';
import type { Standing } from '../source/trust.ts';
import { checkContext } from '../source/workload-files.ts';
import { measuringOf, measuringRequest, reporting, type HeadMeasuring } from './changed-measuring.ts';
import { withPorts } from './compose.ts';
import type { OutFolder } from './out-folder.ts';
import type { Places } from './places.ts';
import type { ProgressLog } from './progress.ts';
import { isOutside, planAt, type PlanAt, type Project } from './project.ts';
import { judgedParts, type JudgedSessions } from './session-files.ts';
import { newSeed } from './session-id.ts';
import { standingIn, standingNotes } from './standing.ts';
import { refusePointers } from './usable-files.ts';
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
  /** The merge commit that GitHub made for the pull request, to tell any other commit from it. */
  readonly mergeSha?: string;
  /** The commit that the event is about, as the runner names it (GITHUB_SHA). */
  readonly sha?: string;
  /** The repository's default branch, as the event names it. */
  readonly defaultBranch?: string;
  /** The remote's name or address of the job's own repository; `origin` where nothing is said. */
  readonly remote?: string;
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
  const { log, workFolder, out, places } = context;
  const { event, gitEnvironment: env } = occasion;
  const { sides, standing } = await sidesOf(project, occasion);
  const baselineCommit = 'unavailable' in sides.baseline ? undefined : sides.baseline;

  const ruled = await ruledPlan(project, overrides, { standing, sides });
  const allowed = permitted(ruled.plan, standing, occasion, sides);
  const { plan, shard } =
    part.shard === undefined ? { plan: allowed, shard: undefined } : shardOf(allowed, part.shard);
  const {
    sessions: history,
    record: nights,
    remarks,
  } = await readHistory(top, plan, env, log, occasion.remote, project.formerly);
  const warnings = [
    ...doubtfulMetrics(plan),
    ...cacheWarnings(plan),
    ...compileWarnings(plan),
    ...movingContexts(plan),
  ];
  for (const warning of warnings) log.warn(warning);

  const head = await exportSide(top, sides.head, join(workFolder, 'head'), { plan, places }, env);
  const baseline =
    baselineCommit === undefined
      ? undefined
      : await exportSide(top, baselineCommit, join(workFolder, 'baseline'), { plan, places }, env);
  const measuring = await measuringRequest(top, ruled, baselineCommit, sides.head, workFolder);
  const ignored = await ignoredDockerfile(plan, head.tree.directory);
  for (const note of ignored) log.warn(note);
  const request = gateRequest(
    { sessionId: context.sessionId, toolVersion: VERSION, seed: newSeed() },
    {
      shard,
      plan,
      pair: {
        head: head.tree,
        baseline:
          baseline === undefined
            ? unavailable(sides)
            : { ...baseline.tree, ...(ruled.base === undefined ? {} : { plan: ruled.base }) },
      },
      repository: await repositoryName(top),
      event,
      history,
      record: nights,
      measuring,
      notes: [
        ...sides.notes,
        ...ruled.notes,
        ...new Set([...head.notes, ...(baseline?.notes ?? [])]),
        ...warnings,
        ...ignored,
      ],
      figures: part.coldBuilds === true ? { coldBuilds: 'all' } : undefined,
    },
  );
  const result = await withPorts(
    { plan, ...context, out },
    async (ports) => await measurePart(request, part.confirm, ports, signal),
  );
  return { ...result, plan, history, remarks: [...ruled.remarks, ...remarks] };
}

/** The two sides of a checkout, and on whose word its configuration is acted on. */
export async function sidesOf(
  project: Project,
  occasion: Occasion,
): Promise<{ readonly sides: Sides; readonly standing: Standing }> {
  const { event, before, baseRef, mergeSha, baseSha, baselineRef, remote, gitEnvironment: env } = occasion;
  const standing = await standingIn(project, occasion);
  // The base that the event names; else the branch that the change is taken to start from.
  const base = baseRef ?? (standing.kind === 'change' ? standing.branch : undefined);
  const sides = await resolveSides({
    directory: project.top,
    event,
    env,
    change: standing.kind === 'change',
    ...(before === undefined ? {} : { before }),
    ...(base === undefined ? {} : { baseRef: base }),
    ...(mergeSha === undefined ? {} : { mergeSha }),
    ...(baseSha === undefined ? {} : { baseSha }),
    ...(baselineRef === undefined ? {} : { baselineRef }),
    ...(remote === undefined ? {} : { remote }),
  });
  return { sides, standing };
}

/** The plan with what this job may hand to its builds. */
export function permitted(plan: Plan, standing: Standing, occasion: Occasion, { head }: Sides): Plan {
  const secretly = mayHaveSecrets(standing, occasion) ? plan : withoutSecrets(plan);
  return mayWriteCache(standing, occasion, head.commit) ? secretly : withoutGitHubCacheTo(secretly);
}

/** Build secrets are for what is trusted, and for pull requests where the workflow says so. */
export const mayHaveSecrets = (
  { kind }: Standing,
  { event, secretsOnPullRequests }: Pick<Occasion, 'event' | 'secretsOnPullRequests'>,
): boolean => kind !== 'change' || (event.startsWith('pull_request') && secretsOnPullRequests);

/** GitHub's cache is written by what is trusted, and by a change where nobody else reads what it writes. */
export const mayWriteCache = (
  { kind }: Standing,
  { event, sha }: Pick<Occasion, 'event' | 'sha'>,
  head: string,
): boolean => kind !== 'change' || hasOwnScope({ event, head, ...(sha === undefined ? {} : { sha }) });

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

/** Whose rules hold, and what is to be said of it. */
export interface RuledPlan {
  readonly plan: Plan;
  /** The base's own, where it has one: its variants build the baseline. */
  readonly base: Plan | undefined;
  /** What the change edits. */
  readonly notes: readonly string[];
  /** Where the rules come from, where that is not plain: for the top of the report. */
  readonly remarks: readonly string[];
  /** What the head changes of what measures it; absent where it leaves that alone, or where there is no base. */
  readonly measuring?: HeadMeasuring;
}

/**
 * The plan with the rules that hold. A change is judged by its base's: where there is no base, nobody has agreed to any
 * rules, and its own must not let it through.
 *
 * @throws StoreError for a change whose base cannot be had
 * @throws ConfigurationError for a change that adds a host variant
 */
export async function ruledPlan(
  project: Project,
  overrides: Overrides,
  { standing, sides }: { readonly standing: Standing; readonly sides: Sides },
): Promise<RuledPlan> {
  const { plan } = project;
  const { baseline, head } = sides;
  const remarks = standingNotes(standing);
  if ('unavailable' in baseline) {
    if (standing.kind !== 'change') return { plan, base: undefined, notes: [], remarks };
    throw new StoreError(
      `A change is judged by the rules of its base, and the base could not be had: ${baseline.unavailable}. Nothing was built or run. Let actions/checkout take the pull request's merge commit (its default), or the whole history with fetch-depth: 0, and let the token read the repository (contents: read).${remarks.map((remark) => ` ${remark}`).join('')}`,
    );
  }
  if (standing.kind !== 'change') {
    const at = await planAt(project, baseline.commit, overrides);
    if (at.kind !== 'plan') return { plan, base: undefined, notes: [], remarks };
    const { measuring } = await measuringOf(project, plan, at.plan, overrides, { head, baseline });
    return {
      plan: standing.kind === 'own' ? plan : reporting(plan),
      base: at.plan,
      notes: [],
      remarks,
      ...(measuring === undefined ? {} : { measuring }),
    };
  }
  const { at, note } = await basePlan(project, baseline.commit, head.commit, overrides);
  const more = [...remarks, ...(note === undefined ? [] : [note])];
  switch (at.kind) {
    case 'plan': {
      const { measuring, kept } = await measuringOf(project, plan, at.plan, overrides, { head, baseline });
      const judging = guarded(withMeasuringOf(withRulesOf(plan, at.plan, overrides), at.plan, kept), at.plan);
      refuseImpossible(judging, at.plan, project.file);
      return {
        plan: judging,
        base: at.plan,
        notes: ruleChanges(plan, at.plan),
        remarks: [...more, ...guardNotes(plan, at.plan)],
        ...(measuring === undefined ? {} : { measuring }),
      };
    }
    case 'none':
      // Nobody has agreed to anything yet, secrets least of all.
      return {
        plan: guarded(withoutSecrets(plan), undefined),
        base: undefined,
        notes: [],
        remarks: [...more, ...guardNotes(plan, undefined)],
      };
    case 'broken': {
      // The change that mends it has to pass, and must not bring the rules that let it.
      const silent = silentPlan(project.top, overrides);
      return {
        plan: guarded(withRulesOf(plan, silent, overrides), undefined),
        base: undefined,
        notes: ruleChanges(plan, { ...silent, variants: plan.variants, workload: plan.workload }),
        remarks: [
          ...more,
          `The base's configuration cannot be read, so the rules are those of a configuration without metrics, rules and build, and not this change's own. ${at.message}`,
          ...guardNotes(plan, undefined),
        ],
      };
    }
  }
}

/** The configuration of a change's base: under its path, or under the one that the change moves it from. */
async function basePlan(
  project: Project,
  base: string,
  head: string,
  overrides: Overrides,
): Promise<{ readonly at: PlanAt; readonly note?: string }> {
  const { file, top } = project;
  if (isOutside(file))
    return {
      at: { kind: 'none' },
      note: `${file} lies outside of the repository, so no base has it: its rules hold.`,
    };
  const at = await planAt(project, base, overrides);
  if (at.kind !== 'none') return { at };
  for (const path of await deletedFiles(top, base, head, CONFIGURATIONS)) {
    const before = await planAt({ ...project, file: path }, base, overrides);
    // Any other file that is deleted is no configuration either.
    if (before.kind === 'plan' || path === DEFAULTS.configurationFile)
      return {
        at: before,
        note: `The base's configuration is ${path}; this change moves it to ${file}. The rules are those of ${path} in the base.`,
      };
  }
  const beside =
    file !== DEFAULTS.configurationFile &&
    (await planAt({ ...project, file: DEFAULTS.configurationFile }, base, {})).kind !== 'none'
      ? ` The base has ${DEFAULTS.configurationFile}, which is another one.`
      : '';
  return {
    at,
    note: `The base has no ${file}: this is its first change with one, so the rules are this change's own.${beside}`,
  };
}

const CONFIGURATIONS = ['.yml', '.yaml', '.json'];

/** What holds where a configuration says nothing: its rules, metrics and build. */
const silentPlan = (root: string, overrides: Overrides): Plan =>
  resolvePlan({
    text: 'version: 1\nworkload: { command: [python] }\nvariants: { python: { interpreter: debian } }\n',
    file: DEFAULTS.configurationFile,
    root,
    overrides: { ...overrides, variants: undefined },
  });

/** The stored sessions, or none with a word on why: a history that cannot be read must not stop a gate. */
export async function readHistory(
  directory: string,
  { baselineBranch, configuration, rules: { evidence } }: Plan,
  env: Readonly<Record<string, string>>,
  log: ProgressLog,
  remote = 'origin',
  formerly?: string,
): Promise<{
  readonly sessions: readonly Session[];
  /** What they say together; undefined without any. */
  readonly record: History | undefined;
  readonly remarks: readonly string[];
}> {
  try {
    const branch = openBaselineBranch({ directory, branch: baselineBranch, env, remote, formerly });
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

/** A Dockerfile that the reader may think is measured. @param tree the head's files, absolute */
export async function ignoredDockerfile({ workload, variants }: Plan, tree: string): Promise<string[]> {
  if (workload.dockerfile !== undefined || !variants.some(({ kind }) => kind === 'interpreter')) return [];
  const path = join(workload.context, 'Dockerfile');
  const found = await lstat(join(tree, path)).catch(() => undefined);
  return found === undefined
    ? []
    : [
        `${path} is not used: workload.dockerfile is not set, so the images are built by Pacegate's own Dockerfile. Set workload.dockerfile: Dockerfile, and write \`FROM python\` in it, to measure what it builds.`,
      ];
}

/**
 * Writes a side's files into a folder of the session's own.
 * @param credentials environment for git, where a file has to be fetched (Git LFS)
 * @throws StoreError where a file is not there but for a pointer to it
 */
export async function exportSide(
  directory: string,
  side: SideCommit,
  folder: string,
  { plan, places }: { readonly plan: Plan; readonly places: Places },
  credentials: Readonly<Record<string, string>> = {},
): Promise<{ readonly tree: SideTree; readonly notes: readonly string[] }> {
  const notes = await exportTree(directory, side.tree, folder, credentials);
  await checkContext(folder, plan.workload.context);
  const subject = `the ${basename(folder)}'s files (${side.dirty ? 'the working folder' : side.commit.slice(0, 10)})`;
  const doubts = await refusePointers(plan, folder, subject, places);
  return { tree: { directory: folder, commit: record(side) }, notes: [...notes, ...doubts] };
}
