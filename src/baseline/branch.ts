import pRetry from 'p-retry';
import { StoreError } from '../errors/errors.ts';
import type { Session } from '../session/session.ts';
import { sessionText } from '../session/write.ts';
import { isAdopting } from './adoption.ts';
import { commitSession } from './commit.ts';
import type { Writing } from './draft.ts';
import { PassingError, RaceError } from './push-refusal.ts';
import { readStored, refuseNewer } from './read.ts';
import { fetchTip, tryPush, push, type Patience, type Place } from './remote.ts';
import { sessionBlobs } from './session-blobs.ts';
import type { Evaluation, StoredSessions } from './stored.ts';

/** The branch that keeps baselines: what it can do, joined from reading, writing and the remote. */

export type { Evaluation, StoredSessions };

export interface BaselineBranch {
  /**
   * What is stored of a configuration; nothing where there is no branch yet.
   * `problems` name files that do not parse: they are left out, never trusted and never fatal.
   */
  read(configuration: string): Promise<StoredSessions & { readonly problems: readonly string[] }>;
  /**
   * Adds a session as a commit of its own. Writers may race: each push is a fast-forward of what was fetched just
   * before, or is tried again on top of the other's.
   * @throws StoreError when it cannot be written; nothing is half-written then.
   */
  append(session: Session): Promise<{ readonly commit: string; readonly attempts: number }>;
  /**
   * What can be known before a night is measured: whether the branch may be written, and whether what is there of a
   * configuration can be kept.
   * @throws StoreError with what is in the way
   */
  check(configuration: string): Promise<void>;
}

export interface BranchOptions {
  /** A folder inside the repository. */
  readonly directory: string;
  readonly branch: string;
  /** A remote's name or an address; `origin` where nothing is said. */
  readonly remote?: string;
  /** Credentials for the remote, as environment for git. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without it a session is kept and nothing is made of it. */
  readonly evaluation?: Evaluation;
  readonly patience?: Patience;
  /**
   * What an earlier version knew the configuration by. While the branch has nothing under its own name, that folder is
   * read, and the first session that is added moves it. Only for a folder that is nobody else's.
   */
  readonly formerly?: string | undefined;
}

/** Opens the branch that keeps baselines: an orphan, written with plain git, so that any forge will do. */
export function openBaselineBranch(options: BranchOptions): BaselineBranch {
  const { directory, branch, remote = 'origin', env = {}, patience = PATIENCE, formerly } = options;
  const blobs = sessionBlobs(directory);
  const place: Place = { directory, branch, remote, env, name: `refs/heads/${branch}`, patience };
  // Nothing is lost where a gate has no history: a person without a network must not wait for it.
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
        // What fails in passing may be over when there is something to push.
        if (!(error instanceof PassingError || error instanceof RaceError)) throw error;
      }
    },
    append: async (session) => await append(place, writing, session),
  };
}

/** Commits on top of the branch and pushes, again while others are faster. */
async function append(
  place: Place,
  writing: Writing,
  session: Session,
): Promise<{ readonly commit: string; readonly attempts: number }> {
  let attempts = 0;
  let last: string | undefined;
  const begun = performance.now();
  const text = sessionText(session);
  const once = async (): Promise<string> => {
    attempts += 1;
    const parent = await fetchTip(place);
    // The answer to a push may be lost on its way although the push arrived.
    if (parent !== undefined && parent === last) return parent;
    last = await commitSession(writing, parent, session, text);
    await push(place, last, parent);
    return last;
  };
  try {
    const commit = await pRetry(once, {
      ...{ retries: RETRIES, minTimeout: 50, maxTimeout: 3000, factor: 1.5, randomize: true },
      maxRetryTime: place.patience.raceSeconds * 1000,
      shouldRetry: ({ error }) => error instanceof RaceError,
    });
    return { commit, attempts };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
    const seconds = Math.round((performance.now() - begun) / 1000);
    throw new StoreError(`${error.message} (${tries} in ${seconds} s). ${KEPT}`, { cause: error });
  }
}

const KEPT = 'The measured session itself is in the out folder and the artifact.';

/** N writers at once need up to N tries each; with the growing, jittered waits this bears dozens. */
const RETRIES = 100;
const PATIENCE: Patience = { raceSeconds: 300, serverWaits: [1, 2, 4, 8, 16] };
