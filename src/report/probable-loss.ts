import { isOutsideTests, type Row } from '../verdict/comparison.ts';
import { unitFactor } from '../session/units.ts';
import { notSeenAgain } from './confirmation.ts';
import { count, metricWords, percent, share } from './verdict-wording.ts';

/** The wording for inconclusive rows that are probably a loss: their whole interval is on the worse side of zero. */

/** A bound that is printed as 0.0 % does not indicate a loss. */
const PRINTED_AS_ZERO = 0.0005;

/** Whether a row is undecided, and its whole interval is a loss. Counts have no interval. */
export function isProbableLoss(row: Row): boolean {
  const { low, high } = row.change;
  if (row.verdict !== 'inconclusive' || isOutsideTests(row) || notSeenAgain(row)) return false;
  if (low === null || high === null) return false;
  return row.direction === 'lower' ? low >= PRINTED_AS_ZERO : high <= -PRINTED_AS_ZERO;
}

/** How a loss of this metric is called: `slower`, `larger`, `higher`, or `lower` if higher is better. */
function lossWord({ unit, direction }: Row): string {
  if (direction === 'higher') return 'lower';
  if (unitFactor(unit, 's') !== undefined) return 'slower';
  return unitFactor(unit, 'bytes') === undefined ? 'higher' : 'larger';
}

/** The bound closest to zero first: `+2.0 to +26.2 %`, `−1.0 to −20.0 %`. */
function range({ change: { low, high } }: Row): string {
  const [near, far] = [low ?? 0, high ?? 0].sort((a, b) => Math.abs(a) - Math.abs(b));
  const [from, to] = [percent(near ?? 0), percent(far ?? 0)];
  return from === to ? to : `${from.replace(' %', '')} to ${to}`;
}

/** `probably slower (+2.0 to +26.2 %), not proven to be 3 %`. */
export const probableLoss = (row: Row): string =>
  `probably ${lossWord(row)} (${range(row)}), not proven to be ${share(row.limit)}`;

/** The text after a row's verdict: `, probably slower`; empty for other rows. */
export const probableWords = (row: Row): string => (isProbableLoss(row) ? `, probably ${lossWord(row)}` : '');

/** Up to this many rows are named in the headline; more are counted. */
const NAMED = 3;

/**
 * For the headline: `probably slower: official wall time +2.0 to +26.2 %, not proven to be 3 %`; empty if no row is
 * probably a loss.
 */
export function probableHeadline(gated: readonly Row[], name: (text: string) => string): string {
  const rows = gated
    .filter(isProbableLoss)
    .sort((a, b) => Math.abs(b.change.estimate ?? 0) - Math.abs(a.change.estimate ?? 0));
  if (rows.length === 0) return '';
  const words = [...new Set(rows.map(lossWord))];
  const limits = [...new Set(rows.map(({ limit }) => share(limit)))];
  const shown = rows.slice(0, rows.length > NAMED ? 1 : NAMED);
  const named = shown.map((row) => `${name(row.variant)} ${metricWords(row.metric)} ${range(row)}`);
  const word = `probably ${words.length === 1 ? words.join('') : 'worse'}`;
  const where =
    rows.length > NAMED ? ` in ${rows.length} of ${count(gated.length, 'check')}, most of all ` : ': ';
  return `${word}${where}${named.join(', ')}, not proven to be ${limits.length === 1 ? limits.join('') : 'as large as the limit'}`;
}
