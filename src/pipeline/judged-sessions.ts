import type { Comparison } from '../verdict/comparison.ts';
import { compareParts, wholeOf } from '../verdict/merge.ts';
import { assembleParts, sessionsOf, type Parts } from '../verdict/parts.ts';
import { merged, type NamedSession, type SessionFile } from '../session/merged.ts';
import type { Session } from '../session/session.ts';

/** The judged sessions, in the forms for a report and for a run's files. */
export interface JudgedSessions {
  readonly comparison: Comparison;
  /** All sessions merged into one, for a report. */
  readonly session: Session;
  readonly parts: readonly Session[];
  /** The content of `session.json`, which gives the same verdict when it is judged again. */
  readonly file: SessionFile;
}

export function judgedParts(parts: Parts, comparison = compareParts(parts)): JudgedSessions {
  const sessions = sessionsOf(parts);
  const [first] = parts.gates;
  return {
    comparison,
    session: wholeOf(parts),
    parts: sessions,
    // A single shard is stored as a merged file, so that later readers see which shards are missing.
    file: sessions.length === 1 && first.shard === undefined ? first : merged(sessions),
  };
}

/** @throws ConfigurationError if the sessions are not of one gate */
export const judgedTogether = (named: readonly NamedSession[]): JudgedSessions =>
  judgedParts(assembleParts(named));
