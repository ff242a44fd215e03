import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readDescription, type Description } from './openapi.test-support.ts';
import { answerCheck, answerStatuses } from './server-checks.test-support.ts';
import { answerComment, answerIssue, answerLabellings, user } from './server-issues.test-support.ts';
import { answerPull } from './server-pulls.test-support.ts';
import { answerArtifacts, answerRuns } from './server-runs.test-support.ts';
import {
  emptyState,
  NOT_FOUND,
  type Answer,
  type Api,
  type Call,
  type GitHubState,
} from './server-state.test-support.ts';

/** A local GitHub with comments in memory. It checks each request and answer with GitHub's API description. */

/** The scopes that a job's token may write. Requests for other scopes get status 403. */
export type Scope = 'checks' | 'pull-requests' | 'issues';

interface Fault {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ServerOptions {
  readonly port?: number;
  /**
   * The server's kind. `ghes`: the API is below /api/v3, and GraphQL at /api/graphql. `forgejo`: the API is below
   * /api/v1, without GraphQL, check runs and the calls of Actions, as far as its documentation has it.
   */
  readonly kind?: keyof typeof PREFIXES;
  /** The token's owner: a person, the job or an app. */
  readonly identity?: 'person' | 'job' | 'app' | 'forgejo';
  /** Whether GraphQL is available. Without it the server answers 404, like a forge without GraphQL. */
  readonly graphql?: boolean;
  /** Login to permission in the repository; other logins are unknown. */
  readonly permissions?: Readonly<Record<string, 'admin' | 'write' | 'read' | 'none'>>;
  /** Whether all writes are refused. */
  readonly readOnly?: boolean;
  /** The scopes that the token may write. Defaults to all. */
  readonly writes?: readonly Scope[];
  /** Called before each answer, to simulate another job at that moment. */
  readonly meanwhile?: (request: string, server: Pick<GitHubServer, 'checks' | 'comments'>) => void;
  /** Replaces some answers. `lost`: the request is executed and answered with 502; `silent`: it is never answered. */
  readonly fault?: (request: string, count: number) => Fault | 'lost' | 'silent' | undefined;
  /** The first n requests get status 502. */
  readonly failures?: number;
}

export interface GitHubServer extends GitHubState {
  readonly url: string;
  /** `METHOD path` of each request. */
  readonly requests: string[];
  /** Violations of GitHub's description; a test expects none. */
  readonly violations: string[];
  readonly close: () => Promise<void>;
}

const LOGINS = {
  person: 'octocat',
  job: 'github-actions[bot]',
  app: 'our-app[bot]',
  forgejo: 'forgejo-actions',
};
const PREFIXES = { github: '', ghes: '/api/v3', forgejo: '/api/v1' };

/** Cached, because the description has twelve megabytes. */
let known: Description | undefined;

/** What one server knows while it runs. */
interface Running extends Pick<GitHubServer, 'requests' | 'violations'> {
  readonly options: ServerOptions;
  readonly api: Api;
  /** Requests that still get status 502. */
  failures: number;
}

export async function startGitHubServer(given: ServerOptions = {}): Promise<GitHubServer> {
  const { kind = 'github' } = given;
  const options: ServerOptions =
    kind === 'forgejo' ? { identity: 'forgejo', graphql: false, ...given } : given;
  known ??= readDescription();
  const state = emptyState();
  const running: Running = {
    options,
    api: { state, login: LOGINS[options.identity ?? 'job'], description: known },
    requests: [],
    violations: [],
    failures: options.failures ?? 0,
  };
  const server = createServer((request, response) => void respond(running, request, response));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, resolve));
  const { requests, violations } = running;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIXES[kind]}`,
    ...state,
    requests,
    violations,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function respond(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, api, requests, violations } = running;
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  if (!withoutPrefix(options, url)) violations.push(`${url.pathname} is not below the API's address`);
  const call: Call = { method, url, body: await readBody(request) };
  const name = `${method} ${url.pathname}`;
  requests.push(name);
  const wrong = options.fault?.(name, requests.filter((other) => other === name).length);
  options.meanwhile?.(name, api.state);
  if (wrong === 'silent') return;
  if (wrong === 'lost') answer(options, api, call);
  if (wrong === 'lost' || (wrong === undefined && running.failures > 0)) {
    if (wrong === undefined) running.failures -= 1;
    response.writeHead(502).end('{"message": "Server Error"}');
    return;
  }
  if (wrong !== undefined) {
    response
      .writeHead(wrong.status, { 'content-type': 'application/json', ...wrong.headers })
      .end(JSON.stringify({ message: wrong.message }));
    return;
  }
  if (download(running, call, request, response)) return;
  const given = answer(options, api, call);
  if (url.pathname !== '/graphql') {
    violations.push(...api.description.checkRequest(method, url, call.body));
    violations.push(...api.description.checkAnswer(method, url, given.status, given.body));
  }
  if (request.headers.authorization === undefined) violations.push(`${name} has no token`);
  response
    .writeHead(given.status, {
      'content-type': 'application/json; charset=utf-8',
      ...(given.link === undefined ? {} : { link: given.link }),
    })
    .end(JSON.stringify(given.body));
}

