/** The events in which somebody else's change is judged, so that it must not bring its own rules nor feed a baseline. */
export const isPullRequest = (event: string): boolean =>
  event.startsWith('pull_request') || event === 'merge_group';
