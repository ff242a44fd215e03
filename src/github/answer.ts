/** Turns GitHub's answers into sentences for users. */

export const CANCELLED = 'the job was cancelled';

/** Reads a property of an error, including inherited ones such as a DOMException's name. */
const property = (
  value: unknown,
  name: 'status' | 'message' | 'response' | 'headers' | 'cause' | 'name',
): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined);

/** The answer's status. An error's own status may be another one: see client.ts. */
export function statusOf(error: unknown): number | undefined {
  const status = property(property(error, 'response'), 'status') ?? property(error, 'status');
  return typeof status === 'number' ? status : undefined;
}

export const messageOf = (error: unknown): string => String(property(error, 'message') ?? error);

/** The answer's headers; empty if there was no answer. */
export const headersOf = (error: unknown): Readonly<Record<string, unknown>> =>
  (property(property(error, 'response'), 'headers') as Record<string, unknown> | undefined) ?? {};

/** The library also uses status 500 for requests without an answer. */
const isAnswered = (error: unknown) => property(error, 'response') !== undefined;

export const isPassing = (error: unknown) => (statusOf(error) ?? 500) >= 500;

/** The request to GitHub, for the sentence that explains its refusal. */
export interface Asked {
  /** The action that the token may not perform: `comment on this pull request`. */
  readonly deed: string;
  /** The object that GitHub does not show: `owner/name #7`. */
  readonly target: string;
  /** The line of the job's `permissions` that allows the action: `pull-requests: write`. */
  readonly permission: string;
}

/** The kinds of refusal. */
export type Refusal =
  | 'cancelled'
  | 'silent'
  | 'unreachable'
  | 'secondary-limit'
  | 'limit'
  | 'too-many'
  | 'locked'
  | 'too-long'
  | 'single-sign-on'
  | 'token'
  | 'permission'
  | 'not-shown'
  | 'conflict'
  | 'gone'
  | 'invalid'
  | 'server'
  | 'other';

const OF_STATUS: Readonly<Record<number, Refusal>> = {
  401: 'token',
  403: 'permission',
  404: 'not-shown',
  409: 'conflict',
  410: 'gone',
  422: 'invalid',
  429: 'too-many',
};

/** Classifies an answer. One status has several meanings, which the answer's message and headers tell apart. */
export function refusalOf(error: unknown): Refusal {
  const [message, headers, status] = [messageOf(error), headersOf(error), statusOf(error) ?? 0];
  if (!isAnswered(error)) {
    if (message === CANCELLED) return 'cancelled';
    const cause = String(property(property(error, 'cause'), 'name'));
    return /abort|timeout|timed out/i.test(`${message} ${cause}`) ? 'silent' : 'unreachable';
  }
  if (/secondary rate|abuse detection/i.test(message)) return 'secondary-limit';
  if (headers['x-ratelimit-remaining'] === '0' || /API rate limit exceeded/i.test(message)) return 'limit';
  if (status === 429) return 'too-many';
  if (/\blocked\b/i.test(message)) return 'locked';
  if (/too long/i.test(message)) return 'too-long';
  if (headers['x-github-sso'] !== undefined || /\bSAML\b|single sign-on/i.test(message))
    return 'single-sign-on';
  return OF_STATUS[status] ?? (status >= 500 ? 'server' : 'other');
}

/** The reason for a refusal, and what to do. */
export function reasonOf(error: unknown, { deed, target, permission }: Asked): string {
  const message = messageOf(error).replace(/\s*- https:\/\/docs\.github\.com\S*$/, '');
  const headers = headersOf(error);
  const said = `${statusOf(error) ?? 0}: ${message}`;
  switch (refusalOf(error)) {
    case 'cancelled':
      return message;
    case 'silent':
      return 'GitHub did not answer in time';
    case 'unreachable':
      return `GitHub could not be reached: ${message}`;
    case 'secondary-limit':
      return `GitHub limits how fast this token may write (a secondary rate limit, ${said})${waitWords(headers)}; run the job again later`;
    case 'limit':
      return `the token has used up its rate limit (${said})${resetWords(headers)}; run the job again then`;
    case 'too-many':
      return `GitHub limits how many requests it answers (${said})${waitWords(headers)}; run the job again later`;
    case 'locked':
      return `the conversation of the pull request is locked (${said}); unlock it, or read the report in the job's summary`;
    case 'too-long':
      return `the report is longer than a comment may be (${said}); the job's summary holds it`;
    case 'single-sign-on':
      return `the organisation requires single sign-on, and the token is not authorised for it (${said}); authorise the token, or use the job's own`;
    case 'token':
      return `GitHub does not accept the token (${said}); it may have expired: check the input github-token`;
    case 'permission':
      return `the token may not ${deed} (${said}); the job needs the permission \`${permission}\`, which a pull request from a fork and Dependabot do not get`;
    case 'not-shown':
      return `GitHub does not show ${target} to this token (${said}); a private repository gives this answer to a token of another repository, or to one without the permission \`${permission}\``;
    case 'conflict':
      return `GitHub was changing the same thing at that moment (${said}); run the job again`;
    case 'gone':
      return `GitHub no longer has ${target} (${said}); it was deleted, or the repository is archived`;
    case 'invalid':
      return `GitHub does not accept what was sent (${said}); report this as a fault of Pacegate`;
    case 'server':
      return `GitHub failed (${said}); run the job again later`;
    case 'other':
      return `GitHub answered ${said}`;
  }
}

function waitWords(headers: Readonly<Record<string, unknown>>): string {
  const seconds = headers['retry-after'];
  return typeof seconds === 'string' ? ` and asks to wait ${seconds} s` : '';
}

function resetWords(headers: Readonly<Record<string, unknown>>): string {
  const reset = Number(headers['x-ratelimit-reset']);
  return Number.isFinite(reset) && reset > 0 ? ` until ${new Date(reset * 1000).toISOString()}` : '';
}
