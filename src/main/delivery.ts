import * as core from '@actions/core';
import type { Comparison } from '../verdict/comparison.ts';
import { uploadArtifact, type IfExists } from '../github/artifact.ts';
import { upsertCheck, type CheckRequest } from '../github/check.ts';
import { connect } from '../github/client.ts';
import { writeCommitStatus } from '../github/commit-status.ts';
import { upsertComment, type CommentRequest } from '../github/comment.ts';
import { checkLabel, type LabelResult } from '../github/acceptance.ts';
import { ACCEPTING_LABEL, isForgejo, type Accepting, type EventContext } from '../github/context.ts';
import type { Inputs } from '../github/inputs.ts';
import { upsertNightIssue, type NightIssueRequest } from '../github/night-issue.ts';
import { forRunner, oneLine, printable } from '../report/escape.ts';
import { change, metricWords, quantity } from '../report/verdict-wording.ts';
import { PROFILES_FOLDER, RESULT_FILES, type OutFolder } from '../out-folder/out-folder.ts';
import type { ProgressLog } from '../pipeline/measurement-progress.ts';

/** Writes the log to the runner. It has no foldable groups, because people read a failed job from its end. */
const log: ProgressLog = {
  info: (line) => core.info(forRunner(printable(line))),
  warn: (line) => core.warning(printable(line)),
  step: (title) => core.info(`\u001b[1m${forRunner(printable(title))}\u001b[0m`),
  transient: () => undefined,
};

/** The output to the runner. */
export const runner = {
  log,
  state: (name: string) => core.getState(name),
  saveState: (name: string, value: string) => core.saveState(name, value),
  output: (name: string, value: string) => core.setOutput(name, value),
  /** The job's error annotation, with all that a person needs. */
  fail: (message: string) => core.error(printable(message), { title: 'Pacegate' }),
};

export interface Uploaded {
  readonly id?: number;
  readonly url?: string;
  /** Another job of this run has an artifact of this name. */
  readonly taken?: true;
  /** The server does not take artifacts of this version. */
  readonly unsupported?: true;
  /** Sentences for the report if the upload failed. */
  readonly remarks: readonly string[];
}

/**
 * Uploads the files of a run. A failure does not change the verdict.
 * @param inside folders in the run's folder with the files of a second session
 * @param ifExists what to do if another artifact of the workflow's run has the name
 */
export async function upload(
  name: string,
  out: OutFolder,
  event: EventContext,
  inside: readonly OutFolder[] = [],
  ifExists: IfExists = 'rename',
): Promise<Uploaded> {
  if (name === 'none') return { remarks: [] };
  const files = (
    await Promise.all(
      [out, ...inside].map(async (folder) => [
        ...(await folder.existing(RESULT_FILES)),
        ...folder.writtenInto(PROFILES_FOLDER),
      ]),
    )
  ).flat();
  const result = await uploadArtifact({ name, files, folder: out.path, ifExists });
  if (result.kind === 'taken') return { taken: true, remarks: [] };
  if (result.kind === 'uploaded')
    return { id: result.id, url: `${event.runUrl}/artifacts/${result.id}`, remarks: [] };
  if (result.kind === 'unsupported') {
    log.warn(`No artifact was uploaded: ${result.reason}. The files are in ${out.path}.`);
    return { unsupported: true, remarks: [`No artifact was uploaded: ${result.reason}.`] };
  }
  log.warn(`The artifact could not be uploaded: ${result.reason}. The files are in ${out.path}.`);
  return { remarks: [`The raw timings could not be uploaded as an artifact: ${result.reason}`] };
}

export interface Commented {
  readonly url?: string;
  /** Another job of this run has written the comment. */
  readonly twice?: boolean;
  readonly remarks: readonly string[];
}

