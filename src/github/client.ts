import { setTimeout } from 'node:timers/promises';
import type { GitHub } from '@actions/github/lib/utils';
import { CANCELLED, headersOf, messageOf, statusOf } from './answer.ts';

/** Creates the client for GitHub's API. */

export type Octokit = InstanceType<typeof GitHub>;

/** Time limits of requests to GitHub, in seconds. */
export interface Limits {
  /** For one answer. */
  readonly answer: number;
  /** The longest wait that a rate limit may ask for. A longer one is reported. */
  readonly wait: number;
  /** For everything together. */
  readonly total: number;
}

const LIMITS: Limits = { answer: 20, wait: 90, total: 240 };

/** Statuses of requests that would get the same answer again. The throttling plugin waits for rate limits. */
const FINAL = [400, 401, 403, 404, 405, 409, 410, 413, 422, 423, 429, 451];

/**
 * Creates a client that repeats reads after passing faults, waits for rate limits, and gives up a request without an
 * answer. It is loaded on demand, because a run that posts nothing does not need it.
 *
 * @param apiUrl such as `https://api.github.com`; a GHES or Forgejo server has another
 * @param signal ends running requests
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
  // Registered first, so that it is innermost and each attempt has its own deadline.
  const deadline = (octokit: Pick<Octokit, 'hook'>) => {
    octokit.hook.before('request', (options) => {
      // A body that is read as a stream, such as an artifact's, takes longer than an answer.
      const seconds = Number(options.request['answerSeconds'] ?? limits.answer);
      const left = Math.max(0, Math.min(seconds * 1000, end - performance.now()));
      const own = AbortSignal.timeout(Math.round(left));
      options.request = {
        ...options.request,
        signal: signal === undefined ? own : AbortSignal.any([own, signal]),
      };
    });
    // The plugins recognise only GitHub's own limits. This wrapper retries any answer that names a time to retry after.
    octokit.hook.wrap('request', async (request, options) => {
      try {
        return await request(options);
      } catch (error) {
        // An error shape that the plugins do not retry.
        if (signal?.aborted === true)
          throw Object.assign(new Error(CANCELLED), { status: 0, request: { request: {} } });
        // The library takes a list that is answered with 409 for an empty one, and a second comment would be written.
        if (statusOf(error) === 409 && options.method === 'GET')
          throw Object.assign(error as Error, { status: 423 });
        const seconds = Number(headersOf(error)['retry-after'] ?? Number.NaN);
        const limited = statusOf(error) === 429 || statusOf(error) === 503;
        if (!limited || /secondary rate/i.test(messageOf(error)) || !mayWait(seconds, 0)) throw error;
        await setTimeout(seconds * 1000, undefined, { signal });
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
      // The plugins' messages are part of the result already.
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    deadline,
    retry,
    throttling,
  );
}
