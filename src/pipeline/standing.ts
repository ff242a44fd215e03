import { join } from 'node:path';
import type { Standing } from '../source/trust.ts';
import type { SourcePort } from './ports.ts';
import { isOutside, planAt, type Project } from './project.ts';

/** The data for deciding about the trust of a checkout. */
export interface StandingRequest {
  readonly event: string;
  /** From the event. */
  readonly defaultBranch?: string | undefined;
  /** The remote's name or address of the job's own repository. Defaults to `origin`. */
  readonly remote?: string | undefined;
  readonly gitEnvironment: Readonly<Record<string, string>>;
}

/**
 * Who vouches for a project's configuration. A trusted commit is not enough if an earlier step of the job replaced the
 * configuration, because the maintainers did not accept the replaced file.
 */
export async function standingIn(
  project: Project,
  request: StandingRequest,
  source: SourcePort,
): Promise<Standing> {
  const { event, defaultBranch, remote, gitEnvironment: env } = request;
  const standing = await source.standingOf({
    directory: project.top,
    event,
    env,
    defaultBranch,
    remote,
    listed: async (tip) => {
      const at = await planAt(project, tip, {}, source);
      return at.kind === 'plan' ? at.plan.trustedBranches : [];
    },
  });
  if (standing.kind !== 'trusted' || (await isCommitted(project, source))) return standing;
  return {
    kind: 'change',
    branch: standing.branch,
    reason: `${project.file} in the checkout is not the one of its commit`,
  };
}

/**
 * Whether the configuration in the folder is the commit's. A configuration outside of the repository belongs to the
 * workflow.
 */
async function isCommitted({ top, file }: Project, source: SourcePort): Promise<boolean> {
  if (isOutside(file)) return true;
  const committed = await source.readFileAt(top, 'HEAD', file);
  const plain = (text: string) => text.replaceAll('\r\n', '\n');
  return committed.kind === 'text' && plain(committed.text) === plain(await source.readText(join(top, file)));
}

/** The reason of a standing as a sentence for the report; empty if the event makes it clear. */
export const standingNotes = (standing: Standing): readonly string[] =>
  standing.kind === 'change' && standing.reason !== undefined
    ? [
        `This is judged like a pull request: ${standing.reason}. Build secrets and the host are for commits of the default branch, and of those that its trust.branches lists.`,
      ]
    : [];
