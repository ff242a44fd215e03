import { git } from '../process/git.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';

/** A session's file by the name of its content. */
export interface Blob {
  readonly blob: string;
  /** On the branch. */
  readonly path: string;
}

/** Sessions by the names of their contents: what was read once is not read again, however often a push is tried. */
export interface SessionBlobs {
  /** Oldest first; `problems` name those that do not parse. */
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
            : // The same measurements are one night, however often they are stored.
              sessions.some(({ id }) => id === parsed.id)
              ? `it has the id of another session (${parsed.id})`
              : undefined;
        if (typeof parsed === 'string' || problem !== undefined)
          problems.push(`${path} on the baseline branch is left out: ${problem ?? ''}`);
        else sessions.push(parsed);
      }
      sessions.sort((a, b) => (a.started < b.started ? -1 : 1));
      return { sessions, problems };
    },
  };
}

/** A session of the branch, or the sentence that says why it is none. */
function readSession(text: string): Session | string {
  try {
    return parseSession(text, 'the file');
  } catch (error) {
    return error instanceof Error
      ? error.message.replace(/^[^\n]*\n\s*/, '').replace(/\s*\n\s*/g, '; ')
      : String(error);
  }
}