/** Whether the label on the pull request accepts its commit. */
export async function checkAccepting(
  accepting: Accepting,
  { githubToken }: Pick<Inputs, 'githubToken'>,
  { owner, repo, apiUrl }: Pick<EventContext, 'owner' | 'repo' | 'apiUrl'>,
  signal: AbortSignal,
): Promise<LabelResult> {
  if (githubToken === undefined)
    return {
      kind: 'refused',
      reason: `${accepting.author} put the label "${ACCEPTING_LABEL}" on this pull request, but the label accepts nothing: the input github-token is empty, so Pacegate could not ask GitHub for the permission of ${accepting.author}.`,
    };
  return await checkLabel(await connect(githubToken, apiUrl, { signal }), { owner, repo, accepting });
}

/** Where a verdict is posted: on a pull request, on a commit, or nowhere. */
export interface PostTarget {
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  /** The pull request's number. */
  readonly number: number | undefined;
  /** The commit on which a required check must be. */
  readonly commit: string | undefined;
  /**
   * Whether the token is read-only in spite of the job's permissions: for a pull request of a fork or of Dependabot.
   */
  readonly readOnly: boolean;
}

/** The event's own pull request or merge group. */
export const targetOf = ({
  owner,
  repo,
  apiUrl,
  pullRequest,
  checked,
  readOnlyToken,
}: EventContext): PostTarget => ({
  ...{ owner, repo, apiUrl, number: pullRequest?.number, commit: checked, readOnly: readOnlyToken },
});

/** Writes the comment, if there is a pull request and a token. */
export async function postComment(
  { comment, githubToken }: Pick<Inputs, 'comment' | 'githubToken'>,
  { number, owner, repo, apiUrl, readOnly }: PostTarget,
  written: Pick<CommentRequest, 'marker' | 'formerMarker' | 'run' | 'shared' | 'body'> & {
    /** Whether a verdict is not `unchanged`. */
    readonly news: boolean;
  },
  signal: AbortSignal,
): Promise<Commented> {
  if (comment === 'false' || number === undefined) return { remarks: [] };
  if (githubToken === undefined) {
    log.info('No comment was written: the input github-token is empty.');
    return { remarks: ['No comment was written: the input github-token is empty.'] };
  }
  const { news, ...request } = written;
  const octokit = await connect(githubToken, apiUrl, { signal });
  const result = await upsertComment(octokit, {
    ...{ owner, repo, number, ...request },
    editOnly: comment === 'changes' && !news,
  });
  switch (result.kind) {
    case 'twice':
      return { remarks: [], twice: true };
    case 'outdated':
      log.info(`The comment was not changed: a newer run wrote it (${result.url}).`);
      return { url: result.url, remarks: [] };
    case 'none':
      log.info('No comment was written: nothing changed, and the input comment is changes.');
      return { remarks: [] };
    case 'created':
    case 'updated':
    case 'unchanged':
      log.info(`The comment was ${result.kind}: ${result.url}`);
      return { url: result.url, remarks: [] };
    case 'refused': {
      const words = `No comment was written: ${result.reason}. The verdict stands; the job's summary holds the report.`;
      // For a fork this is expected, so it is no warning.
      if (readOnly) log.info(`${words} ${REPORT_WORKFLOW}`);
      else log.warn(words);
      return { remarks: [`No comment was written: ${result.reason}.`] };
    }
  }
}

const REPORT_WORKFLOW =
  'The workflow examples/report.yml posts the comment and the check of such pull requests.';

export interface Checked {
  readonly url?: string;
  /** Another job of this run has written the check. */
  readonly twice?: boolean;
  readonly remarks: readonly string[];
}

