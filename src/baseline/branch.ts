import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pRetry from 'p-retry';
import { StoreError } from '../errors/errors.ts';
import { git, gitReason, SERVER_SECONDS, tryGit, type GitResult } from '../process/git.ts';
import { fetchInto, gitStore, tryInStore } from '../process/git-store.ts';
import type { NightOutcome } from '../session/history.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { sessionText } from '../session/write.ts';
import {
  folderOf,
  isNewer,
  noisePath,
  parseSummaries,
  rankingPath,
  RAW_SESSIONS,
  README,
  SESSION_FOLDERS,
  sessionPath,
  summarise,
  summariesPath,
  type SessionFolder,
  type Summary,
} from './format.ts';

/** What a configuration has on the branch. */
export interface StoredSessions {
  /** Oldest first, those of the anchor among them. */
  readonly sessions: readonly Session[];
  /** What older nights were squashed into. */
  readonly summaries: readonly Summary[];
}

/** What the decision makes of stored sessions: the branch keeps it and knows no statistics itself. */
export interface Evaluation {
  /** What a night of the baseline against itself raised; undefined for other sessions. */
  readonly outcome: (session: Session) => NightOutcome | undefined;
  /** The text of `noise.json`, from everything that is stored. */
  readonly noise: (stored: StoredSessions, configuration: string) => string;
  /** The text of `ranking.json`; undefined where there are no two variants to rank. */
  readonly ranking: (stored: StoredSessions) => string | undefined;
}

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

/** How long a branch that is busy, or a server that fails in passing, is waited for. */
export interface Patience {
  /** Seconds for getting ahead of other writers. */
  readonly raceSeconds: number;
  /** Seconds to wait after each answer that was a fault of the server or the network. */
  readonly serverWaits: readonly number[];
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
  const {
    directory,
    branch,
    remote = 'origin',
    env = {},
    evaluation,
    patience = PATIENCE,
    formerly,
  } = options;
  const blobs = sessionBlobs(directory);
  const name = `refs/heads/${branch}`;
  const place = { directory, branch, remote, env, name, patience };
  // Nothing is lost where a gate has no history: a person without a network must not wait for it.
  const reading = { ...place, patience: { ...patience, serverWaits: patience.serverWaits.slice(0, 2) } };

  return {
    read: async (configuration) => {
      const commit = await tip(reading);
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
        const commit = await tip(reading);
        if (commit !== undefined) await refuseNewer(directory, commit, configuration);
        await tryPush(reading);
      } catch (error) {
        // What fails in passing may be over when there is something to push.
        if (!(error instanceof PassingError || error instanceof RaceError)) throw error;
      }
    },
    append: async (session) => {
      let attempts = 0;
      let last: string | undefined;
      const begun = performance.now();
      const text = sessionText(session);
      const told = (error: StoreError) =>
        new StoreError(
          `${error.message} (${attempts} ${attempts === 1 ? 'try' : 'tries'} in ${Math.round((performance.now() - begun) / 1000)} s). ${KEPT}`,
          { cause: error },
        );
      const once = async (): Promise<string> => {
        attempts += 1;
        const parent = await tip(place);
        // The answer to a push may be lost on its way although the push arrived.
        if (parent !== undefined && parent === last) return parent;
        last = await commitSession({ directory, remote, blobs, evaluation, formerly }, parent, session, text);
        await push(place, last, parent);
        return last;
      };
      try {
        const commit = await pRetry(once, {
          ...{ retries: RETRIES, minTimeout: 50, maxTimeout: 3000, factor: 1.5, randomize: true },
          maxRetryTime: patience.raceSeconds * 1000,
          shouldRetry: ({ error }) => error instanceof RaceError,
        });
        return { commit, attempts };
      } catch (error) {
        throw error instanceof StoreError ? told(error) : error;
      }
    },
  };
}

const KEPT = 'The measured session itself is in the out folder and the artifact.';

/** N writers at once need up to N tries each; with the growing, jittered waits this bears dozens. */
const RETRIES = 30;
const PATIENCE: Patience = { raceSeconds: 90, serverWaits: [1, 2, 4, 8, 16] };

