import { git } from '../process/git.ts';
import type { BranchContents, BranchFile, StoredSession } from '../session/branch-contents.ts';
import { parseJson } from '../session/json.ts';
import { contentDigest, isNewer, parseSummaries, SESSION_FOLDERS } from './format.ts';
import { readSession } from './session-blobs.ts';

/** Reads and checks every file of the baseline branch at a commit. */
export async function readContents(
  directory: string,
  branch: string,
  commit: string,
): Promise<BranchContents> {
  const listed = await git(directory, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit]);
  const entries = listed.split('\0').flatMap((entry) => {
    const [, mode = '', object = '', size = '', path] = ENTRY.exec(entry) ?? [];
    return path === undefined ? [] : [{ isFile: mode === '100644', object, bytes: Number(size), path }];
  });
  const files: BranchFile[] = [];
  for (const { isFile, object, bytes, path } of entries) {
    const place = isFile ? placeOf(path) : undefined;
    const read =
      place === undefined
        ? { kind: 'foreign' as const }
        : readFile(path, place, await git(directory, ['cat-file', 'blob', object]));
    files.push({ path, bytes: Number.isNaN(bytes) ? 0 : bytes, ...read });
  }
  return { branch, commit, files: files.map((file) => checkedTogether(file, files)) };
}

const ENTRY = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t([^]+)$/;

/** What Pacegate keeps at a path of the branch. */
type FilePlace =
  | { readonly kind: 'session'; readonly configuration: string; readonly folder: StoredSession['folder'] }
  | { readonly kind: 'summaries'; readonly configuration: string }
  | { readonly kind: 'computed' }
  | { readonly kind: 'text' };

function placeOf(path: string): FilePlace | undefined {
  if (path === 'README.md') return { kind: 'text' };
  if (path === 'index.json') return { kind: 'computed' };
  const [configuration = '', name = '', file, ...more] = path.split('/');
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(configuration) || more.length > 0) return undefined;
  if (file === undefined)
    return name === 'summaries.json'
      ? { kind: 'summaries', configuration }
      : ['noise.json', 'ranking.json', 'badge.json'].includes(name)
        ? { kind: 'computed' }
        : undefined;
  const folder = SESSION_FOLDERS.find((kind) => kind === name);
  return folder !== undefined && file.endsWith('.json')
    ? { kind: 'session', configuration, folder }
    : undefined;
}

/** One variant of the union without its path and size. */
type Read = BranchFile extends infer File
  ? File extends BranchFile
    ? Omit<File, 'path' | 'bytes'>
    : never
  : never;

function readFile(path: string, place: FilePlace, text: string): Read {
  switch (place.kind) {
    case 'text':
      return { kind: 'computed' };
    case 'computed': {
      if (parseJson(text) === undefined) return damaged('is not JSON. The next night writes it again');
      return isNewer(text) ? damaged(NEWER) : { kind: 'computed' };
    }
    case 'summaries': {
      if (isNewer(text)) return damaged(NEWER);
      const summaries = parseSummaries(text);
      return typeof summaries === 'string'
        ? damaged(`cannot be read (${summaries}). Restore an older version: git log -- ${path}`)
        : { kind: 'summaries', configuration: place.configuration, nights: summaries.length };
    }
    case 'session': {
      const session = readSession(text);
      if (typeof session === 'string') return damaged(`cannot be read (${session})`);
      const named = /-([0-9a-f]{12})\.json$/.exec(path)?.[1];
      // Git strips the last line's end from what it prints.
      return named === undefined || [text, `${text}\n`].some((whole) => contentDigest(whole) === named)
        ? { kind: 'session', configuration: place.configuration, folder: place.folder, session }
        : damaged(`was changed after it was written: its name has the digest ${named} of other content`);
    }
  }
}

const NEWER = 'was written by a newer Pacegate, which this one cannot read. Update Pacegate';
const damaged = (reason: string): Read => ({ kind: 'damaged', reason });

/** Checks a file against the others: no session twice. */
function checkedTogether(file: BranchFile, all: readonly BranchFile[]): BranchFile {
  if (file.kind !== 'session') return file;
  const same = all.find(
    (other) =>
      other.kind === 'session' &&
      other.configuration === file.configuration &&
      other.session.id === file.session.id,
  );
  return same === undefined || same.path === file.path
    ? file
    : { path: file.path, bytes: file.bytes, kind: 'damaged', reason: `is the session of ${same.path} again` };
}
