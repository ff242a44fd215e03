import type { Row } from '../verdict/comparison.ts';
import { count, percent } from './verdict-wording.ts';

/** What a second session said of a regression, in the words of a report. */

/** A regression of the first session that the second one, which measured enough, did not show. */
export const notSeenAgain = ({ verdict, confirmation }: Row): boolean =>
  verdict === 'inconclusive' && confirmation !== null;

/** Stands behind a row's verdict: `, confirmed on a second runner: +4.8 %`; empty where no second session looked. */
export function confirmationWords({ verdict, confirmation }: Row): string {
  if (confirmation === null) return '';
  const { confirmed, estimate, sameMachine } = confirmation;
  // Two runners of one kind share its quirks, so that is no independent second opinion.
  const where = sameMachine ? 'by a second session on the same kind of machine' : 'on a second runner';
  if (confirmed) return `, confirmed ${where}: ${percent(estimate)}`;
  if (verdict === 'regressed') return ', not measured again';
  return `: ${percent(estimate)} ${where.replace(/^by/, 'in')}`;
}

/** The headline where nothing is left that blocks: 1 of 6 checks regressed in one session and not in a second. */
export function notSeenAgainHeadline(gated: readonly Row[]): string {
  const unseen = gated.filter(notSeenAgain).length;
  const others = gated.filter((row) => row.verdict === 'inconclusive').length - unseen;
  return `${unseen} of ${count(gated.length, 'check')} regressed in one session and not in a second${
    others === 0 ? '' : `; ${others} inconclusive`
  }`;
}

/** What that means for whoever opened the pull request. */
export const NOT_SEEN_AGAIN =
  'A quirk of one runner can look like a regression, so one that a second session does not show is reported and not held against the change. Both figures stand beside it; where it matters, run the job again.';