/** Takes the prefix of the API from an address. @returns false if it has none */
function withoutPrefix({ kind = 'github' }: ServerOptions, url: URL): boolean {
  const prefix = PREFIXES[kind];
  if (url.pathname.startsWith('/storage/')) return true;
  if (kind === 'ghes' && url.pathname === '/api/graphql') url.pathname = '/graphql';
  else if (!url.pathname.startsWith(`${prefix}/`)) return false;
  else url.pathname = url.pathname.slice(prefix.length);
  return true;
}

/** Answers for an artifact's archive: GitHub redirects to its storage. @returns whether it was one */
function download(
  { api: { state, description }, violations }: Running,
  { method, url, body }: Call,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const [, asked] = /\/artifacts\/(\d+)\/zip$/.exec(url.pathname) ?? [];
  if (asked !== undefined) {
    violations.push(...description.checkRequest(method, url, body));
    const port = request.socket.localPort ?? 0;
    response.writeHead(302, { location: `http://localhost:${port}/storage/${asked}` }).end();
    return true;
  }
  const stored = state.artifacts.find(({ id }) => url.pathname === `/storage/${id}`);
  if (stored === undefined) return false;
  // GitHub's storage is another host, which must not receive the token.
  if (request.headers.authorization !== undefined) violations.push('the storage was given the token');
  response.writeHead(200, { 'content-type': 'application/zip' }).end(stored.archive);
  return true;
}

function answer(options: ServerOptions, api: Api, call: Call): Answer {
  const { method, url } = call;
  if (options.kind === 'forgejo' && /\/check-runs|\/actions\//.test(url.pathname)) return NOT_FOUND;
  const owner = answerOwner(options, api, url) ?? answerPermission(options, url);
  if (owner !== undefined) return owner;
  const refused = options.readOnly === true || options.writes?.includes(scopeOf(url, method)) === false;
  if (method !== 'GET' && refused) return FORBIDDEN;
  return (
    answerCheck(api, call) ??
    answerPull(api, call) ??
    answerArtifacts(api, call) ??
    answerRuns(api, call) ??
    answerStatuses(api, call) ??
    answerLabellings(api, call) ??
    answerIssue(api, call) ??
    answerComment(api, call)
  );
}

const FORBIDDEN: Answer = { status: 403, body: { message: 'Resource not accessible by integration' } };

/** Whose token it is. Only a person may ask REST, and only a job or an app has a viewer in GraphQL here. */
function answerOwner(
  { identity = 'job', graphql = true }: ServerOptions,
  { login }: Api,
  { pathname }: URL,
): Answer | undefined {
  if (pathname === '/graphql')
    return graphql && identity !== 'person'
      ? { status: 200, body: { data: { viewer: { login: login.replace('[bot]', '') } } } }
      : NOT_FOUND;
  if (pathname !== '/user') return undefined;
  return identity === 'person' ? { status: 200, body: user('octocat', true) } : FORBIDDEN;
}

function answerPermission({ permissions = {} }: ServerOptions, { pathname }: URL): Answer | undefined {
  const asked = /^\/repos\/[^/]+\/[^/]+\/collaborators\/([^/]+)\/permission$/.exec(pathname)?.[1];
  if (asked === undefined) return undefined;
  const permission = new Map(Object.entries(permissions)).get(asked);
  return permission === undefined
    ? NOT_FOUND
    : { status: 200, body: { permission, role_name: permission, user: null } };
}

function scopeOf({ pathname }: URL, method: string): Scope {
  if (pathname.includes('/check-runs')) return 'checks';
  return /\/issues(\/\d+)?$/.test(pathname) && method !== 'GET' ? 'issues' : 'pull-requests';
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
