import { ConfigurationError, StoreError } from '../errors/errors.ts';
import type { Overrides } from '../plan/resolve.ts';
import type { SideCommit } from '../source/sides.ts';
import type { NamedSession } from '../session/merged.ts';
import type { Occasion } from './occasion.ts';
import type { JobPorts } from './ports.ts';
import { planAt, type Project } from './project.ts';
import { judgeChange, type ReportedSessions } from './report-sessions.ts';

/** A pull request from GitHub's API. Nothing of it was measured here, and its code is not checked out. */
export interface ReportedPullRequest {
  readonly number: number;
  /** The branch that it targets. */
  readonly baseRef: string;
  /** Its newest commit. */
  readonly headSha: string;
}

/**
 * Judges sessions of a pull request that is not checked out. The measured commit is its newest commit, or a merge of
 * that commit into its base. The rules and the family come from the base's configuration at the merge base. Of the pull
 * request only Git objects are read: its configuration for the names of variants, and nothing that is executed.
 *
 * @throws ConfigurationError if the sessions are not of this pull request
 * @throws StoreError if a commit cannot be read
 */
export async function judgePullRequest(
  named: readonly NamedSession[],
  project: Project,
  overrides: Overrides,
  pull: ReportedPullRequest,
  occasion: Occasion,
  ports: JobPorts,
): Promise<ReportedSessions> {
  const { source } = ports;
  const { remote, gitEnvironment: env } = occasion;
  const request = { directory: project.top, env, remote };
  const measured = measuredCommit(named, pull);
  need(await source.fetchCommit(request, measured), measured, pull);
  if (measured !== pull.headSha) {
    const [, second, ...more] = await source.parentsOf(project.top, measured);
    if (second !== pull.headSha || more.length > 0) throw notOf(pull, measured);
  }
  const base = await source.mergeBase(request, measured, pull.baseRef);
  if ('missing' in base) throw unreadable(`the base of pull request ${pull.number}`, base.missing);
  need(await source.fetchCommit(request, base.commit), base.commit, pull);
  const at = await planAt(project, measured, overrides, source);
  if (at.kind === 'broken')
    throw new ConfigurationError(
      `The configuration of pull request ${pull.number} cannot be read; nothing was judged. ${at.message}`,
    );
  return await judgeChange(
    named,
    at.kind === 'plan' ? { ...project, plan: at.plan } : project,
    overrides,
    {
      sides: { head: side(measured), baseline: side(base.commit), notes: [] },
      standing: { kind: 'change' },
    },
    // What was measured is the newest commit or its merge, so an accepting label on that commit covers it.
    { ...occasion, mergeSha: measured },
    ports,
  );
}

/**
 * The commit that the sessions name. A stranger may have written them, so it must be hexadecimal digits before git
 * reads it.
 */
function measuredCommit(named: readonly NamedSession[], pull: ReportedPullRequest): string {
  const commit = named[0]?.session.source.head?.commit ?? '';
  if (!/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) throw notOf(pull, JSON.stringify(commit.slice(0, 80)));
  return commit;
}

const notOf = ({ number, headSha }: ReportedPullRequest, measured: string) =>
  new ConfigurationError(
    `The sessions are not of pull request ${number}; nothing was judged. They measured ${measured}; expected: ${headSha}, or its merge into the base as GitHub makes it. Run the gate again on the newest commit.`,
  );

function need(missing: string | undefined, commit: string, { number }: ReportedPullRequest): void {
  if (missing !== undefined) throw unreadable(`${commit.slice(0, 10)} of pull request ${number}`, missing);
}

const unreadable = (what: string, reason: string) =>
  new StoreError(
    `The sessions are judged by the commits that they measured, but ${what} is not available: ${reason}. Nothing was judged. Let the token read the repository (contents: read), or run the gate again.`,
  );

const side = (commit: string): SideCommit => ({ commit, tree: commit, dirty: false });
