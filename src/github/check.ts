import { isPassing, reasonOf, refusalOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { MARK, relationTo, type RunMark } from './run-mark.ts';

/** Writes a configuration's check on a commit. A branch rule can require this check. */

export type Conclusion = 'success' | 'failure' | 'neutral';

/** A sentence that GitHub shows at a line of the change. */
export interface Annotation {
  /** A file's path from the top of the repository. */
  readonly path: string;
  readonly line: number;
  readonly title: string;
  readonly message: string;
}

export interface CheckOutput {
  readonly title: string;
  readonly summary: string;
  /** The report as Markdown, at most 65,535 characters. */
  readonly text: string;
  readonly annotations: readonly Annotation[];
}

export interface CheckRequest {
  readonly owner: string;
  readonly repo: string;
  /** The commit: a pull request's head, not its merge commit. */
  readonly commit: string;
  readonly name: string;
  /** The job that writes; undefined if the runner does not name the run. */
  readonly run: RunMark | undefined;
  /** Whether several jobs of a run write the check, one after the other. */
  readonly shared?: boolean;
  readonly conclusion: Conclusion;
  readonly output: CheckOutput;
  /** The address of the run. */
  readonly detailsUrl?: string;
}

export type CheckResult =
  | { readonly kind: 'created' | 'updated'; readonly url: string }
  /** A newer run has written it, and its verdict applies. */
  | { readonly kind: 'outdated'; readonly url: string }
  /** Another job of this run has written it, and its verdict would be lost. */
  | { readonly kind: 'twice' }
  /** GitHub refused the check. The verdict stays the same. `forbidden`: only the token's permission is missing. */
  | { readonly kind: 'refused'; readonly forbidden: boolean; readonly reason: string };

/** GitHub's limit for one request. */
const MOST_ANNOTATIONS = 50;
/** The maximum number of read-write rounds. Each other run that ends at the same moment costs one or two. */
const MOST_ROUNDS = 12;

/**
 * Writes the check of a commit and configuration. An older run never overwrites the result of a newer one.
 *
 * GitHub has no conditional write, so a run that edits another run's check can overwrite a newer result that came
 * between its read and its write. Each run therefore creates a check of its own and writes its result nowhere else
 * before that. Nothing older replaces this check, so every later read finds the newest run. After each write a run reads
 * again, and gives every check of the commit the result of the newest run that it finds. All checks of a commit then show
 * the same result, in whatever order the requests of several runs arrive.
 *
 * Never throws for GitHub's answers: a token that may not write checks is a result.
 */
export async function upsertCheck(octokit: Octokit, request: CheckRequest): Promise<CheckResult> {
  const { owner, repo, commit } = request;
  const written: Written = { result: undefined };
  try {
    return request.run === undefined
      ? await writeUnnumbered(octokit, request, written)
      : await writeNumbered(octokit, request, request.run, written);
  } catch (error) {
    // The check is written, although the read after the write failed.
    if (written.result !== undefined) return written.result;
    return {
      kind: 'refused',
      forbidden: refusalOf(error) === 'permission',
      reason: reasonOf(error, {
        deed: 'write checks',
        target: `${owner}/${repo}@${commit.slice(0, 10)}`,
        permission: 'checks: write',
      }),
    };
  }
}

/** What was written so far; it is known although a later request fails. */
interface Written {
  result: { readonly kind: 'created' | 'updated'; readonly url: string } | undefined;
}

async function writeNumbered(
  octokit: Octokit,
  request: CheckRequest,
  { id }: RunMark,
  written: Written,
): Promise<CheckResult> {
  let failures = 0;
  for (let round = 1; ; round += 1) {
    const ours = await findOurs(octokit, request);
    const related = ours.map((check) => ({ check, relation: relationTo({ id }, check.external_id) }));
    const newer = newest(related.filter(({ relation }) => relation === 'newer').map(({ check }) => check));
    if (newer !== undefined) {
      // A branch rule must not read our result, nor what we wrote over a check of an older run.
      const behind =
        written.result === undefined
          ? []
          : ours.filter(({ external_id }) => external_id !== newer.external_id);
      await writeAll(octokit, request, behind, copyOf(newer));
      if (behind.length === 0 || round >= MOST_ROUNDS) return { kind: 'outdated', url: newer.html_url ?? '' };
      continue;
    }
    const siblings = related.filter(({ relation }) => relation === 'sibling');
    if (request.shared !== true && siblings.length > 0) return { kind: 'twice' };
    const own = ours.find(({ external_id }) => external_id === id);
    const [sibling] = siblings;
    if (own === undefined && sibling !== undefined) {
      // The earlier job of this run has ended and no longer writes its check.
      await writeAll(octokit, request, [sibling.check], contentOf(request, id));
      written.result = { kind: 'updated', url: sibling.check.html_url ?? '' };
      continue;
    }
    if (own !== undefined) {
      written.result ??= { kind: 'created', url: own.html_url ?? '' };
      const stale = ours.filter(({ external_id }) => external_id !== id);
      if (stale.length === 0 || round >= MOST_ROUNDS) return written.result;
      await writeAll(octokit, request, stale, contentOf(request, id));
      continue;
    }
    try {
      written.result = { kind: 'created', url: await create(octokit, request, id) };
    } catch (error) {
      failures += 1;
      if (failures === MOST_POSTS || !isPassing(error)) throw error;
    }
  }
}

/** Where the runner does not number its runs, the last one to write decides: it edits the check, or creates it. */
async function writeUnnumbered(
  octokit: Octokit,
  request: CheckRequest,
  written: Written,
): Promise<CheckResult> {
  const id = `${MARK}unknown`;
  for (let failures = 0; ;) {
    const ours = await findOurs(octokit, request);
    await writeAll(octokit, request, ours, contentOf(request, id));
    const [first] = ours;
    if (first !== undefined) return (written.result = { kind: 'updated', url: first.html_url ?? '' });
    try {
      return (written.result = { kind: 'created', url: await create(octokit, request, id) });
    } catch (error) {
      failures += 1;
      if (failures === MOST_POSTS || !isPassing(error)) throw error;
    }
  }
}

/** @returns the check's address */
async function create(octokit: Octokit, request: CheckRequest, id: string): Promise<string> {
  const { owner, repo, commit } = request;
  const { data } = await octokit.rest.checks.create({
    ...{ owner, repo, head_sha: commit, ...contentOf(request, id) },
    // The check may exist although its answer was lost, so the next round reads before it creates again.
    request: { retries: 0 },
  });
  return data.html_url ?? '';
}

async function writeAll(
  octokit: Octokit,
  { owner, repo }: CheckRequest,
  checks: readonly FoundCheck[],
  content: ReturnType<typeof contentOf> | ReturnType<typeof copyOf>,
): Promise<void> {
  for (const { id } of checks)
    await octokit.rest.checks.update({ owner, repo, check_run_id: id, ...content });
}

const MOST_POSTS = 3;

interface FoundCheck {
  readonly id: number;
  readonly external_id: string | null;
  readonly html_url: string | null;
  readonly conclusion: string | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
  };
}

