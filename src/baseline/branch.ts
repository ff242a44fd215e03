import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pRetry, { AbortError } from 'p-retry';
import { StoreError } from '../errors/errors.ts';
import { git, tryGit } from '../process/git.ts';
import type { NightOutcome } from '../session/history.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import {
  folderOf,
  noisePath,
  rankingPath,
  RAW_SESSIONS,
  README,
  SESSION_FOLDERS,
  sessionPath,
  sessionText,
  summarise,
  summariesPath,
  summariesSchema,
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
}

export interface BranchOptions {
  /** A folder inside the repository. */
  readonly directory: string;
  readonly branch: string;
  readonly remote?: string;
  /** Credentials for the remote, as environment for git. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without it a session is kept and nothing is made of it. */
  readonly evaluation?: Evaluation;
}

/** N writers at once need up to N tries each; with the growing, jittered waits this bears dozens. */
const RETRIES = 30;

/** Opens the branch that keeps baselines: an orphan, written with plain git, so that any forge will do. */
export function openBaselineBranch(options: BranchOptions): BaselineBranch {
  const { directory, branch, remote = 'origin', env = {}, evaluation } = options;
  const blobs = sessionBlobs(directory);
  const name = `refs/heads/${branch}`;

  /** The branch's tip, fetched where there is a remote; undefined without a branch. */
  const tip = async (): Promise<string | undefined> => {
    if (!(await hasRemote(directory, remote))) {
      const local = await tryGit(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
      return local.status === 0 ? local.stdout.trim() : undefined;
    }
    const listed = await tryGit(directory, ['ls-remote', '--exit-code', remote, name], { env });
    // Status 2 is git's word for "no such branch"; anything else is the remote not answering.
    if (listed.status === 2) return undefined;
    if (listed.status !== 0)
      throw new StoreError(
        `The baseline branch ${branch} could not be read from ${remote}: ${lastLine(listed.stderr)}`,
      );
    const fetched = await tryGit(
      directory,
      // No FETCH_HEAD and no ref: writers in one repository must not meet in a file of git's own.
      ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--depth=1', remote, name],
      { env },
    );
    const commit = listed.stdout.split(/\s/)[0] ?? '';
    const here = await tryGit(directory, ['cat-file', '-e', `${commit}^{tree}`]);
    if (here.status === 0) return commit;
    // Somebody pushed between the two calls: the branch has moved, and the fetch got the newer one.
    throw new StoreError(`The baseline branch ${branch} could not be fetched: ${lastLine(fetched.stderr)}`);
  };

  const push = async (commit: string, parent: string | undefined): Promise<void> => {
    if (!(await hasRemote(directory, remote))) {
      const update = await tryGit(directory, [
        'update-ref',
        name,
        commit,
        parent ?? '0'.repeat(commit.length),
      ]);
      if (update.status !== 0) throw new StoreError(`raced: ${lastLine(update.stderr)}`);
      return;
    }
    const pushed = await tryGit(
      directory,
      [
        'push',
        '--quiet',
        '--no-verify',
        `--force-with-lease=${name}:${parent ?? ''}`,
        remote,
        `${commit}:${name}`,
      ],
      { env },
    );
    if (pushed.status === 0) return;
    const message = pushed.stderr.trim();
    if (RACED.test(message)) throw new StoreError(`raced: ${lastLine(message)}`);
    throw new AbortError(
      new StoreError(
        `The session could not be pushed to the branch ${branch} of ${remote}: ${lastLine(message)}. On GitHub the job needs the permission \`contents: write\`, and the branch must not be protected against it. The measured session itself is in the out folder and the artifact.`,
      ),
    );
  };

  return {
    read: async (configuration) => {
      const commit = await tip();
      return commit === undefined
        ? { sessions: [], summaries: [], problems: [] }
        : await readStored(directory, commit, configuration, blobs);
    },
    append: async (session) => {
      let attempts = 0;
      const text = sessionText(session);
      const commit = await pRetry(
        async () => {
          attempts += 1;
          const parent = await tip();
          const made = await commitSession({ directory, blobs, evaluation }, parent, session, text);
          await push(made, parent);
          return made;
        },
        { retries: RETRIES, minTimeout: 50, maxTimeout: 3000, factor: 1.5, randomize: true },
      );
      return { commit, attempts };
    },
  };
}

/** git's words for "somebody else was faster", with a remote and with a file of refs. */
const RACED =
  /stale info|fetch first|non-fast-forward|cannot lock ref|incorrect old value|failed to update ref|reference already exists/i;

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
  const summaries = await readSummaries(directory, `${commit}:${summariesPath(configuration)}`);
  return { ...stored, summaries };
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
        if (typeof parsed === 'string')
          problems.push(`${path} on the baseline branch is left out: ${parsed}`);
        else sessions.push(parsed);
      }
      sessions.sort((a, b) => (a.started < b.started ? -1 : 1));
      return { sessions, problems };
    },
  };
}

