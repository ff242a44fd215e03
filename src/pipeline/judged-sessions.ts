import type { Comparison } from '../verdict/comparison.ts';
import { compareParts, wholeOf } from '../verdict/merge.ts';
import { assembleParts, sessionsOf, type Parts } from '../verdict/parts.ts';
import { merged, type NamedSession, type SessionFile } from '../session/merged.ts';
import type { Session } from '../session/session.ts';

/** What was judged, in the forms that a report and the files of a run take. */
export interface JudgedSessions {
  readonly comparison: Comparison;
  /** All of it as one session, for a report. */
  readonly session: Session;
  readonly parts: readonly Session[];
  /** What `session.json` will hold: it gives the same verdict again. */
  readonly file: SessionFile;
}

export function judgedParts(parts: Parts, comparison = compareParts(parts)): JudgedSessions {
  const sessions = sessionsOf(parts);
  const [first] = parts.gates;
  return {
    comparison,
    session: wholeOf(parts),
    parts: sessions,
    // A shard alone would be read as a job's own verdict, and not as a family of which shards are missing.
    file: sessions.length === 1 && first.shard === undefined ? first : merged(sessions),
  };
}

/** @throws ConfigurationError where the sessions are not those of one gate */
export const judgedTogether = (named: readonly NamedSession[]): JudgedSessions =>
  judgedParts(assembleParts(named));
