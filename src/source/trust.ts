import { tryGit } from '../process/git.ts';
import { branchesOf, defaultBranch, fetchBranch, isOnBranch, type FetchRequest } from './fetch.ts';
import { isPullRequest } from '../session/event.ts';
import { resolveCommit } from './sides.ts';

/**
 * Who vouches for a checkout's own configuration. This depends on the commit. An event's name says who started the run,
 * and not whose files were checked out.
 */
export type Standing =
  /** The user's own terminal. */
  | { readonly kind: 'own' }
  /** The commit is on a branch of which the maintainers accepted every commit. */
  | { readonly kind: 'trusted'; readonly branch: string }
  /** A change that the maintainers have not accepted, such as a pull request. The event does not matter. */
  | {
      readonly kind: 'change';
      /** Why the commit is not trusted, if the event does not make it clear. */
      readonly reason?: string;
      /** The branch that the change presumably starts from; undefined if the event names the base. */
      readonly branch?: string;
    };

export interface TrustRequest extends FetchRequest {
  /** `terminal`, `push`, `workflow_run`, … */
  readonly event: string;
  /** From the event; if it is undefined, the remote is asked. */
  readonly defaultBranch?: string | undefined;
  /**
   * Reads the patterns of further trusted branches from the configuration at the default branch's tip.
   * @param tip the tip's commit, readable here
   */
  readonly listed: (tip: string) => Promise<readonly string[]>;
}

/**
 * Asks git whether the checkout's commit is on the default branch, or on a branch that the default branch's
 * configuration lists. If git cannot answer, the commit is not trusted.
 */
export async function standingOf(request: TrustRequest): Promise<Standing> {
  const { directory, event } = request;
  if (event === 'terminal') return { kind: 'own' };
  if (isPullRequest(event)) return { kind: 'change' };
  const { commit } = await resolveCommit(directory);
  const found =
    request.defaultBranch === undefined ? await defaultBranch(request) : { branch: request.defaultBranch };
  if ('missing' in found)
    return { kind: 'change', reason: `the default branch could not be determined (${found.missing})` };
  const { branch } = found;
  const change = (reason: string): Standing => ({ kind: 'change', branch, reason });
  const main = await isOnBranch(request, commit, branch);
  if (main === true) return { kind: 'trusted', branch };
  if (main !== false)
    return change(
      `whether ${commit.slice(0, 10)} is on the default branch ${branch} could not be determined (${main.unknown})`,
    );
  const nowhere = `${commit.slice(0, 10)} is not on the default branch ${branch}`;
  const tip = await fetchBranch(request, branch);
  if ('missing' in tip)
    return change(`${nowhere}, and its trust.branches could not be read (${tip.missing})`);
  const patterns = await request.listed(tip.commit);
  if (patterns.length === 0) return change(nowhere);
  const listed = await branchesOf(request);
  const names =
    'missing' in listed
      ? []
      : listed.branches.filter((name) => patterns.some((pattern) => matches(pattern, name)));
  for (const name of names)
    if ((await isOnBranch(request, commit, name)) === true) return { kind: 'trusted', branch: name };
  return change(
    `${nowhere}, nor on a branch of trust.branches (${patterns.join(', ')}${names.length === 0 ? ': none exists' : ''})`,
  );
}

/** Matches as GitHub's branch filters do: `*` matches anything but a slash, `**` matches anything. */
export function matches(pattern: string, branch: string): boolean {
  // Tracks the positions of the name that the pattern's parts can reach. A regular expression with many stars could
  // take exponential time.
  let reached = new Set([0]);
  for (const part of pattern.split(/(\*\*|\*)/)) {
    const next = new Set<number>();
    for (const at of reached) {
      if (part !== '*' && part !== '**') {
        if (branch.startsWith(part, at)) next.add(at + part.length);
        continue;
      }
      for (let end = at; end <= branch.length && !next.has(end); end++) {
        next.add(end);
        if (part === '*' && branch[end] === '/') break;
      }
    }
    reached = next;
  }
  return reached.has(branch.length);
}

/** The repository that a job belongs to, from its runner. */
export interface JobRepository {
  /** `owner/name`. */
  readonly name: string;
  /** `https://github.com`, or a company's own server. */
  readonly serverUrl: string;
}

/**
 * The remote of the job's own repository. In a checkout of a fork, `origin` is the fork, and the maintainers have not
 * accepted the commits of its main branch. An origin on this machine is a mirror that the runner's owner set up.
 *
 * @returns `origin` if it is the job's repository, else the repository's address
 */
export async function upstreamOf(directory: string, repository: JobRepository | undefined): Promise<string> {
  if (repository === undefined) return 'origin';
  const { status, stdout } = await tryGit(directory, ['config', '--get', 'remote.origin.url']);
  const origin = stdout.trim();
  const { name, serverUrl } = repository;
  if (status === 0 && (isLocal(origin) || isAt(origin, new URL(serverUrl).hostname, name))) return 'origin';
  return `${serverUrl.replace(/\/$/, '')}/${name}.git`;
}

const isLocal = (address: string) => /^(file:\/\/|\.{0,2}\/)/.test(address);

/** Matches `https://host/owner/name.git`, `ssh://git@host/owner/name` and `git@host:owner/name`. */
function isAt(address: string, host: string, name: string): boolean {
  const [, foundHost = '', path = ''] =
    /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?([^/:]+)(?::\d+(?=\/))?[/:](.+?)(?:\.git)?\/?$/i.exec(address) ?? [];
  return (
    foundHost.toLowerCase() === host.toLowerCase() &&
    path.replace(/^\/+/, '').toLowerCase() === name.toLowerCase()
  );
}
