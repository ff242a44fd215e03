import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describesProject, MOST_BYTES, MOST_TEXTS, type ProjectFiles } from '../init/project-files.ts';
import { git } from '../process/git.ts';

/** Folders that hold installed or generated files. */
const NOT_WALKED = new Set([
  '.git',
  '.venv',
  'venv',
  'env',
  'node_modules',
  '__pycache__',
  '.tox',
  '.nox',
  'dist',
]);
/** The maximum number of paths to read from a plain folder. */
const MOST_PATHS = 50_000;

/** The files of a project: the commit's files and new files that are not ignored, or all files of a plain folder. */
export async function listProject(top: string, repository: boolean): Promise<ProjectFiles> {
  const paths = repository ? await listedByGit(top) : await walked(top);
  const telling = paths.filter(describesProject).sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const texts = new Map<string, string>();
  const missing = new Set<string>();
  for (const path of telling.slice(0, MOST_TEXTS)) {
    const text = await textOf(join(top, path));
    if (text === 'missing') missing.add(path);
    else if (text !== undefined) texts.set(path, text.content);
  }
  return { paths: paths.filter((path) => !missing.has(path)).sort(), texts };
}

const depth = (path: string) => path.split('/').length;

async function listedByGit(top: string): Promise<readonly string[]> {
  const listed = await git(top, [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--deduplicate',
  ]);
  return listed.split('\0').filter((path) => path !== '');
}

async function walked(top: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(top, folder), { withFileTypes: true })) {
      if (found.length >= MOST_PATHS) return;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && !NOT_WALKED.has(entry.name)) await walk(path);
    }
  };
  await walk('');
  return found;
}

/** @returns the text; `missing` if Git lists a file that was deleted; undefined if it is not a small file */
async function textOf(path: string): Promise<{ readonly content: string } | 'missing' | undefined> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return 'missing';
  if (!status.isFile() || status.size > MOST_BYTES) return undefined;
  return { content: await readFile(path, 'utf8') };
}
