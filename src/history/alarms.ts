import type { Alarms, NightOutcome } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import { clopperPearson } from '../statistics/binomial.ts';
import { judge } from '../verdict/compare.ts';
import { observeSession } from '../evidence/observations.ts';

/** All stored sessions of a configuration. */
export interface Stored {
  /** Oldest first, including those of the anchor. */
  readonly sessions: readonly Session[];
  /** The summaries of older nights. */
  readonly summaries: readonly { readonly outcome?: NightOutcome | undefined }[];
}

/**
 * The false alarms of a night, by the rule that gates a pull request. @returns undefined for other sessions, and for a
 * night without a look
 */
export function nightOutcome(session: Session): NightOutcome | undefined {
  if (session.purpose !== 'nightly') return undefined;
  // Only its pairs judge a night, so earlier nights are left out to save time.
  const { outcomes } = judge(observeSession({ ...session, nights: [] }));
  const looked = [...outcomes.values()].filter(({ blocks }) => blocks > 0);
  if (looked.length === 0) return undefined;
  return {
    regressed: looked.some(({ decision }) => decision === 'regressed'),
    improved: looked.some(({ decision }) => decision === 'improved'),
  };
}

/** The false alarms of all nights, including summarised ones. */
export function alarmsOf({ sessions, summaries }: Stored): Alarms {
  const outcomes = [...summaries.map(({ outcome }) => outcome), ...sessions.map(nightOutcome)].filter(
    (outcome) => outcome !== undefined,
  );
  const rate = (raised: (outcome: NightOutcome) => boolean) => {
    const nights = outcomes.filter(raised).length;
    return { nights, ...clopperPearson(nights, outcomes.length) };
  };
  return {
    nights: outcomes.length,
    regressed: rate(({ regressed }) => regressed),
    improved: rate(({ improved }) => improved),
  };
}
