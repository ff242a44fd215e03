import { git } from '../process/git.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';

/** A session's file, identified by the hash of its content. */
export interface Blob {
  readonly blob: string;
  /** On the branch. */
  readonly path: string;
}

/** Caches sessions by the hashes of their contents, so that repeated pushes do not parse them again. */
export interface SessionBlobs {
  /** Oldest first; `problems` names the sessions that do not parse. */
  read(
    blobs: readonly Blob[],
  ): Promise<{ readonly sessions: readonly Session[]; readonly problems: readonly string[] }>;
}

export function sessionBlobs(directory: string): SessionBlobs {
  const known = new Map<string, Session | string>();
  return {
    read: async (blobs) => {
      const sessions: Session[] = [];
      const problems: string[] = [];
      for (const { blob, path } of blobs) {
        const parsed = known.get(blob) ?? readSession(await git(directory, ['cat-file', 'blob', blob]));
        known.set(blob, parsed);
        const problem =
          typeof parsed === 'string'
            ? parsed
            : // The same measurements count as one night, even if they are stored several times.
              sessions.some(({ id }) => id === parsed.id)
              ? `it has the id of another session (${parsed.id})`
              : undefined;
        if (typeof parsed === 'string' || problem !== undefined)
          problems.push(`${path} on the baseline branch is skipped: ${problem ?? ''}`);
        else sessions.push(parsed);
      }
      sessions.sort((a, b) => (a.started < b.started ? -1 : 1));
      return { sessions, problems };
    },
  };
}

/** A session of the branch, or a sentence with the error. */
export function readSession(text: string): Session | string {
  try {
    return parseSession(text, 'the file');
  } catch (error) {
    return error instanceof Error
      ? error.message.replace(/^[^\n]*\n\s*/, '').replace(/\s*\n\s*/g, '; ')
      : String(error);
  }
}