/** Finds our checks by their mark, because a job may have the check's name. */
async function findOurs(
  octokit: Octokit,
  { owner, repo, commit, name }: CheckRequest,
): Promise<readonly FoundCheck[]> {
  const found = await octokit.paginate(octokit.rest.checks.listForRef, {
    ...{ owner, repo, ref: commit, check_name: name, filter: 'all', per_page: 100 },
  });
  return found.filter(({ external_id }) => external_id?.startsWith(MARK) === true);
}

const newest = (checks: readonly FoundCheck[]): FoundCheck | undefined =>
  checks.reduce<FoundCheck | undefined>(
    (best, check) =>
      best === undefined || relationTo({ id: best.external_id ?? '' }, check.external_id) === 'newer'
        ? check
        : best,
    undefined,
  );

const contentOf = ({ name, conclusion, output, detailsUrl }: CheckRequest, id: string) => ({
  name,
  status: 'completed' as const,
  conclusion,
  external_id: id,
  ...(detailsUrl === undefined ? {} : { details_url: detailsUrl }),
  output: {
    title: output.title,
    summary: output.summary,
    text: output.text,
    annotations: output.annotations.slice(0, MOST_ANNOTATIONS).map(({ path, line, title, message }) => ({
      path,
      start_line: line,
      end_line: line,
      annotation_level: 'failure' as const,
      title,
      message,
    })),
  },
});

/** The content of another run's check, to copy into ours. */
const copyOf = ({ external_id, conclusion, output: { title, summary, text } }: FoundCheck) => ({
  status: 'completed' as const,
  conclusion: (conclusion ?? 'failure') as Conclusion,
  external_id: external_id ?? '',
  output: { title: title ?? '', summary: summary ?? '', text: text ?? '' },
});
