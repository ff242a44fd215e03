import { StoreError } from '../errors/errors.ts';
import { git } from '../process/git.ts';
import {
  badgePath,
  folderOf,
  noisePath,
  rankingPath,
  RAW_SESSIONS,
  SESSION_FOLDERS,
  summarise,
  summariesPath,
  type SessionFolder,
  type Summary,
} from './format.ts';
import { readSummaries } from './read.ts';
import type { Blob, SessionBlobs } from './session-blobs.ts';
import type { Evaluation } from './stored.ts';

/** Makes the files of the next commit: squashes old nights into summaries and evaluates all sessions again. */

/** What every commit of one opened branch needs. */
export interface Writing {
  readonly formerly: string | undefined;
  readonly directory: string;
  readonly remote: string;
  readonly blobs: SessionBlobs;
  readonly evaluation: Evaluation | undefined;
}

/** The next commit under construction: files in a temporary index. */
export interface Tree extends Writing {
  /** The parent commit. */
  readonly parent: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly add: (path: string, content: string) => Promise<void>;
}

/** The same, for the files of one configuration. */
export interface Draft extends Tree {
  readonly configuration: string;
}

/** @param prefix a folder with a trailing slash; empty for all configurations */
export async function sessionFiles({ directory, env }: Tree, prefix: string): Promise<readonly Blob[]> {
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

/** What the squash of old sessions leaves. */
export interface Squashed {
  /** All summaries, the new ones last. */
  readonly summaries: readonly Summary[];
  /** Sessions that stay in full. */
  readonly kept: number;
  /** Nights that became summaries. */
  readonly summarised: number;
  /** Sessions of the anchor that were removed. */
  readonly dropped: number;
}

/**
 * Squashes the nights older than the newest ones into summaries, and removes the anchor's sessions beyond ninety.
 * @param nightsKept nights that stay in full
 */
export async function squashOld(draft: Draft, nightsKept = RAW_SESSIONS): Promise<Squashed> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  const before = await summariesBefore(draft);
  const files = await sessionFiles(draft, `${folderOf(configuration)}/`);
  const oldOf = (kind: SessionFolder, kept: number) => {
    const own = files.filter(({ path }) => path.startsWith(`${folderOf(configuration)}/${kind}/`));
    return own.slice(0, Math.max(0, own.length - kept));
  };
  const [nights, anchors] = [oldOf('sessions', nightsKept), oldOf('anchors', RAW_SESSIONS)];
  const squashed: Summary[] = [];
  for (const night of nights) {
    const { sessions } = await blobs.read([night]);
    // A session that cannot be read cannot be summarised. It stays for a version, or a person, that can read it.
    if (sessions.length === 0) continue;
    squashed.push(...sessions.map((session) => summarise(session, evaluation?.outcome(session))));
    await git(directory, ['update-index', '--force-remove', night.path], { env });
  }
  for (const { path } of anchors) await git(directory, ['update-index', '--force-remove', path], { env });
  const summaries = [...before, ...squashed];
  if (squashed.length > 0)
    await add(
      summariesPath(configuration),
      `${JSON.stringify({ format: 'pacegate-summaries', version: 1, summaries }, null, 1)}\n`,
    );
  const [summarised, dropped] = [squashed.length, anchors.length];
  return { summaries, kept: files.length - summarised - dropped, summarised, dropped };
}

/** @throws StoreError if they cannot be read */
async function summariesBefore({ directory, parent, configuration }: Draft): Promise<readonly Summary[]> {
  if (parent === undefined) return [];
  const found = await readSummaries(directory, parent, configuration);
  if (typeof found === 'string') throw new StoreError(found);
  return found;
}

/** Writes the files that are computed from all sessions. */
export async function evaluate(draft: Draft, summaries: readonly Summary[]): Promise<void> {
  const { directory, configuration, env, add, blobs, evaluation } = draft;
  if (evaluation === undefined) return;
  const { sessions } = await blobs.read(await sessionFiles(draft, `${folderOf(configuration)}/`));
  await add(noisePath(configuration), evaluation.noise({ sessions, summaries }, configuration));
  const stored = { sessions, summaries };
  for (const [path, text] of [
    [rankingPath(configuration), evaluation.ranking(stored)],
    [badgePath(configuration), evaluation.badge(stored)],
  ] as const)
    // A file that is no longer updated would be read as current.
    if (text === undefined) await git(directory, ['update-index', '--force-remove', path], { env });
    else await add(path, text);
}
