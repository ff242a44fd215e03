/** What a runner gives the clients of its cache; the token may write to it, and to the run's artifacts. */
export const CACHE_TOKEN = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_RESULTS_URL',
  'ACTIONS_CACHE_URL',
  'ACTIONS_CACHE_SERVICE_V2',
] as const;