/** Somebody else was faster: the same again on top of theirs is right. */
class RaceError extends StoreError {}

/** The server or the network failed, and may not in a while. */
class PassingError extends StoreError {}

/** An error of asking a server. @param stderr git's answer */
const asking = (message: string, stderr: string): StoreError =>
  isPassing(stderr) ? new PassingError(message) : new StoreError(message);

interface Place {
  readonly directory: string;
  readonly branch: string;
  readonly remote: string;
  readonly env: Readonly<Record<string, string>>;
  /** The branch as a ref. */
  readonly name: string;
  readonly patience: Patience;
}

/**
 * The branch's tip, fetched where there is a remote; undefined without a branch.
 * @throws StoreError when the remote does not give it
 */
async function tip({ directory, branch, remote, env, name, patience }: Place): Promise<string | undefined> {
  if (!(await hasRemote(directory, remote))) {
    const local = await tryGit(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
    return local.status === 0 ? local.stdout.trim() : undefined;
  }
  const store = await gitStore(directory);
  const listed = await patiently(patience, async () =>
    tryInStore(store, 'objects', ['ls-remote', '--exit-code', remote, name], {
      env,
      timeoutSeconds: SERVER_SECONDS,
    }),
  );
  // Status 2 is git's word for "no such branch"; anything else is the remote not answering.
  if (listed.status === 2) return undefined;
  if (listed.status !== 0)
    throw asking(
      `The baseline branch ${branch} could not be read from ${remote}: ${gitReason(listed.stderr)}`,
      listed.stderr,
    );
  // A list is of the ref's whole name, so there is one line.
  const commit = listed.stdout.split(/\s/)[0] ?? '';
  const isHere = async () => (await tryGit(directory, ['cat-file', '-e', `${commit}^{tree}`])).status === 0;
  if (await isHere()) return commit;
  const fetched = await patiently(patience, async () => fetchInto(store, 'objects', remote, [name], { env }));
  if (await isHere()) return commit;
  // Somebody pushed between the two calls: the branch has moved, and the fetch got the newer one.
  if (fetched.status === 0) throw new RaceError(`The baseline branch ${branch} moves faster than it is read`);
  throw asking(
    `The baseline branch ${branch} could not be fetched from ${remote}: ${gitReason(fetched.stderr)}`,
    fetched.stderr,
  );
}

/** @throws RaceError where somebody was faster, StoreError where the branch may not be written */
async function push(place: Place, commit: string, parent: string | undefined): Promise<void> {
  const { directory, remote, env, name, patience } = place;
  if (!(await hasRemote(directory, remote))) {
    const update = await tryGit(directory, [
      ...['update-ref', name, commit],
      parent ?? '0'.repeat(commit.length),
    ]);
    if (update.status !== 0) throw refusal(place, update.stderr);
    return;
  }
  const store = await gitStore(directory);
  const pushed = await patiently(patience, async () =>
    tryInStore(
      store,
      'objects',
      [...PUSH, `--force-with-lease=${name}:${parent ?? ''}`, remote, `${commit}:${name}`],
      { env, timeoutSeconds: SERVER_SECONDS },
    ),
  );
  if (pushed.status !== 0) throw refusal(place, pushed.stderr);
}

/** What the user's settings add to a push is for the user's own branches. */
const PUSH = ['push', '--quiet', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];

/**
 * Whether the branch could be written now, as far as the server says it without a push: whether the token may push at
 * all, and whether another branch's name stands in the way. Rules of the server speak only when something is pushed.
 *
 * @throws StoreError with what is in the way
 */
async function tryPush(place: Place): Promise<void> {
  const { directory, remote, env, name, patience } = place;
  const hosted = await hasRemote(directory, remote);
  const inTheWay = await namesInTheWay(place, hosted);
  if (inTheWay.length > 0) throw blocked(place, inTheWay[0] ?? '');
  if (!hosted) return;
  const store = await gitStore(directory);
  const tree = await git(directory, ['hash-object', '-t', 'tree', '-w', '--stdin'], {
    env: store.writing,
    input: '',
  });
  const commit = await git(directory, ['commit-tree', tree, '-m', 'Nothing: a trial of the permission'], {
    env: { ...OWN_IDENTITY, ...store.writing },
  });
  const pushed = await patiently(patience, async () =>
    tryInStore(store, 'objects', [...PUSH, '--dry-run', '--force', remote, `${commit}:${name}`], {
      env,
      timeoutSeconds: SERVER_SECONDS,
    }),
  );
  if (pushed.status !== 0) throw refusal(place, pushed.stderr);
}

/** Branches that git cannot have beside this one: `bench` beside `bench/baseline`, and the other way round. */
async function namesInTheWay(
  { directory, remote, env, name, patience }: Place,
  hosted: boolean,
): Promise<string[]> {
  const parts = name.split('/');
  const above = parts.slice(3).map((_, index) => parts.slice(0, index + 3).join('/'));
  const patterns = [...above, `${name}/*`];
  if (!hosted) {
    const listed = await git(directory, ['for-each-ref', '--format=%(refname)', ...above, `${name}/`]);
    return listed.split('\n').filter((ref) => ref !== '');
  }
  const store = await gitStore(directory);
  const listed = await patiently(patience, async () =>
    tryInStore(store, 'objects', ['ls-remote', remote, ...patterns], { env, timeoutSeconds: SERVER_SECONDS }),
  );
  return listed.stdout
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '')
    .filter((ref) => above.includes(ref) || ref.startsWith(`${name}/`));
}

