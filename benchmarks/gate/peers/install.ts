/** `node benchmarks/gate/peers/install.ts [folder]`: installs the peers' programs, at the versions pinned. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  ASV_RUNNER_VERSION,
  ASV_VERSION,
  BENCHSTAT_VERSION,
  benchstatFolder,
  benchstatProgram,
  isInstalled,
  PROGRAMS_FOLDER,
  PYPERF_VERSION,
  pythonFolder,
  pythonProgram,
} from './programs.ts';

/** Installs what is missing; needs `go` and `python3` with venv. @throws Error naming the step that failed */
export function install(folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (!isInstalled(benchstatProgram(folder)))
    step('go', ['install', `golang.org/x/perf/cmd/benchstat@${BENCHSTAT_VERSION}`], {
      GOBIN: benchstatFolder(folder),
    });
  if (isInstalled(pythonProgram(folder))) return;
  try {
    step('python3', ['-m', 'venv', pythonFolder(folder)]);
    step(pythonProgram(folder), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
      ...[`pyperf==${PYPERF_VERSION}`, `asv==${ASV_VERSION}`, `asv_runner==${ASV_RUNNER_VERSION}`],
    ]);
  } catch (error) {
    // An environment without the packages would be taken for an installed one.
    rmSync(pythonFolder(folder), { recursive: true, force: true });
    throw error;
  }
}

function step(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): void {
  const { status, error } = spawnSync(program, args, {
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  if (error !== undefined) throw new Error(`cannot run ${program}`, { cause: error });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}`);
}

if (import.meta.main) install(resolve(process.argv[2] ?? PROGRAMS_FOLDER));
