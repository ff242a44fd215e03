import { join } from 'node:path';
import type { BaselineBranch, StoredSessions } from '../baseline/branch.ts';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { nightlyHistory } from '../history/history.ts';
import type { Plan } from '../plan/plan.ts';
import { planWarnings } from '../plan/warnings.ts';
import { renderNightlyMarkdown } from '../report/nightly.ts';
import { isPullRequest } from '../session/event.ts';
import type { History } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { SideCommit } from '../source/sides.ts';
import { compareWithAnchor, findAnchor, type AnchorResult } from './anchor.ts';
import { staleAcceptance } from './base-acceptance.ts';
import { exportSide } from './exported-sides.ts';
import { gateRequest } from './gate-request.ts';
import { gate, type GateResult } from './gate.ts';
import { evaluation } from './night-evaluation.ts';
import { nightlyPlan, reloadFile } from './nightly.ts';
import { writeResults } from './results.ts';
import type { JobPorts, Log, RunContext, SideTree, SourcePort } from './ports.ts';
import type { Project } from './project.ts';
import { contextOf } from './sides.ts';
import { standingIn, type StandingRequest } from './standing.ts';

/** The event, `schedule`, `push`, … or `terminal`, and what the trust of its commit is asked with. */
export interface NightlyOccasion extends StandingRequest {
  /** Compare with the anchor although it is not due. */
  readonly anchorNow: boolean;
}

export interface Night extends GateResult {
  /** The night's session with what all stored ones say together, its own and the anchor's among them. */
  readonly session: Session & { readonly history: History };
  readonly stored:
    | { readonly kind: 'stored'; readonly commit: string }
    /** Nothing was measured, or the run was cut short. */
    | { readonly kind: 'nothing' }
    /** The branch could not be written. What was measured is in the session all the same. */
    | { readonly kind: 'refused'; readonly reason: string };
  readonly anchor: AnchorResult;
  /** Entries of what is accepted that are over or match nothing. */
  readonly staleAcceptance: readonly string[];
}

/**
 * A night: gates the checkout against itself, appends the session to the baseline branch, and once a week compares with
 * the anchor. What was measured is written to the disk before the branch is tried: a push that fails must not lose it.
 *
 * @throws ConfigurationError where the checkout is not a commit that others can have, or a pull request's
 */