/** What git's answer to a push that failed means. */
function refusal(place: Place, stderr: string): StoreError {
  const { branch, remote } = place;
  const reason = gitReason(stderr);
  const other = /'(refs\/heads\/[^']+)' exists; cannot create/.exec(stderr)?.[1];
  if (other !== undefined) return blocked(place, other);
  if (RACED.test(stderr))
    return new RaceError(`The branch ${branch} was written by others at the same time: ${reason}`);
  const tried = `The session could not be pushed to the branch ${branch} of ${remote}: ${reason}`;
  if (isPassing(stderr))
    return new PassingError(`${tried}. The server did not answer as it should; run the job again`);
  if (/\bGH0\d\d\b|pre-receive|protected branch|declined|hook/i.test(stderr))
    return new StoreError(
      `${tried}. A rule of the server refuses it: except the branch ${branch} from the rule, or let the job's token pass it`,
    );
  return new StoreError(
    `${tried}. On GitHub the job needs the permission \`contents: write\`, and the branch must not be protected against it`,
  );
}

const blocked = ({ branch }: Place, ref: string) => {
  const other = ref.replace('refs/heads/', '');
  return new StoreError(
    `The branch ${branch} cannot be made, because the branch ${other} exists and git cannot keep both names. Delete ${other}, or choose another name with baseline-branch`,
  );
};

/** git's words for "somebody else was faster", with a remote and with a file of refs. */
const RACED =
  /stale info|fetch first|non-fast-forward|cannot lock ref|incorrect old value|failed to update ref|reference already exists/i;

/** git's words for a server or a network that fails now and may not in a moment; a refusal is none. */
const PASSING =
  /returned error: (5\d\d|429|408)|HTTP (5\d\d|429|408)|RPC failed|early EOF|hung up unexpectedly|unexpected disconnect|connection (was )?(reset|refused|timed out|closed)|operation timed out|could not resolve host|empty reply from server|did not end within|internal server error|service unavailable|bad gateway|gateway time-?out/i;

const isPassing = (stderr: string) =>
  PASSING.test(stderr) && !/Repository not found|Permission.* denied|returned error: 40[134]/i.test(stderr);

/** Asks again, after growing waits, while the server or the network fails in passing. */
async function patiently({ serverWaits }: Patience, ask: () => Promise<GitResult>): Promise<GitResult> {
  for (const seconds of serverWaits) {
    const answer = await ask();
    if (answer.status === 0 || !isPassing(answer.stderr)) return answer;
    await setTimeout(seconds * 1000);
  }
  return await ask();
}

