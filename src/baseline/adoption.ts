import { git } from '../process/git.ts';
import { folderOf } from './format.ts';

/** Renames the folder of a configuration that an earlier version of Pacegate stored under another name. */

/** Whether to read a configuration under its old name: it has no folder of its own, and the branch has the old one. */
export async function isAdopting(
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
 * The tree to continue from: the branch's own, or a copy in which the old folder has the new name.
 * @param env names a temporary index file of Git
 */
export async function adopted(
  { directory, formerly }: { readonly directory: string; readonly formerly: string | undefined },
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
