import type { Description } from './openapi.test-support.ts';

/** What the local GitHub of the tests stores, and the shape of its answers. */

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

/** The status of a commit. */
export interface StoredStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly target_url: string;
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

/** Everything that one server stores. */
export interface GitHubState {
  readonly comments: StoredComment[];
  readonly checks: StoredCheck[];
  readonly pulls: StoredPull[];
  readonly artifacts: StoredArtifact[];
  readonly issues: StoredIssue[];
  readonly labellings: StoredLabelling[];
  /** The statuses of commits, the newest last. */
  readonly statuses: StoredStatus[];
  readonly runs: StoredRun[];
}

export const emptyState = (): GitHubState => ({
  comments: [],
  checks: [],
  pulls: [],
  artifacts: [],
  issues: [],
  labellings: [],
  statuses: [],
  runs: [],
});

/** What the answers to a call are made of. */
export interface Api {
  readonly state: GitHubState;
  /** The login of the token's owner. */
  readonly login: string;
  readonly description: Description;
}

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly link?: string | undefined;
}

export const NOT_FOUND: Answer = { status: 404, body: { message: 'Not Found' } };
