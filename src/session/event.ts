/**
 * The events that judge a change from an untrusted commit. Such a commit must not set its own rules or feed the
 * baseline branch.
 */
export const isPullRequest = (event: string): boolean =>
  event.startsWith('pull_request') || event === 'merge_group';
