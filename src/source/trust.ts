import { tryGit } from '../process/git.ts';
import { branchesOf, defaultBranch, fetchBranch, isOnBranch, type FetchRequest } from './fetch.ts';
import { isPullRequest } from '../session/event.ts';
import { resolveCommit } from './sides.ts';

/**
 * On whose word a checkout's own configuration may be acted on. It is a question of the commit: an event's name says
 * who asked for the run, and not whose files were checked out.
 */
export type Standing =
  /** The user's own terminal. */
  | { readonly kind: 'own' }
  /** The commit is on a branch whose every commit the maintainers accepted. */
  | { readonly kind: 'trusted'; readonly branch: string }
  /** Somebody's change: a pull request's, whatever started the run. */
  | {
      readonly kind: 'change';
      /** Why it is not trusted, where the event alone does not say so. */
      readonly reason?: string;
      /** The branch that the change is taken to start from; undefined where the event names the base. */
      readonly branch?: string;
    };

export interface TrustRequest extends FetchRequest {
  /** `terminal`, `push`, `workflow_run`, … */
  readonly event: string;
  /** As the event has it; without it the remote is asked. */
  readonly defaultBranch?: string;
  /** The patterns of further trusted branches, as the configuration at the default branch's tip lists them. @param tip its commit, readable here */
  readonly listed: (tip: string) => Promise<readonly string[]>;
}

/**
 * Asks git whether the checkout's commit is on the default branch, or on a branch that the default branch lists. What
 * cannot be found out is not trusted.
 */
export async function standingOf(request: TrustRequest): Promise<Standing> {
  const { directory, event } = request;
  if (event === 'terminal') return { kind: 'own' };
  if (isPullRequest(event)) return { kind: 'change' };
  const { commit } = await resolveCommit(directory);
  const found =
    request.defaultBranch === undefined ? await defaultBranch(request) : { branch: request.defaultBranch };
  if ('missing' in found)
    return { kind: 'change', reason: `the default branch could not be found out (${found.missing})` };
  const { branch } = found;
  const change = (reason: string): Standing => ({ kind: 'change', branch, reason });
  const main = await isOnBranch(request, commit, branch);
  if (main === true) return { kind: 'trusted', branch };
  if (main !== false)
    return change(
      `whether ${commit.slice(0, 10)} is on the default branch ${branch} could not be found out (${main.unknown})`,
    );
  const nowhere = `${commit.slice(0, 10)} is not on the default branch ${branch}`;
  const tip = await fetchBranch(request, branch);
  if ('missing' in tip)
    return change(`${nowhere}, and what that one lists could not be read (${tip.missing})`);
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

/** As GitHub's own branch filters have it: `*` stands for anything but a slash, `**` for anything. */
export function matches(pattern: string, branch: string): boolean {
  // Up to which places of the name the pattern's parts can reach: a regular expression of many stars may take for ever.
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

/** The repository that a job belongs to, as its runner names it. */
export interface JobRepository {
  /** `owner/name`. */
  readonly name: string;
  /** `https://github.com`, or a company's own. */
  readonly serverUrl: string;
}

/**
 * Where the job's own repository is fetched from. A checkout of a fork has the fork as its `origin`, and what stands on
 * the fork's main branch nobody here has accepted. An origin on this machine is a mirror of the runner's owner.
 *
 * @returns `origin` where that is the job's repository, else its address
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

/** `https://host/owner/name.git`, `ssh://git@host/owner/name` and `git@host:owner/name`. */
function isAt(address: string, host: string, name: string): boolean {
  const [, foundHost = '', path = ''] =
    /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?([^/:]+)(?::\d+(?=\/))?[/:](.+?)(?:\.git)?\/?$/i.exec(address) ?? [];
  return (
    foundHost.toLowerCase() === host.toLowerCase() &&
    path.replace(/^\/+/, '').toLowerCase() === name.toLowerCase()
  );
}
