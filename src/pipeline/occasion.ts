import type { LabelResult } from '../github/acceptance.ts';
import { hasOwnScope, withoutGitHubCacheTo } from '../plan/github-cache.ts';
import { withoutSecrets } from '../plan/base-rules.ts';
import type { Plan } from '../plan/plan.ts';
import type { Sides } from '../source/sides.ts';
import type { Standing } from '../source/trust.ts';
import type { SourcePort } from './ports.ts';
import type { Project } from './project.ts';
import { standingIn } from './standing.ts';

/** The event, from the runner or from a user's command. */
export interface Occasion {
  /** `pull_request`, `push`, … or `terminal`. */
  readonly event: string;
  readonly before?: string | undefined;
  readonly baseRef?: string | undefined;
  /** The merge commit that GitHub made for the pull request, to distinguish it from other merges. */
  readonly mergeSha?: string | undefined;
  /** The event's commit, from the runner (GITHUB_SHA). */
  readonly sha?: string | undefined;
  /** The repository's default branch, from the event. */
  readonly defaultBranch?: string | undefined;
  /** The remote's name or address of the job's own repository. Defaults to `origin`. */
  readonly remote?: string | undefined;
  /** The commit that a merge queue's group starts from. */
  readonly baseSha?: string | undefined;
  readonly baselineRef?: string | undefined;
  /** The result of checking the label that accepts the pull request's commit, if the event is its addition. */
  readonly label?: LabelResult | undefined;
  /** Environment for git: credentials. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
  /** Whether builds of pull requests receive the configuration's build secrets. */
  readonly secretsOnPullRequests: boolean;
}

/** The two sides of a checkout, and who vouches for its configuration. */
export async function sidesOf(
  project: Project,
  occasion: Occasion,
  source: SourcePort,
): Promise<{ readonly sides: Sides; readonly standing: Standing }> {
  const { event, before, baseRef, mergeSha, baseSha, baselineRef, remote, gitEnvironment: env } = occasion;
  const standing = await standingIn(project, occasion, source);
  // The base from the event, or else the branch that the change presumably starts from.
  const base = baseRef ?? (standing.kind === 'change' ? standing.branch : undefined);
  const sides = await source.resolveSides({
    directory: project.top,
    event,
    env,
    change: standing.kind === 'change',
    baseRef: base,
    ...{ before, mergeSha, baseSha, baselineRef, remote },
  });
  return { sides, standing };
}

/** Limits the plan to the secrets and caches that this job may pass to its builds. */
export function permitted(plan: Plan, standing: Standing, occasion: Occasion, { head }: Sides): Plan {
  const secretly = mayHaveSecrets(standing, occasion) ? plan : withoutSecrets(plan);
  return mayWriteCache(standing, occasion, head.commit) ? secretly : withoutGitHubCacheTo(secretly);
}

/** Trusted commits may have build secrets. Pull requests may have them if the workflow allows it. */
export const mayHaveSecrets = (
  { kind }: Standing,
  { event, secretsOnPullRequests }: Pick<Occasion, 'event' | 'secretsOnPullRequests'>,
): boolean => kind !== 'change' || (event.startsWith('pull_request') && secretsOnPullRequests);

/** Trusted commits may write GitHub's cache. A change may write it if no other job reads its entries. */
export const mayWriteCache = (
  { kind }: Standing,
  { event, sha }: Pick<Occasion, 'event' | 'sha'>,
  head: string,
): boolean => kind !== 'change' || hasOwnScope({ event, head, sha });
