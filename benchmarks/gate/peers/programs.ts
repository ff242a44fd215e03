import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Pinned, since the rules are stated for these. */
export const BENCHSTAT_VERSION = 'v0.0.0-20260908200009-22c9c6c9d4da';
export const ASV_VERSION = '0.6.6';
export const ASV_RUNNER_VERSION = '0.3.2';
export const PYPERF_VERSION = '2.10.0';

/** Where `node benchmarks/gate/peers/install.ts` puts the peers' programs. */
export const PROGRAMS_FOLDER = join(import.meta.dirname, '..', '.cache', 'peers');

/** The version is in the path, so that another one is never taken for it. */
export const benchstatFolder = (folder: string): string => join(folder, `benchstat-${BENCHSTAT_VERSION}`);
export const benchstatProgram = (folder: string): string => join(benchstatFolder(folder), 'benchstat');

/** A virtual environment with pyperf, asv and asv_runner. */
export const pythonFolder = (folder: string): string =>
  join(folder, `python-pyperf-${PYPERF_VERSION}-asv-${ASV_VERSION}-${ASV_RUNNER_VERSION}`);
export const pythonProgram = (folder: string): string => join(pythonFolder(folder), 'bin', 'python');

export const isInstalled = (program: string): boolean => existsSync(program);

/** One answer for each of a few hundred thousand rows. */
const LONGEST_OUTPUT = 2 ** 30;

/** Runs a program to its end, without a shell. @returns what it printed @throws Error with what it complained of */
export function runProgram(program: string, args: readonly string[], input?: string): string {
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, {
    ...(input === undefined ? {} : { input }),
    encoding: 'utf8',
    maxBuffer: LONGEST_OUTPUT,
  });
  if (error !== undefined) throw new Error(`cannot run ${program}`, { cause: error });
  if (status !== 0)
    throw new Error(`${program} ended with ${signal ?? String(status)}: ${stderr.trim().slice(-2000)}`);
  return stdout;
}

/** What `x_flags.py` is asked: one JSON line a comparison, null where there is nothing to compare with. */
type Comparison = { readonly baseline: Float64Array; readonly head: Float64Array } | undefined;

/** Has a peer's own Python code judge each comparison, all in one process. */
export function askPython(
  folder: string,
  peer: 'asv' | 'pyperf',
  comparisons: readonly Comparison[],
): boolean[] {
  const lines = comparisons.map((samples) =>
    JSON.stringify(
      samples === undefined
        ? null
        : { baseline: Array.from(samples.baseline), head: Array.from(samples.head) },
    ),
  );
  const script = join(import.meta.dirname, `${peer}_flags.py`);
  const answer = runProgram(pythonProgram(folder), ['-I', script], `${lines.join('\n')}\n`);
  const flags = answer.split('\n').flatMap((line) => (line === '' ? [] : [line === 'true']));
  if (flags.length !== comparisons.length)
    throw new Error(`${peer} answered ${flags.length} of ${comparisons.length} comparisons`);
  return flags;
}
