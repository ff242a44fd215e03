import { ConfigurationError } from '../errors/errors.ts';
import type { Plan, Workload } from '../plan/plan.ts';
import type { MeasuringCodeRecord } from '../session/session.ts';
import type { Ports, SideTree } from './ports.ts';
import { contextOf } from './sides.ts';
import { own } from '../session/record.ts';

/** The measuring code of the two sides: that of the head is what both are measured with. */
export interface MeasuringCode {
  readonly record: MeasuringCodeRecord;
  /** The baseline's own, where it has any: its workload, and the folder that its `workload.files` are kept in. */
  readonly own: { readonly workload: Workload; readonly folder: string } | undefined;
  /** The folder of the baseline over which the head's measuring code is laid. */
  readonly baselineContext: string;
  readonly headContext: string;
}

/**
 * Looks how the measuring code of the sides differs, and keeps the baseline's own, before the head's is laid over it.
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

/** What else of the workload decides whether it works at all. */
const DECIDING = ['command', 'server', 'env', 'network', 'memoryBytes', 'pids', 'timeoutSeconds'] as const;

const text = (value: unknown) => JSON.stringify([value]);

/** Those of the paths that there are, with the hashes of their files. */
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
      // The baseline need not have what the head measures with.
      if (!(error instanceof ConfigurationError)) throw error;
    }
  }
  return { paths: found, hashes: Object.fromEntries(hashes) };
}