export async function measureNight(
  project: Project,
  occasion: NightlyOccasion,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<Night> {
  const { event, gitEnvironment: env, anchorNow } = occasion;
  const { configuration } = project.plan;
  const commit = await commitOfNight(project, occasion, ports.source);
  const { branch, written } = openBranch(project, occasion, ports);
  const stored = await readStored(branch, configuration, ports.log);
  // A night that nothing can keep is not worth its hour: what the server can say without a push, it says now.
  await branch.check(configuration);
  // Before the night, so that a name that means nothing is said at once; it must not cost the night.
  const anchor = await findAnchor(project, { stored, env, now: anchorNow }, ports);

  const result = await gateAgainstItself(project, { commit, event, stored }, run, ports, signal);
  const { session, comparison } = result;
  await writeResults(run.out, session, comparison, () => renderNightlyMarkdown(session, comparison));
  const stale = await staleAcceptance(project, commit, comparison, session.started, ports.source);
  const ended = (kept: Night['stored'], compared: AnchorResult): Night => {
    const history = written() ?? nightlyHistory({ ...stored, sessions: [...stored.sessions, session] });
    return {
      ...result,
      session: { ...session, history },
      stored: kept,
      anchor: compared,
      staleAcceptance: stale,
    };
  };
  if (result.interrupted || !session.runs.some(({ outcome }) => outcome === 'ok'))
    return ended({ kind: 'nothing' }, { kind: 'none' });
  const appended = await append(branch, session);
  if (appended.kind !== 'stored' || signal.aborted) return ended(appended, { kind: 'none' });
  const compared = await compareWithAnchor(
    project,
    { anchor, head: commit, event, stored },
    run,
    ports,
    signal,
    async (own) => await append(branch, own),
  );
  return ended(appended, compared);
}

/** @returns the branch, and what all of its sessions say together once one was appended */
function openBranch(
  { plan, top, formerly }: Project,
  { gitEnvironment: env, remote = 'origin' }: NightlyOccasion,
  { store }: JobPorts,
): { readonly branch: BaselineBranch; readonly written: () => History | undefined } {
  let written: History | undefined;
  const branch = store.open({
    directory: top,
    branch: plan.baselineBranch,
    remote,
    env,
    formerly,
    evaluation: evaluation((history) => {
      written = history;
    }),
  });
  return { branch, written: () => written };
}

async function append(branch: BaselineBranch, session: Session): Promise<Night['stored']> {
  try {
    // The earlier nights are on the branch already.
    return { kind: 'stored', commit: (await branch.append({ ...session, nights: [] })).commit };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { kind: 'refused', reason: error.message };
  }
}

/** @throws ConfigurationError where the checkout is not a commit that everybody can have, or is somebody's change */
async function commitOfNight(
  project: Project,
  occasion: NightlyOccasion,
  source: SourcePort,
): Promise<SideCommit> {
  const { top, repository } = project;
  const { event } = occasion;
  if (!repository)
    throw new ConfigurationError(`${top} is no git repository, so there is no branch to keep a baseline on.`);
  if (isPullRequest(event))
    throw new ConfigurationError(
      `Mode baseline was asked for by ${event}; a pull request never feeds the baseline. Run it on a schedule or on a push to the main branch.`,
    );
  const standing = await standingIn(project, occasion, source);
  if (standing.kind === 'change')
    throw new ConfigurationError(
      `Mode baseline stores what every pull request is compared with, so it takes trusted commits alone; nothing was built or run. Found: ${standing.reason ?? event}. Check out the default branch, or list this branch under trust.branches in the default branch's ${project.file}.`,
    );
  if (event !== 'terminal') return await source.resolveCommit(top);
  const head = await source.resolveHead(top);
  if (head.dirty)
    throw new ConfigurationError(
      `${top} has uncommitted changes; a baseline is a commit that everybody can have. Commit or stash them.`,
    );
  return head;
}

/** A history that cannot be read must not stop a night; a branch that cannot be written either says so later. */
async function readStored(
  branch: BaselineBranch,
  configuration: string,
  log: Pick<Log, 'warn'>,
): Promise<StoredSessions> {
  try {
    const { problems, ...stored } = await branch.read(configuration);
    for (const problem of problems) log.warn(problem);
    return stored;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.warn(error.message);
    return { sessions: [], summaries: [] };
  }
}

/** The gate of a pull request that changes nothing: its rules, its looks, its budget. */
async function gateAgainstItself(
  { plan, top }: Project,
  { commit, event, stored }: { commit: SideCommit; event: string; stored: StoredSessions },
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<GateResult> {
  const { source, log } = ports;
  const warnings = planWarnings(plan);
  for (const warning of warnings) log.warn(warning);
  const baseline = await exportSide(top, commit, join(run.workFolder, 'baseline'), plan, source);
  const head = await exportSide(top, commit, join(run.workFolder, 'head'), plan, source);
  await reload(plan, head.tree, source);
  const request = gateRequest(
    { ...run, seed: ports.seed() },
    {
      purpose: 'nightly',
      figures: { coldBuilds: plan.build.cold, compressed: true },
      plan: nightlyPlan(plan),
      pair: { head: head.tree, baseline: baseline.tree },
      repository: await source.repositoryName(top),
      event,
      history: stored.sessions,
      notes: [...baseline.notes, ...warnings],
      push: plan.build.registry !== undefined,
    },
  );
  return await ports.withEngines(
    { plan, run, pushInterpreters: true },
    async (engines) => await gate(request, engines, signal),
  );
}

/** Makes the head of a session against itself another layer with the same code. */
export async function reload(
  plan: Plan,
  head: SideTree,
  source: Pick<SourcePort, 'writeText'>,
): Promise<void> {
  const file = reloadFile(plan);
  if (file !== undefined) await source.writeText(join(contextOf(plan, head), file.path), file.text);
}
