import type { NightOutcome } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { Summary } from './format.ts';

/** The stored data of a configuration. */
export interface StoredSessions {
  /** Oldest first, including those of the anchor. */
  readonly sessions: readonly Session[];
  /** The summaries of older nights. */
  readonly summaries: readonly Summary[];
}

/** Computes the derived files from stored sessions. The branch stores the results and has no statistics of its own. */
export interface Evaluation {
  /** The findings of a night that compared the baseline with itself; undefined for other sessions. */
  readonly outcome: (session: Session) => NightOutcome | undefined;
  /** The text of `noise.json`, computed from all stored sessions. */
  readonly noise: (stored: StoredSessions, configuration: string) => string;
  /** The text of `ranking.json`; undefined with fewer than two variants. */
  readonly ranking: (stored: StoredSessions) => string | undefined;
  /** The text of `badge.json`; undefined before the first night. */
  readonly badge: (stored: StoredSessions) => string | undefined;
}