/** @param object as git names it; one that is not there, or is of another version, has none */
async function readSummaries(
  directory: string,
  object: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Summary[]> {
  const existing = await tryGit(directory, ['cat-file', 'blob', object], { env });
  const parsed = existing.status === 0 ? summariesSchema.safeParse(parseJson(existing.stdout)) : undefined;
  return parsed?.success === true ? parsed.data.summaries : [];
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
  readonly directory: string;
  readonly blobs: SessionBlobs;
  readonly evaluation: Evaluation | undefined;
}

/** The next commit while it is made: files of a temporary index. */
interface Draft extends Writing {
  readonly configuration: string;
  readonly env: Readonly<Record<string, string>>;
  readonly add: (path: string, content: string) => Promise<void>;
}

/** Builds the next commit in a temporary index: the user's work tree, index and branches are not touched. */
async function commitSession(
  writing: Writing,
  parent: string | undefined,
  session: Session,
  text: string,
): Promise<string> {
  const { directory } = writing;
  const { configuration } = session;
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-index-'));
  const env = { GIT_INDEX_FILE: join(folder, 'index') };
  try {
    if (parent !== undefined) await git(directory, ['read-tree', parent], { env });
    const add = async (path: string, content: string) => {
      const blob = await git(directory, ['hash-object', '-w', '--stdin'], { input: content });
      await git(directory, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], { env });
    };
    const draft: Draft = { ...writing, configuration, env, add };
    await add('README.md', README);
    await add(sessionPath(session, text), text);
    await squashOld(draft);
    await evaluate(draft);
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
        env: await identity(directory),
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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

/** Nights beyond the newest ninety become lines of the summaries; sessions of the anchor beyond them go. */
async function squashOld(draft: Draft): Promise<void> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  const files = await sessionFiles(draft, `${folderOf(configuration)}/`);
  const oldOf = (kind: SessionFolder) => {
    const own = files.filter(({ path }) => path.startsWith(`${folderOf(configuration)}/${kind}/`));
    return own.slice(0, Math.max(0, own.length - RAW_SESSIONS));
  };
  const [nights, anchors] = [oldOf('sessions'), oldOf('anchors')];
  for (const { path } of [...nights, ...anchors])
    await git(directory, ['update-index', '--force-remove', path], { env });
  if (nights.length === 0) return;
  const path = summariesPath(configuration);
  const { sessions } = await blobs.read(nights);
  const summaries = [
    ...(await readSummaries(directory, `:${path}`, env)),
    ...sessions.map((session) => summarise(session, evaluation?.outcome(session))),
  ];
  await add(path, `${JSON.stringify({ format: 'pacegate-summaries', version: 1, summaries }, null, 1)}\n`);
}

/** Writes what all of it says together. */
async function evaluate(draft: Draft): Promise<void> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  if (evaluation === undefined) return;
  const { sessions } = await blobs.read(await sessionFiles(draft, `${folderOf(configuration)}/`));
  const summaries = await readSummaries(directory, `:${summariesPath(configuration)}`, env);
  await add(noisePath(configuration), evaluation.noise({ sessions, summaries }, configuration));
  const ranking = evaluation.ranking({ sessions, summaries });
  // One that nothing makes again would be read as today's.
  if (ranking === undefined)
    await git(directory, ['update-index', '--force-remove', rankingPath(configuration)], { env });
  else await add(rankingPath(configuration), ranking);
}

/** Who the commits are by: the user where git knows one, else the tool. */
async function identity(directory: string): Promise<Record<string, string>> {
  const known = await tryGit(directory, ['config', '--get', 'user.email']);
  if (known.status === 0 || process.env['GIT_AUTHOR_EMAIL'] !== undefined) return {};
  const [name, email] = ['pacegate', 'pacegate@users.noreply.github.com'];
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

async function hasRemote(directory: string, remote: string): Promise<boolean> {
  return (await tryGit(directory, ['remote', 'get-url', remote])).status === 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? 'no message';
