import { deepFreeze, type Plan } from './plan.ts';

/**
 * GitHub's own cache (`type=gha`). A runner's token writes to the scope of the job's ref, which every later job of that
 * branch reads, and of the default branch's every job at all.
 */

/** Whether an entry of `build.cache-from` or `build.cache-to` is GitHub's cache. */
export const isGitHubCache = (entry: string): boolean => /(?:^|,)\s*"?type=gha"?\s*(?:,|$)/.test(entry);

/** Whether builds of this plan read or write GitHub's cache, so that the builder needs the runner's token. */
export const usesGitHubCache = ({ cacheFrom, cacheTo }: Plan['build']): boolean =>
  [...cacheFrom, ...cacheTo].some(isGitHubCache);

/** Events whose jobs have a ref, and so a scope, of the change's own. */
const OWN_SCOPE = ['pull_request', 'pull_request_review', 'pull_request_review_comment', 'merge_group'];

export interface CacheOccasion {
  readonly event: string;
  /** The commit that the event is about, as the runner names it. */
  readonly sha?: string;
  /** The commit that is checked out. */
  readonly head: string;
}

/**
 * Whether GitHub's cache, written by this job, is read by nobody but the change itself. A push writes to its branch's,
 * which is the change's as long as it is the pushed commit that is built.
 */
export const hasOwnScope = ({ event, sha, head }: CacheOccasion): boolean =>
  OWN_SCOPE.includes(event) || (event === 'push' && sha === head);

/** A change's plan that leaves GitHub's cache as it is; what is in there may be read. */
export function withoutGitHubCacheTo(plan: Plan): Plan {
  const cacheTo = plan.build.cacheTo.filter((entry) => !isGitHubCache(entry));
  return deepFreeze({ ...plan, build: { ...plan.build, cacheTo } });
}
