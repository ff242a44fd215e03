import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pRetry, { AbortError } from 'p-retry';
import { StoreError } from '../errors/errors.ts';
import { git, tryGit } from '../process/git.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import {
  folderOf,
  RAW_SESSIONS,
  README,
  sessionPath,
  sessionText,
  summarise,
  summariesPath,
  summariesSchema,
  type Summary,
} from './format.ts';

export interface BaselineBranch {
  /**
   * The stored sessions of a configuration, oldest first; none where there is no branch yet.
   * `problems` name files that do not parse: they are left out, never trusted and never fatal.
   */
  read(
    configuration: string,
  ): Promise<{ readonly sessions: readonly Session[]; readonly problems: readonly string[] }>;
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
}

/** N writers at once need up to N tries each; with the growing, jittered waits this bears dozens. */
const RETRIES = 30;

/** Opens the branch that keeps baselines: an orphan, written with plain git, so that any forge will do. */
export function openBaselineBranch(options: BranchOptions): BaselineBranch {
  const { directory, branch, remote = 'origin', env = {} } = options;
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
        ? { sessions: [], problems: [] }
        : await readSessions(directory, commit, folderOf(configuration));
    },
    append: async (session) => {
      let attempts = 0;
      const text = sessionText(session);
      const commit = await pRetry(
        async () => {
          attempts += 1;
          const parent = await tip();
          const made = await commitSession(directory, parent, session, text);
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

async function readSessions(directory: string, commit: string, folder: string) {
  const listed = await git(directory, ['ls-tree', '-r', '-z', '--name-only', commit, `${folder}/sessions/`]);
  const paths = listed.split('\0').filter((path) => path.endsWith('.json'));
  const sessions: Session[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    const parsed = readSession(await git(directory, ['cat-file', 'blob', `${commit}:${path}`]));
    if (typeof parsed === 'string') problems.push(`${path} on the baseline branch is left out: ${parsed}`);
    else sessions.push(parsed);
  }
  sessions.sort((a, b) => (a.started < b.started ? -1 : 1));
  return { sessions, problems };
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

/** Builds the next commit in a temporary index: the user's work tree, index and branches are not touched. */
async function commitSession(
  directory: string,
  parent: string | undefined,
  session: Session,
  text: string,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-index-'));
  const env = { GIT_INDEX_FILE: join(folder, 'index') };
  try {
    if (parent !== undefined) await git(directory, ['read-tree', parent], { env });
    const add = async (path: string, content: string) => {
      const blob = await git(directory, ['hash-object', '-w', '--stdin'], { input: content });
      await git(directory, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], { env });
    };
    await add('README.md', README);
    await add(sessionPath(session, text), text);
    await squashOld(directory, session.configuration, env, add);
    const files = await sessionFiles(directory, '', env);
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
        input: `${session.configuration}: ${session.runs.length} runs of ${commit}\n`,
        env: await identity(directory),
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const sessionFiles = async (directory: string, prefix: string, env: Record<string, string>) =>
  (await git(directory, ['ls-files', '-z', '--', prefix === '' ? '.' : prefix], { env }))
    .split('\0')
    .filter((path) => /^[^/]+\/sessions\/[^/]+\.json$/.test(path))
    .sort();

/** Sessions beyond the newest ninety become lines of the summaries. */
async function squashOld(
  directory: string,
  configuration: string,
  env: Record<string, string>,
  add: (path: string, content: string) => Promise<void>,
): Promise<void> {
  const files = await sessionFiles(directory, `${folderOf(configuration)}/sessions/`, env);
  const old = files.slice(0, Math.max(0, files.length - RAW_SESSIONS));
  if (old.length === 0) return;
  const path = summariesPath(configuration);
  const existing = await tryGit(directory, ['cat-file', 'blob', `:${path}`], { env });
  const parsed = existing.status === 0 ? summariesSchema.safeParse(parseJson(existing.stdout)) : undefined;
  const summaries: Summary[] = parsed?.success === true ? [...parsed.data.summaries] : [];
  for (const file of old) {
    const session = readSession(await git(directory, ['cat-file', 'blob', `:${file}`], { env }));
    if (typeof session !== 'string') summaries.push(summarise(session));
    await git(directory, ['update-index', '--force-remove', file], { env });
  }
  await add(path, `${JSON.stringify({ format: 'pacegate-summaries', version: 1, summaries }, null, 1)}\n`);
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
