import type { Alarms, NightOutcome } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import { clopperPearson } from '../statistics/binomial.ts';
import { judge } from '../verdict/compare.ts';
import { observeSession } from '../evidence/observations.ts';

/** Everything that a configuration has on the baseline branch. */
export interface Stored {
  /** Oldest first; those of the anchor among them. */
  readonly sessions: readonly Session[];
  /** What older nights were squashed into. */
  readonly summaries: readonly { readonly outcome?: NightOutcome | undefined }[];
}

/**
 * What a night of the baseline against itself raised, by the rule that gates a pull request.
 * @returns undefined for another session, and for a night of which no row was looked at
 */
export function nightOutcome(session: Session): NightOutcome | undefined {
  if (session.purpose !== 'nightly') return undefined;
  // The pairs alone judge a night: what was stored before it changes nothing, and would take time here.
  const { outcomes } = judge(observeSession({ ...session, nights: [] }));
  const looked = [...outcomes.values()].filter(({ blocks }) => blocks > 0);
  if (looked.length === 0) return undefined;
  return {
    regressed: looked.some(({ decision }) => decision === 'regressed'),
    improved: looked.some(({ decision }) => decision === 'improved'),
  };
}

/** The observed false alarms of all nights, squashed ones too. */
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
