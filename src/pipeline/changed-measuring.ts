import { join, posix } from 'node:path';
import { measuringChanges, withKept } from '../plan/measuring-changes.ts';
import type { Plan, Workload } from '../plan/plan.ts';
import type { Overrides } from '../plan/resolve.ts';
import type { MeasuringChange } from '../session/measuring.ts';
import type { SideCommit } from '../source/sides.ts';
import type { MeasuringRequest } from './measuring-trials.ts';
import type { SourcePort } from './ports.ts';
import { refusePointers } from './unfetched-files.ts';
import type { Project } from './project.ts';

/** The head's changes to the measuring code and the workload. */
export interface HeadMeasuring {
  readonly changes: readonly MeasuringChange[];
  /** The workload of the head's own configuration. */
  readonly head: Workload;
}

/**
 * After the merge, changes of the measuring code are reported and do not fail the job, because the pull request already
 * decided about them.
 */
export const reporting = (plan: Plan): Plan => ({
  ...plan,
  rules: { ...plan.rules, changedMeasurement: 'report' },
});

/** The head's changes to the measuring code, and the paths of the base's measuring code that the head still has. */
export async function measuringOf(
  { top }: Project,
  plan: Plan,
  base: Plan,
  { variants: wanted }: Overrides,
  { head, baseline }: { readonly head: SideCommit; readonly baseline: SideCommit },
  source: Pick<SourcePort, 'measuringFiles'>,
): Promise<{ readonly measuring?: HeadMeasuring; readonly kept: readonly string[] }> {
  const [own, before] = [plan.workload, base.workload];
  // Paths start from the context, so the paths of another context are other files.
  const sameContext = own.context === before.context;
  const paths = sameContext ? [...new Set([...own.files, ...before.files])] : own.files;
  const files = await source.measuringFiles(top, head.tree, own.context, paths);
  const filesBefore = await source.measuringFiles(
    top,
    baseline.tree,
    before.context,
    sameContext ? paths : before.files,
  );
  const kept = sameContext ? pathsThere(before.files, files) : [];
  const changes = measuringChanges(
    { plan, files },
    {
      plan: {
        ...base,
        variants: base.variants.filter(({ name }) => wanted === undefined || wanted.includes(name)),
      },
      files: filesBefore,
    },
  );
  return {
    kept,
    ...(changes.length === 0
      ? {}
      : { measuring: { changes, head: { ...own, files: withKept(own.files, kept) } } }),
  };
}

/** The folders in which the base's own measuring code can be tried; undefined if it equals the head's. */
export async function measuringRequest(
  directory: string,
  {
    plan,
    base,
    measuring,
  }: {
    readonly plan: Plan;
    readonly base: Plan | undefined;
    readonly measuring?: HeadMeasuring | undefined;
  },
  baseline: SideCommit | undefined,
  head: SideCommit,
  workFolder: string,
  source: SourcePort,
): Promise<MeasuringRequest | undefined> {
  if (measuring === undefined || base === undefined || baseline === undefined) return undefined;
  const own = join(workFolder, 'baseline-measuring-code');
  await source.exportTree(directory, baseline.tree, own);
  await source.checkContext(own, base.workload.context);
  // Checks only the measuring code. The other files are the baseline's, which is checked already.
  await refusePointers({ ...base, variants: [] }, own, "the baseline's measuring code", source);
  const from = join(own, base.workload.context);
  // A container mounts the base's files over the head's. A host interpreter needs a folder that contains them.
  const onHost = plan.variants.some(({ kind }) => kind === 'host');
  const headFolder = join(workFolder, 'head-measuring-code');
  if (onHost) {
    await source.exportTree(directory, head.tree, headFolder);
    await source.checkContext(headFolder, base.workload.context);
    const there = await source.measuringFiles(
      directory,
      baseline.tree,
      base.workload.context,
      base.workload.files,
    );
    await source.overlay(
      from,
      join(headFolder, base.workload.context),
      pathsThere(base.workload.files, there),
    );
  }
  return {
    changes: measuring.changes,
    head: measuring.head,
    base: { workload: base.workload, trees: { baseline: own, head: onHost ? headFolder : own } },
  };
}

/** The paths of `workload.files` that name at least one of these files. */
const pathsThere = (paths: readonly string[], files: Readonly<Record<string, string>>): readonly string[] =>
  paths.filter((path) => {
    const name = posix.normalize(path).replace(/\/$/, '');
    return Object.keys(files).some((file) => name === '.' || file === name || file.startsWith(`${name}/`));
  });