async function readStored(
  directory: string,
  commit: string,
  configuration: string,
  blobs: SessionBlobs,
): Promise<StoredSessions & { readonly problems: readonly string[] }> {
  const folder = folderOf(configuration);
  const listed = await git(directory, [
    ...['ls-tree', '-r', '-z', commit],
    ...SESSION_FOLDERS.map((kind) => `${folder}/${kind}/`),
  ]);
  const stored = await blobs.read(
    listed.split('\0').flatMap((entry) => {
      const [, blob, path] = /^\d+ blob ([0-9a-f]+)\t(.*\.json)$/.exec(entry) ?? [];
      return blob === undefined || path === undefined ? [] : [{ blob, path }];
    }),
  );
  const found = await readSummaries(directory, commit, configuration);
  return typeof found === 'string'
    ? { ...stored, summaries: [], problems: [...stored.problems, found] }
    : { ...stored, summaries: found };
}

interface Blob {
  readonly blob: string;
  /** On the branch. */
  readonly path: string;
}

/** Sessions by the names of their contents: what was read once is not read again, however often a push is tried. */
interface SessionBlobs {
  /** Oldest first; `problems` name those that do not parse. */
  read(
    blobs: readonly Blob[],
  ): Promise<{ readonly sessions: readonly Session[]; readonly problems: readonly string[] }>;
}

function sessionBlobs(directory: string): SessionBlobs {
  const known = new Map<string, Session | string>();
  return {
    read: async (blobs) => {
      const sessions: Session[] = [];
      const problems: string[] = [];
      for (const { blob, path } of blobs) {
        const parsed = known.get(blob) ?? readSession(await git(directory, ['cat-file', 'blob', blob]));
        known.set(blob, parsed);
        const problem =
          typeof parsed === 'string'
            ? parsed
            : // The same measurements are one night, however often they are stored.
              sessions.some(({ id }) => id === parsed.id)
              ? `it has the id of another session (${parsed.id})`
              : undefined;
        if (typeof parsed === 'string' || problem !== undefined)
          problems.push(`${path} on the baseline branch is left out: ${problem ?? ''}`);
        else sessions.push(parsed);
      }
      sessions.sort((a, b) => (a.started < b.started ? -1 : 1));
      return { sessions, problems };
    },
  };
}

/**
 * What older nights were squashed into; none where the file is not there yet. A file that cannot be read is a sentence
 * that says so, and must not be written over: it may be all that is left of years.
 */
async function readSummaries(
  directory: string,
  commit: string,
  configuration: string,
): Promise<readonly Summary[] | string> {
  const path = summariesPath(configuration);
  const text = await readText(directory, commit, path);
  if (text === undefined) return [];
  const read = parseSummaries(text);
  if (typeof read !== 'string') return read;
  const found = isNewer(text)
    ? 'was written by a newer Pacegate, which this one cannot read: update Pacegate'
    : `is damaged (${read}): put back an older version of it, which the branch's history has (git log -- ${path})`;
  return `${path} of the commit ${commit.slice(0, 10)} on the baseline branch ${found}`;
}

/** @throws StoreError where a file would be written over that holds what nothing else does, or that is of a newer version */
async function refuseNewer(directory: string, commit: string, configuration: string): Promise<void> {
  const summaries = await readSummaries(directory, commit, configuration);
  if (typeof summaries === 'string') throw new StoreError(`${summaries}. Nothing was written on top of it`);
  // These can be made again from the sessions, so damage in them is mended by the next night.
  for (const path of [noisePath(configuration), rankingPath(configuration), 'index.json']) {
    const text = await readText(directory, commit, path);
    if (text !== undefined && isNewer(text))
      throw new StoreError(
        `${path} of the commit ${commit.slice(0, 10)} on the baseline branch was written by a newer Pacegate, which this one cannot read: update Pacegate. Nothing was written on top of it`,
      );
  }
}

/** A file of a commit, undefined where it has none. @throws StoreError where it has one that cannot be read */
async function readText(directory: string, commit: string, path: string): Promise<string | undefined> {
  const listed = await git(directory, ['ls-tree', '-z', commit, '--', path]);
  const blob = /^\d+ blob ([0-9a-f]+)\t/.exec(listed)?.[1];
  return blob === undefined ? undefined : await git(directory, ['cat-file', 'blob', blob]);
}

