import type { NightOutcome } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { Summary } from './format.ts';

/** What a configuration has on the branch. */
export interface StoredSessions {
  /** Oldest first, those of the anchor among them. */
  readonly sessions: readonly Session[];
  /** The summaries of older nights. */
  readonly summaries: readonly Summary[];
}

/** What the decision makes of stored sessions: the branch keeps it and knows no statistics itself. */
export interface Evaluation {
  /** What a night of the baseline against itself raised; undefined for other sessions. */
  readonly outcome: (session: Session) => NightOutcome | undefined;
  /** The text of `noise.json`, from everything that is stored. */
  readonly noise: (stored: StoredSessions, configuration: string) => string;
  /** The text of `ranking.json`; undefined where there are no two variants to rank. */
  readonly ranking: (stored: StoredSessions) => string | undefined;
  /** The text of `badge.json`; undefined while there is no night. */
  readonly badge: (stored: StoredSessions) => string | undefined;
}
