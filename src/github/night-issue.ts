import { isPassing, reasonOf, refusalOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { ownLogin } from './own-login.ts';
import { relationTo, type RunMark } from './run-mark.ts';

/**
 * Maintains the one issue about a configuration's nights: opens it for a concern, updates it, and closes it on
 * recovery.
 */

export interface NightIssueRequest {
  readonly owner: string;
  readonly repo: string;
  readonly configuration: string;
  readonly title: string;
  readonly body: string;
  /** Names of the current concerns; empty if all is well. */
  readonly concerns: readonly string[];
  /** Whether only these concerns were checked. Other concerns in the issue stay open. */
  readonly partial?: boolean;
  /** The text of a comment about new concerns of these names. */
  readonly news: (names: readonly string[]) => string;
  /** The job that writes; undefined if the runner does not name the run. */
  readonly run: RunMark | undefined;
}

export type NightIssueResult =
  | { readonly kind: 'opened' | 'updated' | 'reopened' | 'closed'; readonly url: string }
  /** There are no concerns and no open issue; or a person closed the issue, and no concern is new. */
  | { readonly kind: 'none' }
  /** A newer run has written it. */
  | { readonly kind: 'outdated'; readonly url: string }
  /**
   * GitHub refused the issue. The night's result stays the same. `forbidden`: only the token's permission is missing.
   */
  | { readonly kind: 'refused'; readonly forbidden: boolean; readonly reason: string };

/** The label finds the issue among thousands of others. */
const LABEL = 'pacegate';

/**
 * Writes the issue. An issue that a person closed stays closed until a concern is new. An issue that was closed on
 * recovery is opened again for the next concern.
 *
 * Never throws for GitHub's answers.
 */
export async function upsertNightIssue(
  octokit: Octokit,
  request: NightIssueRequest,
): Promise<NightIssueResult> {
  const { owner, repo } = request;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const own = await findOwn(octokit, request);
      const content = contentOf(request, own);
      if (own !== undefined) return await update(octokit, request, own, content, attempt > 1);
      if (content.concerns.length === 0) return { kind: 'none' };
      try {
        return await openNew(octokit, request, content);
      } catch (error) {
        if (attempt === MOST_POSTS || !isPassing(error)) throw error;
      }
    }
  } catch (error) {
    return {
      kind: 'refused',
      forbidden: refusalOf(error) === 'permission' || refusalOf(error) === 'gone',
      reason: reasonOf(error, {
        deed: 'write issues',
        target: `${owner}/${repo}`,
        permission: 'issues: write',
      }),
    };
  }
}

const MOST_POSTS = 3;

/** The new content of the issue, and its present content. */
interface Content {
  /** The concerns that the issue names already. */
  readonly known: readonly string[];
  readonly concerns: readonly string[];
  readonly body: string;
}

function contentOf(request: NightIssueRequest, own: OwnIssue | undefined): Content {
  const { configuration, run } = request;
  const known = concernsIn(own?.body, configuration);
  const concerns =
    request.partial === true ? [...new Set([...known, ...request.concerns])] : request.concerns;
  const body = [markerOf(configuration, concerns), run?.line, '', request.body]
    .filter((line) => line !== undefined)
    .join('\n');
  return { known, concerns, body };
}

async function openNew(
  octokit: Octokit,
  { owner, repo, title }: NightIssueRequest,
  { body }: Content,
): Promise<NightIssueResult> {
  const { data } = await octokit.rest.issues.create({
    ...{ owner, repo, title, body, labels: [LABEL] },
    // The issue may exist although its answer was lost, so the next attempt reads before it opens one again.
    request: { retries: 0 },
  });
  return { kind: 'opened', url: data.html_url };
}

/** @param again whether an earlier attempt may have opened the issue */
async function update(
  octokit: Octokit,
  { owner, repo, title, run, news }: NightIssueRequest,
  own: OwnIssue,
  { known, concerns, body }: Content,
  again: boolean,
): Promise<NightIssueResult> {
  const { number: issue_number, html_url: url } = own;
  const [, theirs] = lineMarks(own.body);
  if (run !== undefined && relationTo(run, theirs) === 'newer') return { kind: 'outdated', url };
  // The issue was opened, and its answer was lost.
  if (again && own.body === body) return { kind: 'opened', url };
  const isNew = concerns.filter((name) => !known.some((old) => isSame(old, name)));
  const closed = own.state === 'closed';
  if (closed && isNew.length === 0) {
    // A concern that is over counts as new if it comes back.
    if (known.length !== concerns.length)
      await octokit.rest.issues.update({ owner, repo, issue_number, body });
    return { kind: 'none' };
  }
  const state = concerns.length === 0 ? 'closed' : 'open';
  await octokit.rest.issues.update({ owner, repo, issue_number, title, body, state });
  if (isNew.length > 0)
    await octokit.rest.issues.createComment({
      ...{ owner, repo, issue_number, body: news(isNew) },
      request: { retries: 0 },
    });
  return { kind: state === 'closed' ? 'closed' : closed ? 'reopened' : 'updated', url };
}

const prefixOf = (configuration: string) => `<!-- pacegate-nights:${configuration}`;

/** A name may contain the end of an HTML comment. */
const markerOf = (configuration: string, concerns: readonly string[]) =>
  `${[prefixOf(configuration), ...concerns.map(encodeURIComponent)].join(' ')} -->`;

const lineMarks = (body: string | null | undefined): readonly (string | undefined)[] => {
  const [first, second] = (body ?? '').split('\n').map((line) => line.trim());
  return [first, /^<!-- (pacegate-run:\S+) -->$/.exec(second ?? '')?.[1]];
};

function concernsIn(body: string | null | undefined, configuration: string): readonly string[] {
  const [first = ''] = lineMarks(body);
  return first
    .slice(prefixOf(configuration).length)
    .replace(/-->$/, '')
    .split(' ')
    .filter((name) => name !== '')
    .flatMap((name) => {
      try {
        return [decodeURIComponent(name)];
      } catch {
        return [];
      }
    });
}

/**
 * Whether two names are one concern. Each further night locates a level shift better, so its night may move by some
 * days.
 */
function isSame(old: string, name: string): boolean {
  const dated = /^(shift .*) (\d{4}-\d\d-\d\d)$/s;
  const [, row, day] = dated.exec(name) ?? [];
  const [, oldRow, oldDay] = dated.exec(old) ?? [];
  if (row === undefined || oldRow === undefined) return old === name;
  return (
    row === oldRow && Math.abs(Date.parse(day ?? '') - Date.parse(oldDay ?? '')) <= SAME_DAYS * 86_400_000
  );
}

const SAME_DAYS = 7;

type OwnIssue = NonNullable<Awaited<ReturnType<typeof findOwn>>>;

/** Our issue, open or closed, if there is one. Anyone can copy the marker, so the author must be us. */
async function findOwn(octokit: Octokit, { owner, repo, configuration }: NightIssueRequest) {
  const issues = await octokit.paginate(octokit.rest.issues.listForRepo, {
    ...{ owner, repo, state: 'all', labels: LABEL, per_page: 100 },
  });
  const prefix = prefixOf(configuration);
  const marked = issues.filter(({ body, pull_request }) => {
    const [first] = lineMarks(body);
    return pull_request === undefined && first?.startsWith(`${prefix} `) === true;
  });
  if (marked.length === 0) return undefined;
  const own = await ownLogin(
    octokit,
    marked.flatMap(({ user }) => (user === null ? [] : [user.login])),
  );
  // The newest first, in GitHub's order.
  return marked.find(({ user }) => user?.login === own);
}
