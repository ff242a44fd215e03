import { deepFreeze, type Plan } from './plan.ts';

/**
 * GitHub's cache (`type=gha`). A runner's token writes to the scope of the job's ref. Later jobs of that branch read
 * this scope; every job reads that of the default branch.
 */

/** Whether an entry of `build.cache-from` or `build.cache-to` is GitHub's cache. */
export const isGitHubCache = (entry: string): boolean => /(?:^|,)\s*"?type=gha"?\s*(?:,|$)/.test(entry);

/** Whether builds of this plan read or write GitHub's cache, so that the builder needs the runner's token. */
export const usesGitHubCache = ({ cacheFrom, cacheTo }: Plan['build']): boolean =>
  [...cacheFrom, ...cacheTo].some(isGitHubCache);

/** Events whose jobs have the change's ref, and so a scope of its own. */
const OWN_SCOPE = ['pull_request', 'pull_request_review', 'pull_request_review_comment', 'merge_group'];

export interface CacheOccasion {
  readonly event: string;
  /** The commit that the event is about, as the runner names it. */
  readonly sha?: string | undefined;
  /** The commit that is checked out. */
  readonly head: string;
}

/**
 * Whether only the change itself reads what this job writes to GitHub's cache. A push writes to the scope of its
 * branch, which belongs to the change as long as the pushed commit is built.
 */
export const hasOwnScope = ({ event, sha, head }: CacheOccasion): boolean =>
  OWN_SCOPE.includes(event) || (event === 'push' && sha === head);

/** A change's plan that reads GitHub's cache and does not write to it. */
export function withoutGitHubCacheTo(plan: Plan): Plan {
  const cacheTo = plan.build.cacheTo.filter((entry) => !isGitHubCache(entry));
  return deepFreeze({ ...plan, build: { ...plan.build, cacheTo } });
}
