import type { Row } from '../verdict/comparison.ts';
import { count, percent } from './verdict-wording.ts';

/** The result of a confirming session for a regression, as text for a report. */

/** Whether a regression of the first session was absent in the second one, which had enough pairs. */
export const notSeenAgain = ({ verdict, confirmation }: Row): boolean =>
  verdict === 'inconclusive' && confirmation !== null;

/** The text after a row's verdict: `, confirmed on a second runner: +4.8 %`; empty without a second session. */
export function confirmationWords({ verdict, confirmation }: Row): string {
  if (confirmation === null) return '';
  const { confirmed, estimate, sameMachine } = confirmation;
  // Two runners of one kind share their properties, so they are no independent confirmation.
  const where = sameMachine ? 'by a second session on the same kind of machine' : 'on a second runner';
  if (confirmed) return `, confirmed ${where}: ${percent(estimate)}`;
  if (verdict === 'regressed') return ', not measured again';
  return `: ${percent(estimate)} ${where.replace(/^by/, 'in')}`;
}

/**
 * The headline if no regression is left that fails the job: 1 of 6 checks regressed in one session and not in a second.
 * @param probable the words for other rows that are probably a loss; may be empty
 */
export function notSeenAgainHeadline(gated: readonly Row[], probable: string): string {
  const unseen = gated.filter(notSeenAgain).length;
  const others = gated.filter((row) => row.verdict === 'inconclusive').length - unseen;
  return `${unseen} of ${count(gated.length, 'check')} regressed in one session and not in a second${
    others === 0 ? '' : `; ${probable === '' ? '' : `${probable}; `}${others} inconclusive`
  }`;
}

/** The explanation for the author of the pull request. */
export const NOT_SEEN_AGAIN =
  'A quirk of one runner can look like a regression. A regression that a second session does not confirm is reported and does not fail the job. Both figures are shown. If the answer matters, run the job again.';
