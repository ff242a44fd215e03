import { setTimeout } from 'node:timers/promises';
import type { GitHub } from '@actions/github/lib/utils';
import { isOfAnotherJob, type RunMark } from './run-mark.ts';

/** Finds Pacegate's comment on a pull request and writes it. */

export type Octokit = InstanceType<typeof GitHub>;

/** How long GitHub is waited for, in seconds. */
export interface Limits {
  /** For one answer. */
  readonly answer: number;
  /** The longest wait that a rate limit may ask for; a longer one is reported. */
  readonly wait: number;
  /** For everything together. */
  readonly total: number;
}

const LIMITS: Limits = { answer: 20, wait: 90, total: 240 };

/** What the same request would be answered with again. A rate limit is the throttling plugin's to wait for. */
const FINAL = [400, 401, 403, 404, 405, 409, 410, 413, 422, 423, 429, 451];

/**
 * A client that repeats a reading which a passing fault broke, waits where a rate limit asks for it, and gives up an
 * answer that does not come. Loaded on demand: a run that posts nothing does not read it.
 *
 * @param apiUrl such as `https://api.github.com`; a GHES or Forgejo has its own
 * @param signal ends what is asked at the moment
 */
export async function connect(
  token: string,
  apiUrl: string,
  { signal, limits = LIMITS }: { readonly signal?: AbortSignal; readonly limits?: Limits } = {},
): Promise<Octokit> {
  const [{ getOctokit }, { retry }, { throttling }] = await Promise.all([
    import('@actions/github'),
    import('@octokit/plugin-retry'),
    import('@octokit/plugin-throttling'),
  ]);
  const end = performance.now() + limits.total * 1000;
  const mayWait = (seconds: number, count: number) =>
    count === 0 && seconds <= limits.wait && performance.now() + seconds * 1000 < end;
  // First, so that it is innermost: each attempt has a deadline of its own.
  const deadline = (octokit: Pick<Octokit, 'hook'>) => {
    octokit.hook.before('request', (options) => {
      const left = Math.max(0, Math.min(limits.answer * 1000, end - performance.now()));
      const own = AbortSignal.timeout(Math.round(left));
      options.request = {
        ...options.request,
        signal: signal === undefined ? own : AbortSignal.any([own, signal]),
      };
    });
    // The plugins know the words of GitHub's limits alone; whatever says when to come again is asked then.
    octokit.hook.wrap('request', async (request, options) => {
      try {
        return await request(options);
      } catch (error) {
        // In a shape that the plugins do not ask again for.
        if (signal?.aborted === true)
          throw Object.assign(new Error(CANCELLED), { status: 0, request: { request: {} } });
        const seconds = Number(headersOf(error)['retry-after'] ?? Number.NaN);
        const limited = statusOf(error) === 429 || statusOf(error) === 503;
        if (!limited || /secondary rate/i.test(messageOf(error)) || !mayWait(seconds, 0)) throw error;
        await setTimeout(seconds * 1000, undefined, signal === undefined ? {} : { signal });
        return await request(options);
      }
    });
    return {};
  };
  const onLimit = (seconds: number, _: unknown, __: unknown, count: number) => mayWait(seconds, count);
  return getOctokit(
    token,
    {
      baseUrl: apiUrl,
      retry: { doNotRetry: FINAL, retries: 2 },
      throttle: { onRateLimit: onLimit, onSecondaryRateLimit: onLimit },
      // What it would print is in the result.
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    deadline,
    retry,
    throttling,
  );
}

export type CommentResult =
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly url: string }
  /** Another job of this run has written it: its verdict would be lost. */
  | { readonly kind: 'twice' }
  /** The verdict stands all the same; `reason` says what the job would need. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface CommentRequest {
  readonly owner: string;
  readonly repo: string;
  /** The pull request's number. */
  readonly number: number;
  /** Hidden first line of our comments: one comment for each pull request and configuration. */
  readonly marker: string;
  /** That of an earlier version: its comment is taken over where there is none with the marker. */
  readonly formerMarker?: string;
  /** The job that writes, as the body's second line has it. */
  readonly run?: RunMark;
  /** The whole body, beginning with the marker; at most 65,536 characters. */
  readonly body: string;
}

/**
 * Writes the one comment of a pull request and configuration: edited where it is, created where it is not.
 *
 * Never throws for what GitHub answers: a token that may not comment is a result.
 */
export async function upsertComment(octokit: Octokit, request: CommentRequest): Promise<CommentResult> {
  const { owner, repo, run, body } = request;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const own = await findOwn(octokit, request);
      if (run !== undefined && isOfAnotherJob(own?.body ?? '', run)) return { kind: 'twice' };
      if (own?.body === body) return { kind: attempt === 1 ? 'unchanged' : 'created', url: own.html_url };
      if (own !== undefined) {
        const updated = await octokit.rest.issues.updateComment({ owner, repo, comment_id: own.id, body });
        return { kind: 'updated', url: updated.data.html_url };
      }
      try {
        const created = await octokit.rest.issues.createComment({
          ...{ owner, repo, issue_number: request.number, body },
          // The comment may be there although its answer was lost: that is looked at before it is posted again.
          request: { retries: 0 },
        });
        return { kind: 'created', url: created.data.html_url };
      } catch (error) {
        if (attempt === MOST_POSTS || !isPassing(error)) throw error;
      }
    }
  } catch (error) {
    return { kind: 'refused', reason: reasonOf(error, request) };
  }
}

const MOST_POSTS = 3;
const CANCELLED = 'the job was cancelled';

