import { join } from 'node:path';
import type { StoredSessions } from '../baseline/branch.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { markerOf, renderMarkdown } from '../report/markdown.ts';
import type { Session } from '../session/session.ts';
import type { SideCommit } from '../source/sides.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { exportSide } from './exported-sides.ts';
import { gateRequest } from './gate-request.ts';
import { gate, type GateResult } from './gate.ts';
import { anchorPlan, isAnchorDue } from './nightly.ts';
import { writeResults } from './results.ts';
import type { JobPorts, OutFolder, RunContext } from './ports.ts';
import { planAt, type Project } from './project.ts';

/** The id of the job's second session. It is derived, so that a killed job's containers can be found by name. */
export const anchorSessionId = (sessionId: string): string => `${sessionId}-anchor`;

/** Whether tonight's run compares with `rules.anchor`. */
export type Anchor =
  /** No anchor is configured, or the last comparison is less than a week old. */
  | { readonly kind: 'none' }
  | { readonly kind: 'due'; readonly commit: SideCommit }
  /** The name leads to no commit that can be fetched. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type AnchorResult =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'compared';
      readonly session: Session;
      readonly comparison: Comparison;
      readonly out: OutFolder;
      readonly interrupted: boolean;
    }
  /** The configuration is wrong, and the user has to correct it. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** The comparison failed, and nothing was stored. */
  | { readonly kind: 'failed'; readonly reason: string; readonly out: OutFolder };

/** Reads whether an anchor is configured, which commit it is, and whether a week has passed. */
export async function findAnchor(
  { plan, top, file }: Project,
  request: {
    readonly stored: StoredSessions;
    readonly env: Readonly<Record<string, string>>;
    /** Compare even if the anchor is not due. */
    readonly now: boolean;
  },
  { source, log, clock }: JobPorts,
): Promise<Anchor> {
  const { anchor: ref } = plan;
  if (ref === undefined) {
    if (!request.now) return { kind: 'none' };
    throw new ConfigurationError(
      `${file}: rules.anchor: found nothing, but --anchor needs it; must be a tag or a commit of this repository, such as v1.2.0.`,
    );
  }
  let commit: SideCommit;
  try {
    commit = await source.resolveAnchor({ directory: top, ref, file, env: request.env });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    log.warn(error.message);
    return { kind: 'unknown', reason: error.message };
  }
  const last = request.stored.sessions.findLast(
    ({ purpose, source }) => purpose === 'anchor' && source.baseline?.commit === commit.commit,
  );
  return request.now || isAnchorDue(last?.started, clock()) ? { kind: 'due', commit } : { kind: 'none' };
}

/**
 * Compares the checkout with the anchor, in all blocks of the rules. The series of weeks decides about creep, not a
 * single week, so every week has the same number of blocks.
 *
 * @param append stores the session
 */
export async function compareWithAnchor(
  project: Project,
  request: {
    readonly anchor: Anchor;
    readonly head: SideCommit;
    readonly event: string;
    readonly stored: StoredSessions;
  },
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
  append: (session: Session) => Promise<{ readonly kind: string; readonly reason?: string }>,
): Promise<AnchorResult> {
  const { anchor } = request;
  if (anchor.kind !== 'due') return anchor;
  const { plan } = project;
  const own: RunContext = {
    ...run,
    sessionId: anchorSessionId(run.sessionId),
    workFolder: join(run.workFolder, 'anchor'),
    // The anchor's runs have a separate journal in a folder inside the night's.
    out: await ports.openOutFolder(join(run.out.path, 'anchor')),
  };
  ports.log.step(`Anchor ${plan.anchor ?? ''} (${anchor.commit.commit.slice(0, 10)})`);
  const { session, comparison, interrupted } = await measure(
    project,
    request,
    anchor.commit,
    own,
    ports,
    signal,
  );
  await writeResults(own.out, session, comparison, () =>
    renderMarkdown(comparison, session, { marker: markerOf(`${plan.configuration}-anchor`) }),
  );
  for (const trouble of own.out.lost()) run.out.lose(trouble);
  await own.out.close();
  const failed = (reason: string): AnchorResult => ({ kind: 'failed', reason, out: own.out });
  if (interrupted) return failed('The comparison with the anchor was cancelled.');
  if (!session.runs.some(({ outcome }) => outcome === 'ok')) {
    const [failure] = session.failures;
    // Both sides have the same images, because the anchor is the commit that is checked out.
    if (failure === undefined) return { kind: 'none' };
    return failed(`The comparison with the anchor measured nothing: ${failure.message}`);
  }
  const stored = await append(session);
  if (stored.kind !== 'stored')
    return failed(stored.reason ?? 'The comparison with the anchor was not stored.');
  return { kind: 'compared', session, comparison, out: own.out, interrupted };
}

async function measure(
  project: Project,
  { head, event, stored }: Parameters<typeof compareWithAnchor>[1],
  anchor: SideCommit,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<GateResult> {
  const { plan, top } = project;
  const { source } = ports;
  const exportTo = async (folder: string, side: SideCommit) =>
    await exportSide(top, side, join(run.workFolder, folder), plan, source);
  const baseline = await exportTo('baseline', anchor);
  const { tree, notes } = await exportTo('head', head);
  const then = await planAt(project, anchor.commit, {}, source);
  const request = gateRequest(
    { ...run, seed: ports.seed() },
    {
      purpose: 'anchor',
      until: 'all',
      plan: anchorPlan(plan),
      pair: {
        head: tree,
        baseline: { ...baseline.tree, plan: then.kind === 'plan' ? then.plan : baseline.tree.plan },
      },
      repository: await source.repositoryName(top),
      event,
      history: stored.sessions,
      notes,
      push: plan.build.registry !== undefined,
    },
  );
  return await ports.withEngines({ plan, run }, async (engines) => await gate(request, engines, signal));
}
