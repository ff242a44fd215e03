import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBaselineBranch, type Evaluation, type StoredSessions } from '../baseline/branch.ts';
import { nightOutcome } from '../history/alarms.ts';
import { nightlyHistory, noiseFile } from '../history/history.ts';
import { rankingFile, rankNights } from '../ranking/ranked-nights.ts';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { cacheWarnings, compileWarnings } from '../images/cache.ts';
import { gate, type GateResult } from '../pipeline/gate.ts';
import { gateRequest } from '../pipeline/gate-request.ts';
import { nightlyPlan, reloadFile } from '../pipeline/nightly.ts';
import type { SideTree } from '../pipeline/ports.ts';
import { contextOf } from '../pipeline/sides.ts';
import { doubtfulMetrics } from '../plan/metrics.ts';
import type { Plan } from '../plan/plan.ts';
import type { History } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import { repositoryName } from '../source/export.ts';
import { isPullRequest, resolveCommit, resolveHead, type SideCommit } from '../source/sides.ts';
import { CREEP_LEVEL } from '../statistics/creep.ts';
import { blocksNeeded } from '../statistics/looks.ts';
import { compareWithAnchor, findAnchor, type AnchorResult } from './anchor.ts';
import { withPorts } from './compose.ts';
import { exportSide, type RunContext } from './gate-repository.ts';
import type { Project } from './project.ts';
import { standingIn, type StandingRequest } from './standing.ts';
import { duration } from './progress.ts';
import { jsonText } from './results.ts';
import { newSeed } from './session-id.ts';
import { VERSION } from './version.ts';

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
}

/** What the branch keeps of the decision. @param seen is given each answer: working one out takes seconds */
export const evaluation = (seen: (history: History) => void): Evaluation => ({
  outcome: nightOutcome,
  noise: (stored, configuration) => {
    const file = noiseFile(stored, configuration);
    const { alarms, noise, shifts, anchor } = file;
    const ranked = rankNights(stored.sessions);
    seen({ alarms, noise, shifts, anchor, ...(ranked === undefined ? {} : { ranking: ranked.ranking }) });
    return jsonText(file);
  },
  ranking: ({ sessions }) => {
    const ranked = rankNights(sessions);
    return ranked === undefined ? undefined : jsonText(rankingFile(ranked.ranking, ranked.newest));
  },
});

/**
 * A night: gates the checkout against itself, appends the session to the baseline branch, and once a week compares with
 * the anchor.
 *
 * @param keep writes what was measured to the disk before the branch is tried: a push that fails must not lose it
 * @throws ConfigurationError where the checkout is not a commit that others can have, or a pull request's
 */
export async function measureNight(
  project: Project,
  occasion: NightlyOccasion,
  context: RunContext,
  signal: AbortSignal,
  keep: (night: GateResult) => Promise<void>,
): Promise<Night> {
  const { event, gitEnvironment: env, remote = 'origin', anchorNow } = occasion;
  const { plan, top } = project;
  const { log } = context;
  const commit = await commitOfNight(project, occasion);
  let written: History | undefined;
  const branch = openBaselineBranch({
    directory: top,
    branch: plan.baselineBranch,
    remote,
    env,
    formerly: project.formerly,
    evaluation: evaluation((history) => {
      written = history;
    }),
  });
  const stored = await readStored(branch, plan.configuration, log);
  // A night that nothing can keep is not worth its hour: what the server can say without a push, it says now.
  await branch.check(plan.configuration);
  // Before the night, so that a name that means nothing is said at once; it must not cost the night.
  const anchor = await findAnchor(project, { stored, env, now: anchorNow }, log);

  const result = await gateAgainstItself(project, { commit, event, stored }, context, signal);
  await keep(result);
  const ended = (kept: Night['stored'], compared: AnchorResult): Night => ({
    ...result,
    session: {
      ...result.session,
      history: written ?? nightlyHistory({ ...stored, sessions: [...stored.sessions, result.session] }),
    },
    stored: kept,
    anchor: compared,
  });
  if (result.interrupted || !result.session.runs.some(({ outcome }) => outcome === 'ok'))
    return ended({ kind: 'nothing' }, { kind: 'none' });
  const append = async (session: Session): Promise<Night['stored']> => {
    try {
      return { kind: 'stored', commit: (await branch.append(bare(session))).commit };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { kind: 'refused', reason: error.message };
    }
  };
  const appended = await append(result.session);
  if (appended.kind !== 'stored' || signal.aborted) return ended(appended, { kind: 'none' });
  const request = { anchor, head: commit, event, stored };
  return ended(appended, await compareWithAnchor(project, request, context, signal, append));
}

