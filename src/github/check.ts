import { isPassing, reasonOf, refusalOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { MARK, relationTo, type RunMark } from './run-mark.ts';

/** Writes a configuration's check on a commit: what a branch rule can require. */

export type Conclusion = 'success' | 'failure' | 'neutral';

/** A place in the change that GitHub shows a sentence at. */
export interface Annotation {
  /** Of a file of the commit, from the top of the repository. */
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
  /** The commit: a pull request's head, and not its merge. */
  readonly commit: string;
  readonly name: string;
  /** The job that writes; undefined where the runner does not say which run it is. */
  readonly run: RunMark | undefined;
  /** Several jobs of a run write it, one after the other. */
  readonly shared?: boolean;
  readonly conclusion: Conclusion;
  readonly output: CheckOutput;
  /** Where the run can be looked at. */
  readonly detailsUrl?: string;
}

export type CheckResult =
  | { readonly kind: 'created' | 'updated'; readonly url: string }
  /** A newer run has written it: its verdict holds. */
  | { readonly kind: 'outdated'; readonly url: string }
  /** Another job of this run has written it: its verdict would be lost. */
  | { readonly kind: 'twice' }
  /** The verdict stands all the same. `forbidden`: the token may not write checks, and nothing is wrong otherwise. */
  | { readonly kind: 'refused'; readonly forbidden: boolean; readonly reason: string };

/** GitHub takes so many annotations in one request. */
const MOST_ANNOTATIONS = 50;
/** Rounds of looking and writing; two runs that end at the same moment need two. */
const MOST_ROUNDS = 5;

/**
 * Writes the check of a commit and configuration: updated where it is, created where it is not. An older run changes
 * nothing of what a newer one wrote. After it wrote, it looks again: where two runs end at the same moment and both
 * create the check, both checks come to say what the newer run found.
 *
 * Never throws for what GitHub answers: a token that may not write checks is a result.
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
        // Ours came between the newer run's look and its check: it must not be what a rule reads.
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
          // The check may be there although its answer was lost: that is looked at before it is created again.
          request: { retries: 0 },
        });
        written = { kind: 'created', url: data.html_url ?? '' };
      } catch (error) {
        failures += 1;
        if (failures === MOST_POSTS || !isPassing(error)) throw error;
      }
    }
  } catch (error) {
    // What is written is there, although GitHub did not answer when it was looked at again.
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

/** A job may have the check's name, too: ours has our mark. */
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

/** What another run's check says, so that ours says the same. */
const copyOf = ({ external_id, conclusion, output: { title, summary, text } }: FoundCheck) => ({
  status: 'completed' as const,
  conclusion: (conclusion ?? 'failure') as Conclusion,
  external_id: external_id ?? '',
  output: { title: title ?? '', summary: summary ?? '', text: text ?? '' },
});
