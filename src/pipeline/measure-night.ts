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

/** The event (`schedule`, `push`, … or `terminal`), and the data for the trust of its commit. */
export interface NightlyOccasion extends StandingRequest {
  /** Compare with the anchor even if it is not due. */
  readonly anchorNow: boolean;
}

export interface Night extends GateResult {
  /** The night's session with the history of all stored sessions, including this night and the anchor. */
  readonly session: Session & { readonly history: History };
  readonly stored:
    | { readonly kind: 'stored'; readonly commit: string }
    /** Nothing was measured, or the run was cut short. */
    | { readonly kind: 'nothing' }
    /** The branch could not be written. The session still holds the measurements. */
    | { readonly kind: 'refused'; readonly reason: string };
  readonly anchor: AnchorResult;
  /** Entries of accepted losses that have ended or match nothing. */
  readonly staleAcceptance: readonly string[];
}

/**
 * Measures a night: gates the checkout against itself, appends the session to the baseline branch, and compares with
 * the anchor once a week. Measurements are written to the disk before the push, so that a failed push does not lose
 * them.
 *
 * @throws ConfigurationError if the checkout is not a commit that others can fetch, or is of a pull request
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
  // Checks the branch first: a night that cannot be stored is not worth measuring.
  await branch.check(configuration);
  // Resolved before the night, so that a wrong name is reported at once. A wrong name does not stop the night.
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

/** @returns the branch, and after an append the history of all its sessions */
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

/** @throws ConfigurationError if the checkout is not a commit that others can fetch, or is a change */
async function commitOfNight(
  project: Project,
  occasion: NightlyOccasion,
  source: SourcePort,
): Promise<SideCommit> {
  const { top, repository } = project;
  const { event } = occasion;
  if (!repository)
    throw new ConfigurationError(
      `${top} is not a git repository, so there is no branch to store a baseline on.`,
    );
  if (isPullRequest(event))
    throw new ConfigurationError(
      `Mode baseline was started by ${event}; a pull request never writes the baseline. Run it on a schedule or on a push to the main branch.`,
    );
  const standing = await standingIn(project, occasion, source);
  if (standing.kind === 'change')
    throw new ConfigurationError(
      `Mode baseline stores what every pull request is compared with, so it accepts only trusted commits; nothing was built or run. Found: ${standing.reason ?? event}. Check out the default branch, or list this branch under trust.branches in the default branch's ${project.file}.`,
    );
  if (event !== 'terminal') return await source.resolveCommit(top);
  const head = await source.resolveHead(top);
  if (head.dirty)
    throw new ConfigurationError(
      `${top} has uncommitted changes, but a baseline must be a commit. Commit or stash them.`,
    );
  return head;
}

/** A history that cannot be read does not stop a night. If the branch cannot be written, the append reports it. */
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

/** Gates the baseline against itself, with the rules, looks and budget of a pull request's gate. */
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

/** Adds a layer with the same code to the head of a session against itself. */
export async function reload(
  plan: Plan,
  head: SideTree,
  source: Pick<SourcePort, 'writeText'>,
): Promise<void> {
  const file = reloadFile(plan);
  if (file !== undefined) await source.writeText(join(contextOf(plan, head), file.path), file.text);
}
