import type { LabelResult } from '../github/acceptance.ts';
import { hasOwnScope, withoutGitHubCacheTo } from '../plan/github-cache.ts';
import { withoutSecrets } from '../plan/base-rules.ts';
import type { Plan } from '../plan/plan.ts';
import type { Sides } from '../source/sides.ts';
import type { Standing } from '../source/trust.ts';
import type { SourcePort } from './ports.ts';
import type { Project } from './project.ts';
import { standingIn } from './standing.ts';

/** What happened, as the caller knows it: the runner's event, or a person's command. */
export interface Occasion {
  /** `pull_request`, `push`, … or `terminal`. */
  readonly event: string;
  readonly before?: string;
  readonly baseRef?: string;
  /** The merge commit that GitHub made for the pull request, to tell any other commit from it. */
  readonly mergeSha?: string;
  /** The commit that the event is about, as the runner names it (GITHUB_SHA). */
  readonly sha?: string;
  /** The repository's default branch, as the event names it. */
  readonly defaultBranch?: string;
  /** The remote's name or address of the job's own repository; `origin` where nothing is said. */
  readonly remote?: string;
  /** The commit that a merge queue's group starts from. */
  readonly baseSha?: string;
  readonly baselineRef?: string;
  /** What became of the label that accepts the pull request's commit, where the event is that label being put. */
  readonly label?: LabelResult | undefined;
  /** Environment for git: credentials. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
  /** Whether build secrets of the configuration reach the builds of a pull request. */
  readonly secretsOnPullRequests: boolean;
}

/** The two sides of a checkout, and on whose word its configuration is acted on. */
export async function sidesOf(
  project: Project,
  occasion: Occasion,
  source: SourcePort,
): Promise<{ readonly sides: Sides; readonly standing: Standing }> {
  const { event, before, baseRef, mergeSha, baseSha, baselineRef, remote, gitEnvironment: env } = occasion;
  const standing = await standingIn(project, occasion, source);
  // The base that the event names; else the branch that the change is taken to start from.
  const base = baseRef ?? (standing.kind === 'change' ? standing.branch : undefined);
  const sides = await source.resolveSides({
    directory: project.top,
    event,
    env,
    change: standing.kind === 'change',
    ...(before === undefined ? {} : { before }),
    ...(base === undefined ? {} : { baseRef: base }),
    ...(mergeSha === undefined ? {} : { mergeSha }),
    ...(baseSha === undefined ? {} : { baseSha }),
    ...(baselineRef === undefined ? {} : { baselineRef }),
    ...(remote === undefined ? {} : { remote }),
  });
  return { sides, standing };
}

/** The plan with what this job may hand to its builds. */
export function permitted(plan: Plan, standing: Standing, occasion: Occasion, { head }: Sides): Plan {
  const secretly = mayHaveSecrets(standing, occasion) ? plan : withoutSecrets(plan);
  return mayWriteCache(standing, occasion, head.commit) ? secretly : withoutGitHubCacheTo(secretly);
}

/** Build secrets are for what is trusted, and for pull requests where the workflow says so. */
export const mayHaveSecrets = (
  { kind }: Standing,
  { event, secretsOnPullRequests }: Pick<Occasion, 'event' | 'secretsOnPullRequests'>,
): boolean => kind !== 'change' || (event.startsWith('pull_request') && secretsOnPullRequests);

/** GitHub's cache is written by what is trusted, and by a change where nobody else reads what it writes. */
export const mayWriteCache = (
  { kind }: Standing,
  { event, sha }: Pick<Occasion, 'event' | 'sha'>,
  head: string,
): boolean => kind !== 'change' || hasOwnScope({ event, head, ...(sha === undefined ? {} : { sha }) });
