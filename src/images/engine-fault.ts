/**
 * Whether a build failed for the engine's sake: then it says nothing of the side that was built.
 *
 * Read from the message, in which the words of the build's own steps stand too. Whoever writes these words into a step
 * makes of a failure no data, and neither lets anything through.
 */
export const isEngineFault = (message: string): boolean => ENGINE_WORDS.some((words) => words.test(message));

const ENGINE_WORDS = [
  /cannot connect to the docker daemon/i,
  /error during connect/i,
  /no space left on device/i,
  /context canceled/i,
  /rpc error: code = (?:Unavailable|Canceled|Aborted)/i,
  /error reading from server: EOF/i,
  /(?:transport|connection) is closing|closing transport/i,
  // A network of the engine's that is gone fails each step, whatever it does.
  /network bridge not found|could not find bridge|failed to create endpoint|failed to set up container networking/i,
  /failed to create (?:shim|task)|containerd is not running/i,
] as const;

/**
 * Whether what a build loads from elsewhere was away. For a baseline that is no reason to have none: it was built before,
 * and the same job may have it in a minute.
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
