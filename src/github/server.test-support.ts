import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readDescription, type Description } from './openapi.test-support.ts';

/** A local GitHub with comments in memory. It checks each request and answer with GitHub's API description. */

export interface StoredComment {
  readonly id: number;
  readonly issue: number;
  readonly login: string;
  body: string;
}

/** A check run, as GitHub stores it. */
export interface StoredCheck {
  readonly id: number;
  readonly head_sha: string;
  name: string;
  conclusion: string | null;
  external_id: string | null;
  output: {
    title: string | null;
    summary: string | null;
    text: string | null;
    annotations: readonly unknown[];
  };
}

/** A pull request, as GitHub stores it. */
export interface StoredPull {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly base: string;
  /** `owner/name`; null if the fork was deleted. */
  readonly headRepository: string | null;
  readonly headBranch: string;
  readonly headSha: string;
}

export interface StoredArtifact {
  readonly id: number;
  readonly run: number;
  readonly name: string;
  readonly archive: Buffer;
  /** The size that GitHub reports. Defaults to the archive's. */
  readonly size?: number;
  readonly expired?: boolean;
}

/** An issue, as GitHub stores it. */
export interface StoredIssue {
  readonly number: number;
  readonly login: string;
  title: string;
  body: string;
  state: 'open' | 'closed';
  readonly labels: readonly string[];
}

/** A label that somebody put on a pull request, or removed. */
export interface StoredLabelling {
  readonly issue: number;
  readonly event: 'labeled' | 'unlabeled';
  readonly label: string;
  readonly actor: string;
  /** Such as `2026-01-01T00:00:00Z`. */
  readonly at: string;
}

/** A run of a workflow on a pull request. */
export interface StoredRun {
  readonly id: number;
  readonly workflow: number;
  readonly headRepository: string;
  readonly headBranch: string;
  readonly headSha: string;
  readonly actor: string;
  readonly at: string;
}

/** The scopes that a job's token may write. Requests for other scopes get status 403. */
export type Scope = 'checks' | 'pull-requests' | 'issues';

export interface ServerOptions {
  readonly port?: number;
  /** The token's owner: a person, the job or an app. */
  readonly identity?: 'person' | 'job' | 'app';
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
  readonly fault?: (
    request: string,
    count: number,
  ) =>
    | {
        readonly status: number;
        readonly message: string;
        readonly headers?: Readonly<Record<string, string>>;
      }
    | 'lost'
    | 'silent'
    | undefined;
  /** The first n requests get status 502. */
  readonly failures?: number;
}

export interface GitHubServer {
  readonly url: string;
  readonly comments: StoredComment[];
  readonly checks: StoredCheck[];
  readonly pulls: StoredPull[];
  readonly artifacts: StoredArtifact[];
  readonly issues: StoredIssue[];
  readonly labellings: StoredLabelling[];
  readonly runs: StoredRun[];
  /** `METHOD path` of each request. */
  readonly requests: string[];
  /** Violations of GitHub's description; a test expects none. */
  readonly violations: string[];
  readonly close: () => Promise<void>;
}

const LOGINS = { person: 'octocat', job: 'github-actions[bot]', app: 'our-app[bot]' };

/** Cached, because the description has twelve megabytes. */
let known: Description | undefined;