/** @throws ConfigurationError where the checkout is not a commit that everybody can have, or is somebody's change */
async function commitOfNight(project: Project, occasion: NightlyOccasion): Promise<SideCommit> {
  const { top, repository } = project;
  const { event } = occasion;
  if (!repository)
    throw new ConfigurationError(`${top} is no git repository, so there is no branch to keep a baseline on.`);
  if (isPullRequest(event))
    throw new ConfigurationError(
      `Mode baseline was asked for by ${event}; a pull request never feeds the baseline. Run it on a schedule or on a push to the main branch.`,
    );
  const standing = await standingIn(project, occasion);
  if (standing.kind === 'change')
    throw new ConfigurationError(
      `Mode baseline stores what every pull request is compared with, so it takes trusted commits alone; nothing was built or run. Found: ${standing.reason ?? event}. Check out the default branch, or list this branch under trust.branches in the default branch's ${project.file}.`,
    );
  if (event !== 'terminal') return await resolveCommit(top);
  const head = await resolveHead(top);
  if (head.dirty)
    throw new ConfigurationError(
      `${top} has uncommitted changes; a baseline is a commit that everybody can have. Commit or stash them.`,
    );
  return head;
}

/** A history that cannot be read must not stop a night; a branch that cannot be written either says so later. */
async function readStored(
  branch: ReturnType<typeof openBaselineBranch>,
  configuration: string,
  log: Pick<RunContext['log'], 'warn'>,
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
  context: RunContext,
  signal: AbortSignal,
): Promise<GateResult> {
  const { workFolder, sessionId, log, places } = context;
  const warnings = [...doubtfulMetrics(plan), ...cacheWarnings(plan), ...compileWarnings(plan)];
  for (const warning of warnings) log.warn(warning);
  const baseline = await exportSide(top, commit, join(workFolder, 'baseline'), { plan, places });
  const head = await exportSide(top, commit, join(workFolder, 'head'), { plan, places });
  await reload(plan, head.tree);
  const repository = await repositoryName(top);
  return await withPorts(
    { plan, ...context, pushInterpreters: true },
    async (ports) =>
      await gate(
        gateRequest(
          { sessionId, toolVersion: VERSION, seed: newSeed() },
          {
            purpose: 'nightly',
            figures: { coldBuilds: plan.build.cold, compressed: true },
            plan: nightlyPlan(plan),
            pair: { head: head.tree, baseline: baseline.tree },
            repository,
            event,
            history: stored.sessions,
            notes: [...baseline.notes, ...warnings],
            push: plan.build.registry !== undefined,
          },
        ),
        ports,
        signal,
      ),
  );
}

/** Makes the head of a session against itself another layer with the same code. */
export async function reload(plan: Plan, head: SideTree): Promise<void> {
  const file = reloadFile(plan);
  if (file !== undefined) await writeFile(join(contextOf(plan, head), file.path), file.text);
}

/** What the branch keeps of a session: the earlier nights are there already. */
const bare = (session: Session): Session => ({ ...session, nights: [] });

/** What became of a night beside its figures. */
export interface NightEnd {
  /** Sentences for its report. */
  readonly remarks: readonly string[];
  /** 0 where everything that was asked for was measured and stored. */
  readonly status: 0 | 2 | 3;
  /** What the job's red line says where the report does not: the branch or the anchor. */
  readonly failure: string | undefined;
}

/** With fewer pairs no p is as small as creep takes. */
const FEWEST_FOR_CREEP = blocksNeeded(1, CREEP_LEVEL);

function tooShort({ budget: { blocksPlanned, seconds }, rules }: Session): string[] {
  return blocksPlanned === undefined || blocksPlanned >= FEWEST_FOR_CREEP
    ? []
    : [
        `The budget of ${duration(seconds)} left the anchor ${blocksPlanned} of ${rules.blocks} pairs, and creep cannot be seen in fewer than ${FEWEST_FOR_CREEP}: raise rules.budget, or shorten the workload.`,
      ];
}

/** A night that measured less than it was asked to must not look like one that is well. */
export function endOf({ session, stored, anchor, interrupted }: Night, branch: string): NightEnd {
  const kept =
    stored.kind === 'stored'
      ? `Stored on the branch ${branch} as ${stored.commit.slice(0, 10)}.`
      : stored.kind === 'refused'
        ? stored.reason
        : `Nothing was stored on the branch ${branch}: no run ended well, or the run was cancelled.`;
  const compared =
    anchor.kind === 'none'
      ? []
      : anchor.kind === 'compared'
        ? [
            `Compared with the anchor ${anchor.session.source.baseline?.commit.slice(0, 10) ?? ''} in ${anchor.session.runs.length} runs; the files are in the folder anchor.`,
            ...tooShort(anchor.session),
          ]
        : [anchor.reason];
  const remarks = [kept, ...compared];
  if (stored.kind === 'refused') return { remarks, status: 3, failure: stored.reason };
  // Where variants failed the headline names them.
  if (stored.kind === 'nothing')
    return { remarks, status: 3, failure: session.failures.length > 0 && !interrupted ? undefined : kept };
  if (anchor.kind === 'unknown') return { remarks, status: 2, failure: anchor.reason };
  if (anchor.kind === 'failed') return { remarks, status: 3, failure: anchor.reason };
  return { remarks, status: session.failures.length > 0 ? 3 : 0, failure: undefined };
}
