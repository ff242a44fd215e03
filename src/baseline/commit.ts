import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../process/git.ts';
import { gitStore } from '../process/git-store.ts';
import type { Session } from '../session/session.ts';
import { adopted } from './adoption.ts';
import { README, sessionPath } from './format.ts';
import { evaluate, sessionFiles, squashOld, type Tree, type Writing } from './draft.ts';
import { identity } from './identity.ts';
import { refuseNewer } from './read.ts';
import { hasRemote } from './remote.ts';

/** Builds the next commit of the branch. */

/** What the next commit is made of. */
export interface NextCommit {
  /**
   * The commit or tree whose files are the beginning; undefined for none.
   * @param env names a temporary index, which may be used
   */
  readonly begin: (env: Readonly<Record<string, string>>) => Promise<string | undefined>;
  /** Changes the files. */
  readonly change: (tree: Tree) => Promise<void>;
  readonly parents: readonly string[];
  readonly message: string;
}

/**
 * Builds a commit in a temporary index, so that the user's work tree, index and branches stay unchanged. With a remote
 * the new objects also stay out of the user's object store. A local branch needs them there.
 */
export async function buildCommit(writing: Writing, next: NextCommit): Promise<string> {
  const { directory } = writing;
  const store = await gitStore(directory);
  const objects = (await hasRemote(directory, writing.remote)) ? store.writing : {};
  const folder = await mkdtemp(join(store.folder, 'index-'));
  const env = { GIT_INDEX_FILE: join(folder, 'index'), ...objects };
  try {
    const parent = await next.begin(env);
    if (parent !== undefined) await git(directory, ['read-tree', parent], { env });
    const add = async (path: string, content: string) => {
      const blob = await git(directory, ['hash-object', '-w', '--stdin'], { env, input: content });
      await git(directory, ['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], { env });
    };
    const tree: Tree = { ...writing, parent, env, add };
    await add('README.md', README);
    await next.change(tree);
    const sessions = (await sessionFiles(tree, '')).map(({ path }) => path);
    await add(
      'index.json',
      `${JSON.stringify({ format: 'pacegate-index', version: 1, sessions }, null, 1)}\n`,
    );
    return await git(
      directory,
      [
        ...['commit-tree', await git(directory, ['write-tree'], { env })],
        ...next.parents.flatMap((commit) => ['-p', commit]),
        ...['-F', '-'],
      ],
      { input: `${next.message}\n`, env: { ...(await identity(directory)), ...objects } },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A commit with one more session. */
export async function commitSession(
  writing: Writing,
  parent: string | undefined,
  session: Session,
  text: string,
): Promise<string> {
  const { configuration, purpose, runs, source } = session;
  const commit = source.baseline?.commit.slice(0, 10) ?? 'a folder';
  return await buildCommit(writing, {
    parents: parent === undefined ? [] : [parent],
    message: `${configuration}: ${runs.length} runs of ${commit}${purpose === 'anchor' ? ', the anchor' : ''}`,
    begin: async (env) => {
      if (parent === undefined) return undefined;
      const begun = await adopted(writing, parent, configuration, env);
      await refuseNewer(writing.directory, begun, configuration);
      return begun;
    },
    change: async (tree) => {
      await tree.add(sessionPath(session, text), text);
      const draft = { ...tree, configuration };
      const { summaries } = await squashOld(draft);
      await evaluate(draft, summaries);
    },
  });
}
