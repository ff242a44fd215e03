import { posix } from 'node:path';
import { git } from '../process/git.ts';

/**
 * Git's modes and object names of the files of `workload.files` on one side, read without exporting them.
 * @param tree a commit or a tree
 * @param context the folder that the paths start from, relative to the top
 * @returns path in the context -> mode and object; paths that the tree lacks are absent
 */
export async function measuringFiles(
  directory: string,
  tree: string,
  context: string,
  paths: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  if (paths.length === 0) return {};
  const folder = posix.normalize(context);
  const inTree = (path: string) => posix.normalize(posix.join(folder, path)).replace(/\/$/, '');
  // If a path is the whole context, the whole tree is listed, because git has no entry for `.`.
  const named = paths.map(inTree).filter((path) => path !== '.');
  const listed = await git(directory, [
    ...['ls-tree', '-r', '-z', '--full-tree', tree],
    ...(named.length === paths.length ? ['--', ...named] : []),
  ]);
  return Object.fromEntries(
    listed
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => {
        const [entry = '', path = ''] = line.split('\t');
        return [posix.relative(folder, path), entry];
      }),
  );
}