/** Writes the check, if there is a commit and a token. */
export async function postCheck(
  { check, githubToken }: Pick<Inputs, 'check' | 'githubToken'>,
  { commit, owner, repo, apiUrl, readOnly }: PostTarget,
  written: Pick<CheckRequest, 'name' | 'run' | 'shared' | 'conclusion' | 'output' | 'detailsUrl'>,
  signal: AbortSignal,
): Promise<Checked> {
  if (!check || commit === undefined) return { remarks: [] };
  if (githubToken === undefined) {
    log.info(`No check "${written.name}" was written: the input github-token is empty.`);
    return { remarks: [] };
  }
  const octokit = await connect(githubToken, apiUrl, { signal });
  const write = isForgejo(apiUrl) ? writeCommitStatus : upsertCheck;
  const result = await write(octokit, { owner, repo, commit, ...written });
  switch (result.kind) {
    case 'twice':
      return { remarks: [], twice: true };
    case 'outdated':
      log.info(`The check was not changed: a newer run wrote it (${result.url}).`);
      return { url: result.url, remarks: [] };
    case 'created':
    case 'updated':
      log.info(`The check "${written.name}" was ${result.kind} (${written.conclusion}): ${result.url}`);
      return { url: result.url, remarks: [] };
    case 'refused': {
      const words = `No check was written: ${result.reason}. The verdict stands.`;
      // A job without the permission does not use checks. The log explains how to enable them.
      if (result.forbidden) log.info(`${words}${readOnly ? ` ${REPORT_WORKFLOW}` : ''}`);
      else log.warn(words);
      return { remarks: result.forbidden ? [] : [`No check was written: ${result.reason}.`] };
    }
  }
}

/** Maintains the issue of a configuration's nights, if the token allows it. */
export async function postNightIssue(
  { issue, githubToken }: Pick<Inputs, 'issue' | 'githubToken'>,
  { owner, repo, apiUrl }: Pick<EventContext, 'owner' | 'repo' | 'apiUrl'>,
  written: Omit<NightIssueRequest, 'owner' | 'repo'>,
  signal: AbortSignal,
): Promise<void> {
  if (!issue) return;
  if (githubToken === undefined) {
    log.info('No issue of the nights was written: the input github-token is empty.');
    return;
  }
  const result = await upsertNightIssue(await connect(githubToken, apiUrl, { signal }), {
    ...{ owner, repo, ...written },
  });
  switch (result.kind) {
    case 'none':
      return;
    case 'outdated':
      log.info(`The issue was not changed: a newer run wrote it (${result.url}).`);
      return;
    case 'opened':
    case 'updated':
    case 'reopened':
    case 'closed':
      log.info(`The issue of the nights was ${result.kind}: ${result.url}`);
      return;
    case 'refused': {
      const words = `No issue was written: ${result.reason}. What the night found is in its summary.`;
      // A job without the permission does not use the issue.
      if (result.forbidden) log.info(words);
      else log.warn(words);
    }
  }
}

/**
 * Writes the job's summary. GitHub rejects more than 1 MiB, and the report is much shorter. Other runners may have no
 * summary.
 */
export async function writeSummary(markdown: string): Promise<void> {
  if ((process.env['GITHUB_STEP_SUMMARY'] ?? '') === '') return;
  await core.summary.addRaw(markdown, true).write();
}

/**
 * GitHub shows at most ten annotations of a kind in a step: nine regressions, the largest first, and the number of
 * others.
 */
const MOST_ANNOTATIONS = 9;

/** One annotation for each row that regressed or is over its limit. */
export function annotate({ rows }: Comparison): void {
  const size = (estimate: number | null) => Math.abs(Math.log1p(estimate ?? 0));
  const regressed = rows
    .filter(({ verdict }) => verdict === 'regressed' || verdict === 'over_limit')
    .sort((a, b) => size(b.change.estimate) - size(a.change.estimate));
  for (const row of regressed.slice(0, MOST_ANNOTATIONS))
    core.error(
      `${oneLine(row.variant)}: ${oneLine(metricWords(row.metric))} ${change(row)}, from ${quantity(row.baseline.median, row.unit)} to ${quantity(row.head.median, row.unit)}`,
      {
        title: `Pacegate: ${oneLine(row.variant)} ${row.verdict === 'regressed' ? 'regressed' : 'is over its limit'}`,
      },
    );
  if (regressed.length > MOST_ANNOTATIONS)
    core.error(`${regressed.length - MOST_ANNOTATIONS} more rows regressed; the summary lists all of them.`, {
      title: 'Pacegate',
    });
}
