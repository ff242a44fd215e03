import pRetry from 'p-retry';
import { StoreError } from '../errors/errors.ts';
import type { BranchContents, Pruned } from '../session/branch-contents.ts';
import type { Session } from '../session/session.ts';
import { sessionText } from '../session/write.ts';
import { isAdopting } from './adoption.ts';
import { commitSession } from './commit.ts';
import { readContents } from './contents.ts';
import type { Writing } from './draft.ts';
import { commitPruned } from './prune.ts';
import { PassingError, RaceError } from './push-refusal.ts';
import { readStored, refuseNewer } from './read.ts';
import { fetchTip, tryPush, push, type Patience, type Place } from './remote.ts';
import { sessionBlobs } from './session-blobs.ts';
import type { Evaluation, StoredSessions } from './stored.ts';

/** The branch that keeps baselines, composed from reading, writing and the remote. */

export type { Evaluation, StoredSessions };

export interface BaselineBranch {
  /**
   * The stored sessions of a configuration; empty if there is no branch yet.
   * `problems` names the files that do not parse. They are left out and do not stop the read.
   */
  read(configuration: string): Promise<StoredSessions & { readonly problems: readonly string[] }>;
  /**
   * Adds a session as one commit. Several writers may push at once: each push is a fast-forward of the tip that was
   * fetched just before. If another writer was faster, the push is repeated on top of the new tip.
   * @throws StoreError if the branch cannot be written; nothing is stored in this case
   */
  append(session: Session): Promise<{ readonly commit: string; readonly attempts: number }>;
  /**
   * Checks before a night is measured whether the branch can be written, and whether the stored files of a
   * configuration can be kept.
   * @throws StoreError with the obstacle
   */
  check(configuration: string): Promise<void>;
  /** Reads and checks every file; undefined if there is no branch yet. */
  contents(): Promise<BranchContents | undefined>;
  /**
   * Replaces the branch by one commit, in which nights beyond the newest ones are summaries.
   * @returns undefined if there is no branch yet
   * @throws StoreError if the branch cannot be written; it is unchanged then
   */
  prune(options: PruneOptions): Promise<Pruned | undefined>;
}

export interface PruneOptions {
  /** Nights of each configuration that stay in full. */
  readonly nightsKept: number;
  /** False: only compute what would change. */
  readonly push: boolean;
}

export interface BranchOptions {
  /** A folder inside the repository. */
  readonly directory: string;
  readonly branch: string;
  /** A remote's name or an address. Defaults to `origin`. */
  readonly remote?: string;
  /** Credentials for the remote, as environment for git. */
  readonly env?: Readonly<Record<string, string>>;
  /** Computes noise, ranking and badge. Without it only the session is stored. */
  readonly evaluation?: Evaluation;
  readonly patience?: Patience;
  /**
   * The folder under which an earlier version stored the configuration. It is read while the branch has no folder under
   * the new name; the first new session moves it. Only for a folder that no other configuration uses.
   */
  readonly formerly?: string | undefined;
}

/**
 * Opens the branch that keeps baselines. It is an orphan branch, written with plain git, so it works with any forge.
 */
export function openBaselineBranch(options: BranchOptions): BaselineBranch {
  const { directory, branch, remote = 'origin', env = {}, patience = PATIENCE, formerly } = options;
  const blobs = sessionBlobs(directory);
  const place: Place = { directory, branch, remote, env, name: `refs/heads/${branch}`, patience };
  // A gate works without a history, so a user without a network does not wait for all retries.
  const reading = { ...place, patience: { ...patience, serverWaits: patience.serverWaits.slice(0, 2) } };
  const writing: Writing = { directory, remote, blobs, evaluation: options.evaluation, formerly };
  return {
    read: async (configuration) => {
      const commit = await fetchTip(reading);
      return commit === undefined
        ? { sessions: [], summaries: [], problems: [] }
        : await readStored(
            directory,
            commit,
            (await isAdopting(directory, commit, configuration, formerly)) ?? configuration,
            blobs,
          );
    },
    check: async (configuration) => {
      try {
        const commit = await fetchTip(reading);
        if (commit !== undefined) await refuseNewer(directory, commit, configuration);
        await tryPush(reading);
      } catch (error) {
        // A passing error may be over by the time of the push.
        if (!(error instanceof PassingError || error instanceof RaceError)) throw error;
      }
    },
    append: async (session) => await append(place, writing, session),
    contents: async () => {
      const commit = await fetchTip(reading);
      return commit === undefined ? undefined : await readContents(directory, branch, commit);
    },
    prune: async (asked) => await prune(place, writing, asked),
  };
}

/** Commits on top of the branch and pushes. Repeats both while other writers are faster. */
async function append(
  place: Place,
  writing: Writing,
  session: Session,
): Promise<{ readonly commit: string; readonly attempts: number }> {
  const text = sessionText(session);
  let last: string | undefined;
  const { result: commit, attempts } = await whileRaced(place, KEPT, async () => {
    const parent = await fetchTip(place);
    // The server may have accepted the push although its answer was lost.
    if (parent !== undefined && parent === last) return parent;
    last = await commitSession(writing, parent, session, text);
    await push(place, last, parent);
    return last;
  });
  return { commit, attempts };
}

/** Prunes the tip and pushes. A session that another writer appends meanwhile is kept: the prune begins again. */
async function prune(
  place: Place,
  writing: Writing,
  { nightsKept, push: pushes }: PruneOptions,
): Promise<Pruned | undefined> {
  let last: Pruned | undefined;
  const { result } = await whileRaced(place, 'The branch is unchanged.', async () => {
    const tip = await fetchTip(place);
    if (tip === undefined || tip === last?.commit) return last;
    last = { branch: place.branch, pushed: pushes, ...(await commitPruned(writing, tip, nightsKept)) };
    if (pushes) await push(place, last.commit, tip);
    return last;
  });
  return result;
}

/**
 * Repeats a change of the branch while other writers are faster.
 * @param kept what is not lost if it fails, as a sentence
 */
async function whileRaced<Result>(
  place: Place,
  kept: string,
  change: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly attempts: number }> {
  let attempts = 0;
  const begun = performance.now();
  const once = async () => {
    attempts += 1;
    return await change();
  };
  try {
    const result = await pRetry(once, {
      ...{ retries: RETRIES, minTimeout: 50, maxTimeout: 3000, factor: 1.5, randomize: true },
      maxRetryTime: place.patience.raceSeconds * 1000,
      shouldRetry: ({ error }) => error instanceof RaceError,
    });
    return { result, attempts };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
    const seconds = Math.round((performance.now() - begun) / 1000);
    throw new StoreError(`${error.message} (${tries} in ${seconds} s). ${kept}`, { cause: error });
  }
}

const KEPT = 'The measured session itself is in the out folder and the artifact.';

/** N simultaneous writers need up to N tries each. With growing, jittered waits this serves dozens of writers. */
const RETRIES = 100;
const PATIENCE: Patience = { raceSeconds: 300, serverWaits: [1, 2, 4, 8, 16] };
