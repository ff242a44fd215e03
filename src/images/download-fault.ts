/**
 * Whether a download of the build failed. A baseline is then not missing: it was built before, and a later job can
 * build it again.
 */
export const isDownloadFault = (message: string): boolean =>
  DOWNLOAD_WORDS.some((words) => words.test(message));

const DOWNLOAD_WORDS = [
  /temporary failure (?:in name resolution|resolving)/i,
  /could not resolve (?:host|proxy)|name or service not known|no such host/i,
  /connection (?:refused|reset|timed out)|network is unreachable|no route to host/i,
  /(?:i\/o|read|handshake|connect(?:ion)?) timed? ?out/i,
  /toomanyrequests|too many requests/i,
  /\b50[0234] (?:bad gateway|service unavailable|internal server error|gateway time-?out)/i,
  /failed to fetch http|newconnectionerror|max retries exceeded/i,
] as const;
