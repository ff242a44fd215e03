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
/** The maximum number of read-write rounds. Two runs that end at the same moment need two. */
const MOST_ROUNDS = 5;

/**
 * Writes the check of a commit and configuration: updates it or creates it. An older run never overwrites the result of
 * a newer one. After the write it reads the checks again: if two runs end at the same moment and both create the check,
 * both checks get the result of the newer run.
 *
 * Never throws for GitHub's answers: a token that may not write checks is a result.
 */
export async function upsertCheck(octokit: Octokit, request: CheckRequest): Promise<CheckResult> {
  const { owner, repo, commit, run } = request;
  const id = run?.id ?? `${MARK}unknown`;
  let written: { readonly kind: 'created' | 'updated'; readonly url: string } | undefined;
  let failures = 0;
  try {
    for (let round = 1; ; round += 1) {
      const ours = await findOurs(octokit, request);
      const relations = ours.map((check) => ({ check, relation: relationTo({ id }, check.external_id) }));
      const newer = newest(
        relations.filter(({ relation }) => relation === 'newer').map(({ check }) => check),
      );
      if (newer !== undefined) {
        // Our check was created between the newer run's read and its write. A branch rule must not read our result.
        for (const { check, relation } of relations)
          if (relation === 'own')
            await octokit.rest.checks.update({ owner, repo, check_run_id: check.id, ...copyOf(newer) });
        return { kind: 'outdated', url: newer.html_url ?? '' };
      }
      if (request.shared !== true && relations.some(({ relation }) => relation === 'sibling'))
        return { kind: 'twice' };
      const stale = ours.filter(({ external_id }) => external_id !== id);
      const [own] = ours.filter(({ external_id }) => external_id === id);
      if (own !== undefined && run !== undefined && stale.length === 0)
        return written ?? { kind: 'created', url: own.html_url ?? '' };
      if (written !== undefined && (run === undefined || round > MOST_ROUNDS)) return written;
      if (ours.length > 0) {
        for (const { id: check_run_id, html_url } of run === undefined ? ours : stale) {
          await octokit.rest.checks.update({ owner, repo, check_run_id, ...contentOf(request, id) });
          written ??= { kind: 'updated', url: html_url ?? '' };
        }
        continue;
      }
      try {
        const { data } = await octokit.rest.checks.create({
          ...{ owner, repo, head_sha: commit, ...contentOf(request, id) },
          // The check may exist although its answer was lost, so the next round reads before it creates again.
          request: { retries: 0 },
        });
        written = { kind: 'created', url: data.html_url ?? '' };
      } catch (error) {
        failures += 1;
        if (failures === MOST_POSTS || !isPassing(error)) throw error;
      }
    }
  } catch (error) {
    // The check is written, although the read after the write failed.
    if (written !== undefined) return written;
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
