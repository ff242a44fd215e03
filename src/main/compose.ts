import { access, cp, lstat, readFile, writeFile } from 'node:fs/promises';
import { openBaselineBranch } from '../baseline/branch.ts';
import { ignoredByImage, ignoredInFolder } from '../images/context-ignore.ts';
import { describeImage } from '../images/described-image.ts';
import { checkEngine } from '../images/engine-check.ts';
import { readEngine } from '../images/engine-reading.ts';
import { obtainImage } from '../images/store.ts';
import { containerEngine } from '../measure/engines/container.ts';
import { namedInterpreter } from '../measure/engines/host-interpreter.ts';
import { hostEngine } from '../measure/engines/host.ts';
import { readMachine } from '../measure/machine/machine-reading.ts';
import { newSeed, newSessionId } from '../measure/session-id.ts';
import { fileAt, readText } from '../out-folder/session-files.ts';
import type { ProjectSource } from '../pipeline/open-project.ts';
import type {
  ComparedFilesPort,
  EnginesRequest,
  InspectionPort,
  InterpreterPorts,
  JobPorts,
  SourcePort,
} from '../pipeline/ports.ts';
import { lockFolder, lockMachine } from '../process/machine-lock.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { lfsPointers } from '../source/lfs-pointers.ts';
import { resolveAnchor } from '../source/anchor.ts';
import { committedFiles, findConfiguration } from '../source/configuration-file.ts';
import {
  changedFiles,
  deletedFiles,
  exportTree,
  readFileAt,
  repositoryName,
  touchedFiles,
} from '../source/export.ts';
import { measuringFiles } from '../source/measuring-files.ts';
import { parentsOf, resolveCommit, resolveHead, resolveSides } from '../source/sides.ts';
import { fetchCommit, mergeBase } from '../source/fetch.ts';
import { standingOf } from '../source/trust.ts';
import { checkContext, overlayFiles } from '../source/workload-files.ts';
import { withEngines } from './engines.ts';
import { openOutFolder } from '../out-folder/out-folder.ts';
import type { Places } from './places.ts';
import type { ProgressLog } from '../pipeline/measurement-progress.ts';

/** Connects the ports of the use cases to the real adapters. */
export const jobPorts = (
  places: Places,
  log: ProgressLog,
  signal: AbortSignal = new AbortController().signal,
): JobPorts => ({
  source: sourcePort(places),
  store: { open: openBaselineBranch },
  engine: { check: checkEngine, obtain: obtainImage },
  inspect: inspection(places),
  openOutFolder,
  withEngines: async (request, use) =>
    await alone(request, { log, signal }, async () => await withEngines(request, { places, log }, use)),
  seed: newSeed,
  clock: () => new Date(),
  log,
});

/** Builds and measures while no other run of Pacegate does on this machine. The wait is no part of the budget. */
async function alone<Result>(
  { plan: { variants, budgetSeconds } }: EnginesRequest,
  { log, signal }: { readonly log: ProgressLog; readonly signal: AbortSignal },
  use: () => Promise<Result>,
): Promise<Result> {
  // A gate that is skipped has no variants.
  if (variants.length === 0) return await use();
  const release = await lockMachine({
    ...{ folder: lockFolder(process.env), waitSeconds: budgetSeconds, signal },
    info: (line) => log.info(line),
  });
  try {
    return await use();
  } finally {
    await release();
  }
}

const exists = async (path: string): Promise<boolean> =>
  await lstat(path).then(
    () => true,
    () => false,
  );

/** The ports for opening a project. */
export const projectSource: ProjectSource = { findConfiguration, committedFiles, readFileAt };

const sourcePort = (places: Places): SourcePort => ({
  ...projectSource,
  resolveSides,
  resolveCommit,
  resolveHead,
  resolveAnchor,
  standingOf,
  fetchCommit,
  mergeBase,
  parentsOf,
  repositoryName,
  deletedFiles,
  changedFiles,
  touchedFiles,
  measuringFiles,
  exportTree,
  checkContext,
  lfsPointers,
  ignoredByImage: async (context, dockerfile) => await ignoredByImage(context, dockerfile, places.variants),
  ignoredInFolder,
  overlay: overlayFiles,
  exists,
  readText: async (path) => await readFile(path, 'utf8'),
  writeText: async (path, text) => await writeFile(path, text),
  copyFolder: async (from, to) => await cp(from, to, { recursive: true, verbatimSymlinks: true }),
});

/** The adapters that inspect this machine before measuring. */
export const inspection = ({ probe }: Places): InspectionPort => ({
  machine: async () => await readMachine(probe),
  engine: readEngine,
});

/** The adapters that ask a user's interpreters for their facts. */
export function interpreterPorts({ probe, facts }: Places): InterpreterPorts {
  const container = containerEngine({
    sessionId: newSessionId(new Date()),
    owner: ownerOfThisProcess(),
    probe,
    facts,
  });
  const host = hostEngine({ probe, facts, workFolder: '' });
  return {
    hostInterpreter: namedInterpreter,
    obtain: obtainImage,
    facts: async (runnable) => await (runnable.image.engine === 'host' ? host : container).facts(runnable),
    describe: describeImage,
  };
}

/** Reads the files that `compare` receives. */
export const comparedFiles: ComparedFilesPort = {
  fileAt,
  readText,
  exists: async (path) =>
    await access(path).then(
      () => true,
      () => false,
    ),
};
