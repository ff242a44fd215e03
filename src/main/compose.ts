import { cp, lstat, readFile, writeFile } from 'node:fs/promises';
import { openBaselineBranch } from '../baseline/branch.ts';
import type { JobPorts, SourcePort } from '../pipeline/ports.ts';
import { resolveAnchor } from '../source/anchor.ts';
import { changedFiles, deletedFiles, exportTree, readFileAt, repositoryName } from '../source/export.ts';
import { measuringFiles } from '../source/measuring-files.ts';
import { resolveCommit, resolveHead, resolveSides } from '../source/sides.ts';
import { standingOf } from '../source/trust.ts';
import { checkContext, overlayFiles } from '../source/workload-files.ts';
import { withEngines } from './engines.ts';
import { openOutFolder } from '../out-folder/out-folder.ts';
import type { Places } from './places.ts';
import type { ProgressLog } from './progress.ts';
import { writeResults } from '../pipeline/results.ts';
import { newSeed } from '../measure/session-id.ts';
import { refusePointers } from '../pipeline/unfetched-files.ts';

/** The ports of the use cases with the real adapters behind them. */
export const jobPorts = (places: Places, log: ProgressLog): JobPorts => ({
  source: sourcePort(places),
  store: { open: openBaselineBranch },
  results: {
    open: openOutFolder,
    write: async (...written) => {
      await writeResults(...written);
    },
  },
  withEngines: async (request, use) => await withEngines(request, { places, log }, use),
  seed: newSeed,
  clock: () => new Date(),
  log,
});

const sourcePort = (places: Places): SourcePort => ({
  resolveSides,
  resolveCommit,
  resolveHead,
  resolveAnchor,
  standingOf,
  repositoryName,
  readFileAt,
  deletedFiles,
  changedFiles,
  measuringFiles,
  exportTree,
  checkContext,
  refusePointers: async (plan, tree, subject) => await refusePointers(plan, tree, subject, places),
  overlay: overlayFiles,
  exists: async (path) =>
    await lstat(path).then(
      () => true,
      () => false,
    ),
  readText: async (path) => await readFile(path, 'utf8'),
  writeText: async (path, text) => await writeFile(path, text),
  copyFolder: async (from, to) => await cp(from, to, { recursive: true, verbatimSymlinks: true }),
});
