import { posix } from 'node:path';
import { git } from '../process/git.ts';

/**
 * What git knows the files of `workload.files` by on one side, without writing them out.
 * @param tree a commit or a tree
 * @param context the folder that the paths start from, relative to the top
 * @returns path in the context -> mode and object; a path that the tree does not have is not in it
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
  // A whole context is the tree itself: git has no entry for `.`.
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