/**
 * Our comment, if there is one. Anyone can copy the marker; only a comment of our own is ours to edit, and only ours
 * counts as ours. With several (two jobs at once), the oldest stays the one.
 */
async function findOwn(octokit: Octokit, { owner, repo, number, marker, formerMarker }: CommentRequest) {
  const comments = await octokit.paginate(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number: number,
    per_page: 100,
  });
  const marked = (mark: string | undefined) =>
    mark === undefined ? [] : comments.filter(({ body }) => body?.split('\n')[0]?.trim() === mark);
  const found = [...marked(marker), ...marked(formerMarker)];
  // Who we are is a question of its own, and mostly nobody has to ask it.
  if (found.length === 0) return undefined;
  const logins = found.flatMap(({ user }) => (user === null ? [] : [user.login]));
  const own = await ownLogin(octokit, logins);
  return found.find(({ user }) => user?.login === own);
}

/**
 * Which of some logins is ours. GitHub's GraphQL field `viewer.login` tells an app's token, with `[bot]` left to be
 * added; its REST API refuses the question to an app's token and answers a person's (`GET /user`). The first is asked
 * where a bot has written, the second only where a person has. A server without GraphQL (Forgejo) has only the second.
 * The job's own token is `github-actions[bot]`'s.
 */
async function ownLogin(octokit: Octokit, logins: readonly string[]): Promise<string | undefined> {
  const bots = logins.filter((login) => login.endsWith('[bot]'));
  if (bots.length > 0) {
    const bot = await appLogin(octokit);
    if (bots.includes(bot)) return bot;
    if (bots.length === logins.length) return undefined;
  }
  try {
    return (await octokit.rest.users.getAuthenticated()).data.login;
  } catch (error) {
    if (statusOf(error) === 403 || statusOf(error) === 401) return undefined;
    throw error;
  }
}

async function appLogin(octokit: Octokit): Promise<string> {
  try {
    const answer: { viewer: { login: string } } = await octokit.graphql('query { viewer { login } }');
    const { login } = answer.viewer;
    return login.endsWith('[bot]') ? login : `${login}[bot]`;
  } catch {
    return 'github-actions[bot]';
  }
}

/** Of an error, which has some of its properties, such as a DOMException's name, from its prototype. */
const property = (
  value: unknown,
  name: 'status' | 'message' | 'response' | 'headers' | 'cause' | 'name',
): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined);

function statusOf(error: unknown): number | undefined {
  const status = property(error, 'status');
  return typeof status === 'number' ? status : undefined;
}

const messageOf = (error: unknown): string => String(property(error, 'message') ?? error);

/** The answer's headers; none where there was no answer. */
const headersOf = (error: unknown): Readonly<Record<string, unknown>> =>
  (property(property(error, 'response'), 'headers') as Record<string, unknown> | undefined) ?? {};

/** The library gives an answer that never came the status 500. */
const isAnswered = (error: unknown) => property(error, 'response') !== undefined;

const isPassing = (error: unknown) => (statusOf(error) ?? 500) >= 500;

/** What GitHub's answer means, and what to do. */
function reasonOf(error: unknown, { owner, repo, number }: CommentRequest): string {
  const message = messageOf(error).replace(/\s*- https:\/\/docs\.github\.com\S*$/, '');
  const headers = headersOf(error);
  const status = statusOf(error) ?? 0;
  const said = `${status}: ${message}`;
  if (!isAnswered(error)) {
    if (message === CANCELLED) return message;
    const cause = property(error, 'cause');
    return /abort|timeout|timed out/i.test(`${message} ${String(property(cause, 'name'))}`)
      ? 'GitHub did not answer in time'
      : `GitHub could not be reached: ${message}`;
  }
  if (/secondary rate|abuse detection/i.test(message))
    return `GitHub limits how fast this token may write (a secondary rate limit, ${said})${waitWords(headers)}; run the job again later`;
  if (headers['x-ratelimit-remaining'] === '0' || /API rate limit exceeded/i.test(message))
    return `the token has used up its rate limit (${said})${resetWords(headers)}; run the job again then`;
  if (status === 429)
    return `GitHub limits how many requests it answers (${said})${waitWords(headers)}; run the job again later`;
  if (/\blocked\b/i.test(message))
    return `the conversation of the pull request is locked (${said}); unlock it, or read the report in the job's summary`;
  if (/too long/i.test(message))
    return `the report is longer than a comment may be (${said}); the job's summary holds it`;
  if (headers['x-github-sso'] !== undefined || /\bSAML\b|single sign-on/i.test(message))
    return `the organisation asks for single sign-on, which the token is not authorised for (${said}); authorise the token, or use the job's own`;
  if (status === 401)
    return `GitHub does not accept the token (${said}); it may have expired: check the input github-token`;
  if (status === 403)
    return `the token may not comment on this pull request (${said}); the job needs the permission \`pull-requests: write\`, which a pull request from a fork and Dependabot do not get`;
  if (status === 404)
    return `GitHub does not show ${owner}/${repo} #${number} to this token (${said}); a private repository answers so to a token of another repository, or to one without the permission \`pull-requests: write\``;
  if (status >= 500) return `GitHub failed (${said}); run the job again later`;
  return `GitHub answered ${said}`;
}

function waitWords(headers: Readonly<Record<string, unknown>>): string {
  const seconds = headers['retry-after'];
  return typeof seconds === 'string' ? ` and asks to wait ${seconds} s` : '';
}

function resetWords(headers: Readonly<Record<string, unknown>>): string {
  const reset = Number(headers['x-ratelimit-reset']);
  return Number.isFinite(reset) && reset > 0 ? ` until ${new Date(reset * 1000).toISOString()}` : '';
}
