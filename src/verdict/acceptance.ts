import { isExpired, type Acceptance, type AcceptedEntry } from '../session/acceptance.ts';
import { matchesPattern } from '../session/name-pattern.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import { IMPLIED } from '../session/purpose.ts';
import { worstWith, type Comparison, type Row } from './comparison.ts';

/**
 * Accepted regressions: a regressed row gets the verdict `accepted` if an entry of the base's file allows at least this
 * loss. Everything comes from the session, so its file gives the same verdict again.
 */

/** @param gates the session that was judged, or the shards of one gate */
export function withAcceptance(comparison: Comparison, gates: readonly Session[]): Comparison {
  const [first] = gates;
  if (first?.accepted === undefined || !IMPLIED[first.purpose].answersForChange) return comparison;
  const { accepted, started } = first;
  const rows = comparison.rows.map((row) =>
    isAcceptable(row, first.rules.failOn) ? acceptedRow(row, accepted, started) : row,
  );
  if (!ACCEPTABLE.has(comparison.verdict)) return { ...comparison, rows };
  return {
    ...comparison,
    rows,
    verdict: worstWith(rows, ...(comparison.interrupted === true ? (['no_data'] as const) : [])),
  };
}

const ACCEPTABLE: ReadonlySet<Verdict> = new Set(['regressed', 'over_limit', 'warning']);

/** A warning needs to be accepted only if it fails the job. */
const isAcceptable = ({ verdict }: Row, failOn: readonly Verdict[]): boolean =>
  verdict === 'regressed' ||
  verdict === 'over_limit' ||
  (verdict === 'warning' && failOn.includes('warning'));

function acceptedRow(row: Row, { file, entries, label }: Acceptance, at: string): Row {
  if (label !== undefined)
    return {
      ...row,
      verdict: 'accepted',
      warnings: [
        ...row.warnings,
        `${label.author} accepts ${label.commit.slice(0, 10)} as it is, by the label on the pull request`,
      ],
    };
  const matching = entries.filter(
    ({ variant, metric }) => matchesPattern(variant, row.variant) && matchesPattern(metric, row.metric),
  );
  const entry = matching.find((one) => !isExpired(one, at) && covers(one, row));
  if (entry !== undefined)
    return {
      ...row,
      verdict: 'accepted',
      warnings: [
        ...row.warnings,
        `accepted by ${entry.author}, up to ${percent(entry.upTo)} until ${entry.expires} (${file}): ${entry.reason}`,
      ],
    };
  const [near] = matching;
  return near === undefined ? row : { ...row, warnings: [...row.warnings, notAccepted(near, file, at)] };
}

const notAccepted = (entry: AcceptedEntry, file: string, at: string): string =>
  isExpired(entry, at)
    ? `what ${entry.author} accepted in ${file} expired on ${entry.expires}`
    : `${entry.author} accepts up to ${percent(entry.upTo)} in ${file}, and this is more`;

/** Compared as a ratio, so that metrics of both directions are treated alike. */
const covers = ({ upTo }: AcceptedEntry, { change: { estimate } }: Row): boolean =>
  estimate !== null && Math.abs(Math.log1p(estimate)) <= Math.log1p(upTo);

const percent = (fraction: number) => `${Number((fraction * 100).toFixed(1))} %`;
