import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../process/git.ts';
import { gitStore } from '../process/git-store.ts';
import type { Session } from '../session/session.ts';
import { adopted } from './adoption.ts';
import { README, sessionPath } from './format.ts';
import { evaluate, sessionFiles, squashOld, type Draft, type Writing } from './draft.ts';
import { identity } from './identity.ts';
import { refuseNewer } from './read.ts';
import { hasRemote } from './remote.ts';

/**
 * Builds the next commit in a temporary index, so that the user's work tree, index and branches stay unchanged. With a
 * remote the new objects also stay out of the user's object store. A local branch needs them there.
 */
export async function commitSession(
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
