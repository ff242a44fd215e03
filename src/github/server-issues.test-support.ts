import {
  NOT_FOUND,
  type Answer,
  type Api,
  type Call,
  type StoredComment,
  type StoredIssue,
} from './server-state.test-support.ts';

/** The local GitHub's answers about issues, their comments, and who wrote them. */

/** @returns undefined if the call is not about issues themselves */
export function answerIssue(api: Api, { method, url, body }: Call): Answer | undefined {
  const { issues } = api.state;
  if (!/\/issues(\/\d+)?$/.test(url.pathname)) return undefined;
  const [, number] = /\/issues\/(\d+)$/.exec(url.pathname) ?? [];
  const sent = (body ?? {}) as Partial<StoredIssue>;
  if (number === undefined && method === 'GET') {
    const label = url.searchParams.get('labels') ?? '';
    const found = issues.filter(({ labels }) => labels.includes(label)).reverse();
    return { status: 200, body: found.map((issue) => issueBody(api, url, issue)) };
  }
  if (number === undefined) {
    const { title = '', body: text = '', labels = [] } = sent;
    const made: StoredIssue = {
      ...{ number: 70 + issues.length, login: api.login, title, body: text, state: 'open', labels },
    };
    issues.push(made);
    return { status: 201, body: issueBody(api, url, made) };
  }
  const issue = issues.find((one) => one.number === Number(number));
  if (issue === undefined) return NOT_FOUND;
  Object.assign(issue, sent);
  return { status: 200, body: issueBody(api, url, issue) };
}

const issueBody = ({ description }: Api, url: URL, { login, labels, ...issue }: StoredIssue): unknown => ({
  ...(description.sampleEntry('GET', new URL('/repos/owner/name/issues', url), 200) as object),
  ...issue,
  user: user(login, false),
  labels: [...labels],
  // A pull request is an issue with this key.
  pull_request: undefined,
  html_url: `https://github.com/owner/name/issues/${issue.number}`,
});

/** @returns undefined if the call does not list the labels that were put on an issue or removed */
export function answerLabellings({ state, description }: Api, { url }: Call): Answer | undefined {
  const [, issue] = /\/issues\/(\d+)\/events$/.exec(url.pathname) ?? [];
  if (issue === undefined) return undefined;
  const sample = description.sampleEntry('GET', url, 200);
  const found = state.labellings
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
}

/** Answers about comments. Every other path is not found. */
export function answerComment({ state: { comments }, login }: Api, { method, url, body }: Call): Answer {
  const text = (body as { body?: string } | undefined)?.body ?? '';
  const [, issue] = /^\/repos\/[^/]+\/[^/]+\/issues\/(\d+)\/comments$/.exec(url.pathname) ?? [];
  if (issue !== undefined && method === 'POST') {
    const made = { id: 1000 + comments.length, issue: Number(issue), login, body: text };
    comments.push(made);
    return { status: 201, body: commentBody(made) };
  }
  if (issue !== undefined && method === 'GET')
    return commentPage(
      url,
      comments.filter((comment) => comment.issue === Number(issue)),
    );
  const [, id] = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(url.pathname) ?? [];
  const found = comments.find((comment) => comment.id === Number(id));
  if (found === undefined) return NOT_FOUND;
  if (method === 'PATCH') found.body = text;
  return { status: 200, body: commentBody(found) };
}

function commentPage(url: URL, comments: readonly StoredComment[]): Answer {
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const page = Number(url.searchParams.get('page') ?? 1);
  const next = new URL(url);
  next.searchParams.set('page', String(page + 1));
  return {
    status: 200,
    body: comments.slice((page - 1) * size, page * size).map(commentBody),
    link: page * size < comments.length ? `<${next.href}>; rel="next"` : undefined,
  };
}

const TIME = '2026-01-01T00:00:00Z';
const ADDRESS = 'https://api.github.com/x';

export function user(login: string, person: boolean): unknown {
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

const commentBody = ({ id, login, body, issue }: StoredComment): unknown => ({
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