export async function startGitHubServer(options: ServerOptions = {}): Promise<GitHubServer> {
  const { identity = 'job', readOnly = false, graphql = true } = options;
  known ??= readDescription();
  const description = known;
  const comments: StoredComment[] = [];
  const checks: StoredCheck[] = [];
  const pulls: StoredPull[] = [];
  const artifacts: StoredArtifact[] = [];
  const issues: StoredIssue[] = [];
  const labellings: StoredLabelling[] = [];
  const runs: StoredRun[] = [];
  const requests: string[] = [];
  const violations: string[] = [];
  let failures = options.failures ?? 0;

  const checkBody = (url: URL, { output: { annotations, ...output }, ...check }: StoredCheck) => {
    const list = new URL(`/repos/owner/name/commits/${check.head_sha}/check-runs`, url);
    const sample = description.sampleEntry('GET', list, 200) as Readonly<Record<string, object>>;
    return {
      ...sample,
      ...check,
      status: 'completed',
      html_url: `https://github.com/owner/name/runs/${check.id}`,
      output: { ...sample['output'], ...output, annotations_count: annotations.length },
    };
  };
  const answerCheck = (url: URL, body: unknown) => {
    const [, ref] = /\/commits\/([^/]+)\/check-runs$/.exec(url.pathname) ?? [];
    if (ref !== undefined) {
      const found = checks.filter(
        ({ head_sha, name }) => head_sha === ref && name === url.searchParams.get('check_name'),
      );
      return {
        status: 200,
        body: { total_count: found.length, check_runs: found.map((check) => checkBody(url, check)) },
      };
    }
    const [, tail] = /\/check-runs(\/\d+)?$/.exec(url.pathname) ?? [];
    if (!url.pathname.includes('/check-runs')) return undefined;
    const sent = body as Omit<Partial<StoredCheck>, 'output'> & {
      readonly output?: Partial<StoredCheck['output']>;
    };
    const output = { title: null, summary: null, text: null, annotations: [], ...sent.output };
    if (tail === undefined) {
      const made: StoredCheck = {
        id: 5000 + checks.length,
        head_sha: sent.head_sha ?? '',
        name: sent.name ?? '',
        conclusion: sent.conclusion ?? null,
        external_id: sent.external_id ?? null,
        output,
      };
      checks.push(made);
      return { status: 201, body: checkBody(url, made) };
    }
    const check = checks.find(({ id }) => id === Number(tail.slice(1)));
    if (check === undefined) return { status: 404, body: { message: 'Not Found' } };
    const { name, conclusion, external_id } = sent;
    Object.assign(
      check,
      name === undefined ? {} : { name },
      conclusion === undefined ? {} : { conclusion },
      external_id === undefined ? {} : { external_id },
      { output },
    );
    return { status: 200, body: checkBody(url, check) };
  };

  const pullBody = (sample: Readonly<Record<string, object>>, pull: StoredPull) => {
    const { base, head } = sample as Record<'base' | 'head', { readonly repo: object }>;
    return {
      ...sample,
      ...{ number: pull.number, state: pull.state },
      base: { ...base, ref: pull.base, repo: { ...base.repo, full_name: 'owner/name' } },
      head: {
        ...head,
        ...{ ref: pull.headBranch, sha: pull.headSha },
        repo: pull.headRepository === null ? null : { ...base.repo, full_name: pull.headRepository },
      },
    };
  };
  const answerPull = (url: URL) => {
    const [, number] = /\/pulls(?:\/(\d+))?$/.exec(url.pathname) ?? [];
    if (!url.pathname.includes('/pulls')) return undefined;
    if (number === undefined) {
      const sample = description.sampleEntry('GET', url, 200) as Readonly<Record<string, object>>;
      const found = pulls.filter(
        (pull) =>
          pull.state === url.searchParams.get('state') &&
          `${(pull.headRepository ?? '').split('/')[0] ?? ''}:${pull.headBranch}` ===
            url.searchParams.get('head'),
      );
      return { status: 200, body: found.map((pull) => pullBody(sample, pull)) };
    }
    const pull = pulls.find((one) => one.number === Number(number));
    if (pull === undefined) return { status: 404, body: { message: 'Not Found' } };
    const sample = description.sampleAnswer('GET', url, 200) as Readonly<Record<string, object>>;
    return { status: 200, body: pullBody(sample, pull) };
  };
  const answerArtifacts = (url: URL) => {
    const [, run] = /\/actions\/runs\/(\d+)\/artifacts$/.exec(url.pathname) ?? [];
    if (run === undefined) return undefined;
    const sample = description.sampleEntry('GET', url, 200);
    const found = artifacts.filter((artifact) => artifact.run === Number(run));
    return {
      status: 200,
      body: {
        total_count: found.length,
        artifacts: found.map(({ id, name, archive, size, expired = false }) => ({
          ...sample,
          ...{ id, name, expired, size_in_bytes: size ?? archive.length },
        })),
      },
    };
  };
  const answerLabellings = (url: URL) => {
    const [, issue] = /\/issues\/(\d+)\/events$/.exec(url.pathname) ?? [];
    if (issue === undefined) return undefined;
    const sample = description.sampleEntry('GET', url, 200);
    const found = labellings
      .map((one, index) => ({ ...one, id: 100 + index }))
      .filter((one) => one.issue === Number(issue));
    return {
      status: 200,
      body: found.map(({ id, event, label, actor, at }) => ({
        ...sample,
        ...{ id, event, created_at: at, actor: user(actor, false) },
        label: { name: label, color: 'ededed' },
      })),
    };
  };
  const answerRuns = (url: URL) => {
    const [, workflow] = /\/actions\/workflows\/(\d+)\/runs$/.exec(url.pathname) ?? [];
    if (workflow === undefined) return undefined;
    const sample = description.sampleEntry('GET', url, 200) as Readonly<Record<string, object>>;
    const found = runs
      .filter((run) => run.workflow === Number(workflow) && run.headBranch === url.searchParams.get('branch'))
      .reverse();
    return {
      status: 200,
      body: {
        total_count: found.length,
        workflow_runs: found.map((run) => ({
          ...sample,
          ...{ id: run.id, head_sha: run.headSha, head_branch: run.headBranch, created_at: run.at },
          actor: user(run.actor, false),
          head_repository: { ...sample['head_repository'], full_name: run.headRepository },
        })),
      },
    };
  };
  const issueBody = (url: URL, { login, labels, ...issue }: StoredIssue) => ({
    ...(description.sampleEntry('GET', new URL('/repos/owner/name/issues', url), 200) as object),
    ...issue,
    user: user(login, false),
    labels: [...labels],
    // A pull request is an issue with this key.
    pull_request: undefined,
    html_url: `https://github.com/owner/name/issues/${issue.number}`,
  });
  const answerIssue = (method: string, url: URL, body: unknown) => {
    const [, tail] = /\/issues(\/\d+)?$/.exec(url.pathname) ?? [];
    if (!/\/issues(\/\d+)?$/.test(url.pathname)) return undefined;
    const sent = (body ?? {}) as Partial<StoredIssue>;
    if (tail === undefined && method === 'GET') {
      const label = url.searchParams.get('labels') ?? '';
      return {
        status: 200,
        body: issues
          .filter(({ labels }) => labels.includes(label))
          .reverse()
          .map((issue) => issueBody(url, issue)),
      };
    }
    if (tail === undefined) {
      const { title = '', body: text = '', labels = [] } = sent;
      const made: StoredIssue = {
        ...{ number: 70 + issues.length, login: LOGINS[identity], title, body: text, state: 'open', labels },
      };
      issues.push(made);
      return { status: 201, body: issueBody(url, made) };
    }
    const issue = issues.find(({ number }) => number === Number(tail.slice(1)));
    if (issue === undefined) return { status: 404, body: { message: 'Not Found' } };
    Object.assign(issue, sent);
    return { status: 200, body: issueBody(url, issue) };
  };

  const answer = (
    method: string,
    url: URL,
    body: unknown,
  ): { status: number; body: unknown; link?: string } => {
    if (url.pathname === '/graphql')
      return graphql && identity !== 'person'
        ? { status: 200, body: { data: { viewer: { login: LOGINS[identity].replace('[bot]', '') } } } }
        : { status: 404, body: { message: 'Not Found' } };
    if (url.pathname === '/user')
      return identity === 'person'
        ? { status: 200, body: user('octocat', true) }
        : { status: 403, body: { message: 'Resource not accessible by integration' } };
    const asked = /^\/repos\/[^/]+\/[^/]+\/collaborators\/([^/]+)\/permission$/.exec(url.pathname)?.[1];
    if (asked !== undefined) {
      const permission = new Map(Object.entries(options.permissions ?? {})).get(asked);
      return permission === undefined
        ? { status: 404, body: { message: 'Not Found' } }
        : { status: 200, body: { permission, role_name: permission, user: null } };
    }
    const scope = scopeOf(url, method);
    if (method !== 'GET' && (readOnly || options.writes?.includes(scope) === false))
      return { status: 403, body: { message: 'Resource not accessible by integration' } };
    const checked =
      answerCheck(url, body) ??
      answerPull(url) ??
      answerArtifacts(url) ??
      answerLabellings(url) ??
      answerRuns(url);
    if (checked !== undefined) return checked;
    const issue = answerIssue(method, url, body);
    if (issue !== undefined) return issue;
    const list = /^\/repos\/[^/]+\/[^/]+\/issues\/(\d+)\/comments$/.exec(url.pathname);
    const one = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(url.pathname);
    const text = (body as { body?: string } | undefined)?.body ?? '';
    if (list !== null && method === 'POST') {
      const made = {
        id: 1000 + comments.length,
        issue: Number(list[1]),
        login: LOGINS[identity],
        body: text,
      };
      comments.push(made);
      return { status: 201, body: comment(made) };
    }
    if (list !== null && method === 'GET') {
      const own = comments.filter(({ issue }) => issue === Number(list[1]));
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const page = Number(url.searchParams.get('page') ?? 1);
      const next = new URL(url);
      next.searchParams.set('page', String(page + 1));
      return {
        status: 200,
        body: own.slice((page - 1) * size, page * size).map(comment),
        ...(page * size < own.length ? { link: `<${next.href}>; rel="next"` } : {}),
      };
    }
    const found = comments.find(({ id }) => id === Number(one?.[1]));
    if (found === undefined) return { status: 404, body: { message: 'Not Found' } };
    if (method === 'PATCH') found.body = text;
    return { status: 200, body: comment(found) };
  };

  const portOf = () => (server.address() as AddressInfo).port;
  const server = createServer((request, response) => {
    void (async () => {
      const method = request.method ?? 'GET';
      const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
      const body = await readBody(request);
      requests.push(`${method} ${url.pathname}`);
      const wrong = options.fault?.(
        `${method} ${url.pathname}`,
        requests.filter((request) => request === `${method} ${url.pathname}`).length,
      );
      options.meanwhile?.(`${method} ${url.pathname}`, { checks, comments });
      if (wrong === 'silent') return;
      if (wrong !== undefined && wrong !== 'lost') {
        response
          .writeHead(wrong.status, { 'content-type': 'application/json', ...wrong.headers })
          .end(JSON.stringify({ message: wrong.message }));
        return;
      }
      if (wrong === 'lost') {
        answer(method, url, body);
        response.writeHead(502).end('{"message": "Server Error"}');
        return;
      }
      if (failures > 0) {
        failures -= 1;
        response.writeHead(502).end('{"message": "Server Error"}');
        return;
      }
      const [, stored] = /\/artifacts\/(\d+)\/zip$|^\/storage\/(\d+)$/.exec(url.pathname) ?? [];
      const blob = artifacts.find(({ id }) => url.pathname === `/storage/${id}`);
      if (stored !== undefined) {
        violations.push(...description.checkRequest(method, url, body));
        response.writeHead(302, { location: `http://localhost:${portOf()}/storage/${stored}` }).end();
        return;
      }
      if (blob !== undefined) {
        // GitHub's storage is another host, which must not receive the token.
        if (request.headers.authorization !== undefined) violations.push('the storage was given the token');
        response.writeHead(200, { 'content-type': 'application/zip' }).end(blob.archive);
        return;
      }
      const given = answer(method, url, body);
      if (url.pathname !== '/graphql') {
        violations.push(...description.checkRequest(method, url, body));
        violations.push(...description.checkAnswer(method, url, given.status, given.body));
      }
      if (request.headers.authorization === undefined)
        violations.push(`${method} ${url.pathname} has no token`);
      response
        .writeHead(given.status, {
          'content-type': 'application/json; charset=utf-8',
          ...(given.link === undefined ? {} : { link: given.link }),
        })
        .end(JSON.stringify(given.body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, resolve));
  const port = portOf();
  return {
    url: `http://127.0.0.1:${port}`,
    comments,
    checks,
    pulls,
    artifacts,
    issues,
    labellings,
    runs,
    requests,
    violations,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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

const TIME = '2026-01-01T00:00:00Z';
const ADDRESS = 'https://api.github.com/x';

function user(login: string, person: boolean): unknown {
  const addresses = Object.fromEntries(
    [
      'avatar_url',
      'url',
      'html_url',
      'followers_url',
      'following_url',
      'gists_url',
      'starred_url',
      'subscriptions_url',
      'organizations_url',
      'repos_url',
      'events_url',
      'received_events_url',
    ].map((name) => [name, ADDRESS]),
  );
  const simple = {
    login,
    id: 1,
    node_id: 'n',
    gravatar_id: '',
    site_admin: false,
    type: person ? 'User' : 'Bot',
    ...addresses,
  };
  const profile = {
    name: null,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: TIME,
    updated_at: TIME,
  };
  return person ? { ...simple, ...profile, user_view_type: 'public' } : simple;
}

const comment = ({ id, login, body, issue }: StoredComment): unknown => ({
  id,
  node_id: `n${id}`,
  url: `${ADDRESS}/comments/${id}`,
  html_url: `https://github.com/owner/name/pull/${issue}#issuecomment-${id}`,
  issue_url: `${ADDRESS}/issues/${issue}`,
  body,
  user: user(login, false),
  created_at: TIME,
  updated_at: TIME,
  author_association: 'NONE',
});