/** A session of the branch, or the sentence that says why it is none. */
function readSession(text: string): Session | string {
  try {
    return parseSession(text, 'the file');
  } catch (error) {
    return error instanceof Error
      ? error.message.replace(/^[^\n]*\n\s*/, '').replace(/\s*\n\s*/g, '; ')
      : String(error);
  }
}

interface Writing {
  readonly formerly: string | undefined;
  readonly directory: string;
  readonly remote: string;
  readonly blobs: SessionBlobs;
  readonly evaluation: Evaluation | undefined;
}

/** The next commit while it is made: files of a temporary index. */
interface Draft extends Writing {
  readonly configuration: string;
  /** What it follows. */
  readonly parent: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly add: (path: string, content: string) => Promise<void>;
}

/**
 * Builds the next commit in a temporary index: the user's work tree, index and branches are not touched. What goes to a
 * remote is kept out of the user's objects too; a branch that is local has them there.
 */
async function commitSession(
  writing: Writing,
  parent: string | undefined,
  session: Session,
  text: string,
): Promise<string> {
  const { directory } = writing;
  const { configuration } = session;
  const store = await gitStore(directory);
  const objects = (await hasRemote(directory, writing.remote)) ? store.writing : {};
  const folder = await mkdtemp(join(store.folder, 'index-'));
  const env = { GIT_INDEX_FILE: join(folder, 'index'), ...objects };
  try {
    const begun =
      parent === undefined ? undefined : await adopted(writing, parent, configuration, { ...env });
    if (begun !== undefined) {
      await refuseNewer(directory, begun, configuration);
      await git(directory, ['read-tree', begun], { env });
    }
    const add = async (path: string, content: string) => {
      const blob = await git(directory, ['hash-object', '-w', '--stdin'], { env, input: content });
      await git(directory, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], { env });
    };
    const draft: Draft = { ...writing, configuration, parent: begun, env, add };
    await add('README.md', README);
    await add(sessionPath(session, text), text);
    await evaluate(draft, await squashOld(draft));
    const files = (await sessionFiles(draft, '')).map(({ path }) => path);
    await add(
      'index.json',
      `${JSON.stringify({ format: 'pacegate-index', version: 1, sessions: files }, null, 1)}\n`,
    );
    const tree = await git(directory, ['write-tree'], { env });
    const commit = session.source.baseline?.commit.slice(0, 10) ?? 'a folder';
    return await git(
      directory,
      ['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent]), '-F', '-'],
      {
        input: `${configuration}: ${session.runs.length} runs of ${commit}${session.purpose === 'anchor' ? ', the anchor' : ''}\n`,
        env: { ...(await identity(directory)), ...objects },
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The old name that a configuration is to be read under; undefined where it has a folder of its own, or no old one. */
async function isAdopting(
  directory: string,
  commit: string,
  configuration: string,
  formerly: string | undefined,
): Promise<string | undefined> {
  if (formerly === undefined || formerly === configuration) return undefined;
  const folders = await git(directory, [
    ...['ls-tree', '-d', '--name-only', commit, '--'],
    ...[configuration, formerly].map(folderOf),
  ]);
  return folders.trim() === formerly ? formerly : undefined;
}

/**
 * The tree to go on from: that of the branch, or one in which the folder of the old name has the new one.
 * @param env with an index that nobody else uses yet
 */
async function adopted(
  { directory, formerly }: Writing,
  parent: string,
  configuration: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const old = await isAdopting(directory, parent, configuration, formerly);
  if (old === undefined) return parent;
  await git(directory, ['read-tree', parent], { env });
  const entries = (await git(directory, ['ls-files', '-s', '-z', '--', `${folderOf(old)}/`], { env }))
    .split('\0')
    .filter((entry) => entry !== '');
  const moves = entries.flatMap((entry) => {
    const [, mode = '', blob = '', path = ''] = /^(\d+) ([0-9a-f]+) \d+\t([^]*)$/.exec(entry) ?? [];
    const own = `${folderOf(configuration)}/${path.slice(old.length + 1)}`;
    return [`0 ${'0'.repeat(blob.length)}\t${path}`, `${mode} ${blob}\t${own}`];
  });
  await git(directory, ['update-index', '-z', '--index-info'], { env, input: `${moves.join('\0')}\0` });
  return await git(directory, ['write-tree'], { env });
}

/** @param prefix a folder with its slash; empty for all configurations */
async function sessionFiles({ directory, env }: Draft, prefix: string): Promise<readonly Blob[]> {
  const listed = await git(directory, ['ls-files', '-s', '-z', '--', prefix === '' ? '.' : prefix], { env });
  return listed
    .split('\0')
    .flatMap((entry) => {
      const [, blob, path] = SESSION_ENTRY.exec(entry) ?? [];
      return blob === undefined || path === undefined ? [] : [{ blob, path }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const SESSION_ENTRY = new RegExp(
  `^\\d+ ([0-9a-f]+) \\d+\\t([^/]+/(?:${SESSION_FOLDERS.join('|')})/[^/]+\\.json)$`,
);

/** Nights beyond the newest ninety become lines of the summaries; sessions of the anchor beyond them go. @returns all summaries */
async function squashOld(draft: Draft): Promise<readonly Summary[]> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  const before = await summariesBefore(draft);
  const files = await sessionFiles(draft, `${folderOf(configuration)}/`);
  const oldOf = (kind: SessionFolder) => {
    const own = files.filter(({ path }) => path.startsWith(`${folderOf(configuration)}/${kind}/`));
    return own.slice(0, Math.max(0, own.length - RAW_SESSIONS));
  };
  const [nights, anchors] = [oldOf('sessions'), oldOf('anchors')];
  const squashed: Summary[] = [];
  for (const night of nights) {
    const { sessions } = await blobs.read([night]);
    // What cannot be read cannot be summed up: it stays for a version, or a person, that can read it.
    if (sessions.length === 0) continue;
    squashed.push(...sessions.map((session) => summarise(session, evaluation?.outcome(session))));
    await git(directory, ['update-index', '--force-remove', night.path], { env });
  }
  for (const { path } of anchors) await git(directory, ['update-index', '--force-remove', path], { env });
  if (squashed.length === 0) return before;
  const summaries = [...before, ...squashed];
  await add(
    summariesPath(configuration),
    `${JSON.stringify({ format: 'pacegate-summaries', version: 1, summaries }, null, 1)}\n`,
  );
  return summaries;
}

/** @throws StoreError where they cannot be read */
async function summariesBefore({ directory, parent, configuration }: Draft): Promise<readonly Summary[]> {
  if (parent === undefined) return [];
  const found = await readSummaries(directory, parent, configuration);
  if (typeof found === 'string') throw new StoreError(found);
  return found;
}

/** Writes what all of it says together. */
async function evaluate(draft: Draft, summaries: readonly Summary[]): Promise<void> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  if (evaluation === undefined) return;
  const { sessions } = await blobs.read(await sessionFiles(draft, `${folderOf(configuration)}/`));
  await add(noisePath(configuration), evaluation.noise({ sessions, summaries }, configuration));
  const ranking = evaluation.ranking({ sessions, summaries });
  // One that nothing makes again would be read as today's.
  if (ranking === undefined)
    await git(directory, ['update-index', '--force-remove', rankingPath(configuration)], { env });
  else await add(rankingPath(configuration), ranking);
}

const [NAME, EMAIL] = ['pacegate', 'pacegate@users.noreply.github.com'];
const OWN_IDENTITY = {
  GIT_AUTHOR_NAME: NAME,
  GIT_AUTHOR_EMAIL: EMAIL,
  GIT_COMMITTER_NAME: NAME,
  GIT_COMMITTER_EMAIL: EMAIL,
};

/** Who the commits are by: the user where git knows one for both of its roles, else the tool. */
async function identity(directory: string): Promise<Record<string, string>> {
  for (const role of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    // Without the setting git makes up an address of the machine's name where it can.
    const known = await tryGit(directory, ['-c', 'user.useConfigOnly=true', 'var', role]);
    if (known.status !== 0) return OWN_IDENTITY;
  }
  return {};
}

async function hasRemote(directory: string, remote: string): Promise<boolean> {
  // An address needs no entry in the repository's configuration.
  if (remote.includes('/')) return true;
  return (await tryGit(directory, ['remote', 'get-url', remote])).status === 0;
}
