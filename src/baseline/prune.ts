import { git } from '../process/git.ts';
import type { Pruned } from '../session/branch-contents.ts';
import { buildCommit } from './commit.ts';
import { evaluate, squashOld, type Writing } from './draft.ts';
import { SESSION_FOLDERS } from './format.ts';
import { refuseNewer } from './read.ts';

/**
 * Makes the branch one commit: old nights become summaries, and the commits before are dropped, so that git can delete
 * their files. Files that Pacegate did not write, or cannot read, stay.
 * @param nightsKept nights of each configuration that stay in full
 * @throws StoreError if a file cannot be read that no other file could restore; nothing is changed then
 */
export async function commitPruned(
  writing: Writing,
  tip: string,
  nightsKept: number,
): Promise<Pick<Pruned, 'commit' | 'configurations'>> {
  const { directory } = writing;
  const configurations: Pruned['configurations'][number][] = [];
  const commit = await buildCommit(writing, {
    parents: [],
    message: `Prune: keep ${nightsKept} of each configuration's nights in full`,
    begin: async () => await Promise.resolve(tip),
    change: async (tree) => {
      for (const configuration of await configurationsAt(directory, tip)) {
        await refuseNewer(directory, tip, configuration);
        const draft = { ...tree, configuration };
        const { summaries, ...counts } = await squashOld(draft, nightsKept);
        await evaluate(draft, summaries);
        configurations.push({ configuration, ...counts });
      }
    },
  });
  return { commit, configurations };
}

/** The configurations that have sessions at a commit of the branch. */
async function configurationsAt(directory: string, commit: string): Promise<readonly string[]> {
  const listed = await git(directory, ['ls-tree', '-r', '-d', '-z', '--name-only', commit]);
  const folders = listed.split('\0').flatMap((path) => {
    const [configuration = '', kind, ...more] = path.split('/');
    return more.length === 0 && SESSION_FOLDERS.some((name) => name === kind) ? [configuration] : [];
  });
  return [...new Set(folders)].filter((name) => /^[a-z0-9][a-z0-9._-]*$/.test(name));
}
