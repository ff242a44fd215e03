import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { GitHubError } from '../errors/errors.ts';
import { own } from '../session/record.ts';
import { parseJson } from '../session/json.ts';

/** The event, read from the runner's environment and the event's file. No value is assumed. */
export interface EventContext {
  /** `pull_request`, `push`, `schedule`, `workflow_dispatch`… */
  readonly event: string;
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  readonly serverUrl: string;
  /** The address of the run. */
  readonly runUrl: string;
  readonly pullRequest: PullRequest | undefined;
  /** The commit that a merge queue's group starts from. */
  readonly mergeBase: string | undefined;
  /**
   * The merge commit that GitHub made for the pull request. Undefined if the runner's commit is the head itself, as on
   * Forgejo: its author chooses the parents.
   */
  readonly mergeSha: string | undefined;
  /** The commit on which a required check must be: a pull request's head, or a merge queue's group. */
  readonly checked: string | undefined;
  /** The commit before a push. */
  readonly before: string | undefined;
  /** The event's commit from the runner: for a pull request, the merge commit that GitHub made. */
  readonly sha: string | undefined;
  /** Whether the job's token is read-only: a pull request from a fork, or from Dependabot. */
  readonly readOnlyToken: boolean;
  /** The repository's default branch; undefined if the event does not name it. */
  readonly defaultBranch: string | undefined;
  /** Event `workflow_run`: the run that ended. */
  readonly triggeredBy: TriggeringRun | undefined;
  /** Set if the event is the addition of the accepting label to the pull request. */
  readonly accepting: Accepting | undefined;
}

/** A maintainer adds this label to accept a pull request's current commit. */
export const ACCEPTING_LABEL = 'pacegate: accepted';

/** The addition of the accepting label. GitHub decides whether the person may accept: see acceptance.ts. */
export interface Accepting {
  readonly author: string;
  /** The head's commit when the label was added. The label does not accept newer commits. */
  readonly commit: string;
}

/** A run that ended. A stranger may have chosen the names of its branch and repository. */
export interface TriggeringRun {
  readonly id: number;
  readonly attempt: number;
  /** The event that started it: `pull_request`. */
  readonly event: string;
  readonly headSha: string;
  readonly headBranch: string;
  /** `owner/name`; empty if the repository was deleted. */
  readonly headRepository: string;
  /** The number of its workflow; undefined if the event does not name it. */
  readonly workflow: number | undefined;
}

export interface PullRequest {
  readonly number: number;
  readonly baseRef: string;
  /** Whether the run is of a fork: its token is read-only, and its files come from a stranger. */
  readonly fromFork: boolean;
}

const payloadSchema = z.object({
  action: z.string().optional(),
  label: z.object({ name: z.string() }).optional(),
  sender: z.object({ login: z.string() }).optional(),
  before: z.string().optional(),
  merge_group: z.object({ base_sha: z.string(), head_sha: z.string().optional() }).optional(),
  pull_request: z
    .object({
      number: z.int().positive(),
      base: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }) }),
      // A deleted fork is null.
      head: z.object({ sha: z.string().optional(), repo: z.object({ full_name: z.string() }).nullable() }),
    })
    .optional(),
  workflow_run: z
    .object({
      id: z.int().positive(),
      run_attempt: z.int().positive().optional(),
      workflow_id: z.int().positive().optional(),
      event: z.string(),
      head_sha: z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/),
      head_branch: z.string().nullable(),
      head_repository: z.object({ full_name: z.string() }).nullable(),
    })
    .optional(),
  repository: z.object({ default_branch: z.string().optional() }).optional(),
});

/**
 * Reads the runner's environment.
 * @throws GitHubError with the name of a missing or wrong variable, or the place in the payload
 */
export function parseEvent(
  environment: Readonly<Record<string, string | undefined>>,
  payloadText: string,
): EventContext {
  const need = (name: string) => {
    const value = own(environment, name);
    if (value === undefined || value === '')
      throw new GitHubError(
        `The environment has no ${name}: is this a runner's job? On a terminal use the command.`,
      );
    return value;
  };
  const [owner = '', repo = ''] = need('GITHUB_REPOSITORY').split('/');
  const payload = payloadSchema.safeParse(parseJson(payloadText));
  if (!payload.success) {
    const [issue] = payload.error.issues;
    throw new GitHubError(
      `The event's payload (GITHUB_EVENT_PATH) is not what GitHub sends: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const { pull_request: pull, merge_group, before, repository } = payload.data;
  const fromFork = pull !== undefined && pull.head.repo?.full_name !== pull.base.repo.full_name;
  const serverUrl = environment['GITHUB_SERVER_URL'] ?? 'https://github.com';
  return {
    event: need('GITHUB_EVENT_NAME'),
    owner,
    repo,
    apiUrl: environment['GITHUB_API_URL'] ?? 'https://api.github.com',
    serverUrl,
    runUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${environment['GITHUB_RUN_ID'] ?? ''}`,
    pullRequest:
      pull === undefined
        ? undefined
        : {
            number: pull.number,
            baseRef: pull.base.ref,
            fromFork,
          },
    mergeBase: merge_group?.base_sha,
    mergeSha:
      pull === undefined || environment['GITHUB_SHA'] === pull.head.sha
        ? undefined
        : environment['GITHUB_SHA'],
    checked: pull?.head.sha ?? merge_group?.head_sha,
    before,
    sha: environment['GITHUB_SHA'],
    readOnlyToken: fromFork || (pull !== undefined && environment['GITHUB_ACTOR'] === 'dependabot[bot]'),
    defaultBranch: repository?.default_branch,
    triggeredBy: triggeringOf(payload.data),
    accepting: acceptingOf(payload.data),
  };
}

function triggeringOf({ workflow_run: run }: z.infer<typeof payloadSchema>): TriggeringRun | undefined {
  return run === undefined
    ? undefined
    : {
        ...{ id: run.id, attempt: run.run_attempt ?? 1, event: run.event, headSha: run.head_sha },
        ...{ headBranch: run.head_branch ?? '', headRepository: run.head_repository?.full_name ?? '' },
        workflow: run.workflow_id,
      };
}

function acceptingOf({
  action,
  label,
  sender,
  pull_request,
}: z.infer<typeof payloadSchema>): Accepting | undefined {
  const commit = pull_request?.head.sha;
  if (action !== 'labeled' || label?.name !== ACCEPTING_LABEL || commit === undefined || sender === undefined)
    return undefined;
  return { author: sender.login, commit };
}

/** Whether a server is Forgejo or Gitea. Their API has version 1, and GitHub's and GHES's has 3 or none. */
export const isForgejo = (apiUrl: string): boolean => /\/api\/v1\/?$/.test(apiUrl);

/** The event of this job. */
export async function readEvent(): Promise<EventContext> {
  const path = process.env['GITHUB_EVENT_PATH'];
  const text = path === undefined || path === '' ? '{}' : await readFile(path, 'utf8').catch(() => '{}');
  return parseEvent(process.env, text);
}
