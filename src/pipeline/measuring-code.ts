import { ConfigurationError } from '../errors/errors.ts';
import type { Plan, Workload } from '../plan/plan.ts';
import type { MeasuringCodeRecord } from '../session/session.ts';
import type { Ports, SideTree } from './ports.ts';
import { contextOf } from './sides.ts';
import { own } from '../session/record.ts';

/** The measuring code of the two sides. Both sides are measured with the head's. */
export interface MeasuringCode {
  readonly record: MeasuringCodeRecord;
  /**
   * The baseline's own measuring code, if it has any: its workload, and the folder with a copy of its `workload.files`.
   */
  readonly own: { readonly workload: Workload; readonly folder: string } | undefined;
  /** The folder of the baseline that receives the head's measuring code. */
  readonly baselineContext: string;
  readonly headContext: string;
}

/**
 * Compares the measuring code of the sides, and copies the baseline's own before the head's replaces it.
 * @param files hashes of the head's, path to SHA-256
 */
export async function keepMeasuringCode(
  plan: Plan,
  { head, baseline }: { readonly head: SideTree; readonly baseline: SideTree },
  files: Readonly<Record<string, string>>,
  ports: Pick<Ports, 'files'>,
): Promise<MeasuringCode> {
  const [headContext, baselineContext] = [contextOf(plan, head), contextOf(plan, baseline)];
  const workload = { ...(baseline.plan?.workload ?? plan.workload), repetitions: plan.workload.repetitions };
  const found = await ownFiles(baselineContext, workload.files, ports);
  const changed = [
    ...Object.keys({ ...files, ...found.hashes })
      .filter((path) => own(files, path) !== own(found.hashes, path))
      .sort(),
    ...DECIDING.filter((field) => text(plan.workload[field]) !== text(workload[field])).map(
      (field) => `workload.${field}`,
    ),
  ];
  const hasOwn = baseline.plan !== undefined || found.paths.length > 0 || workload.files.length === 0;
  const folder = `${baseline.directory}-own`;
  if (changed.length > 0 && found.paths.length > 0)
    await ports.files.overlay(baselineContext, folder, found.paths);
  return {
    record: { changed, own: hasOwn },
    own: hasOwn ? { workload: { ...workload, files: found.paths }, folder } : undefined,
    baselineContext,
    headContext,
  };
}

/** Other settings of the workload that decide whether it runs. */
const DECIDING = ['command', 'server', 'env', 'network', 'memoryBytes', 'pids', 'timeoutSeconds'] as const;

const text = (value: unknown) => JSON.stringify([value]);

/** The existing files among the paths, with their hashes. */
async function ownFiles(
  context: string,
  paths: readonly string[],
  { files }: Pick<Ports, 'files'>,
): Promise<{ readonly paths: readonly string[]; readonly hashes: Readonly<Record<string, string>> }> {
  const found: string[] = [];
  const hashes = new Map<string, string>();
  for (const path of paths) {
    try {
      for (const [file, hash] of Object.entries(await files.hash(context, [path]))) hashes.set(file, hash);
      found.push(path);
    } catch (error) {
      // The baseline may lack files that the head measures with.
      if (!(error instanceof ConfigurationError)) throw error;
    }
  }
  return { paths: found, hashes: Object.fromEntries(hashes) };
}
