import { exitStatus } from '../verdict/exit-status.ts';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import { isProbableLoss, probableHeadline } from './probable-loss.ts';
import { ruledOut } from './row-sentences.ts';
import { NOT_SEEN_AGAIN, notSeenAgain, notSeenAgainHeadline } from './confirmation.ts';
import { reasonsUndecided } from './undecided.ts';
import {
  count,
  listed,
  metricWords,
  percent,
  quantity,
  share,
  VERDICT_SENTENCES,
} from './verdict-wording.ts';

/** Up to this many rows are named in the headline; more are counted. */
const NAMED = 3;

/** The reason of a failure by the rule `changed-measurement`. */
const REFUSED = 'this change removes or edits what measures it';

/** A one-line summary. `name` escapes a variant's name for its place. */
export function headline(
  { verdict, rows, measuring, skipped }: Comparison,
  name: (text: string) => string,
): string {
  if (skipped === true) return 'skipped: only ignored paths changed';
  const gated = rows.filter((row) => row.gated);
  const of = (...verdicts: Verdict[]) =>
    gated.filter((row) => row.verdict !== 'info' && verdicts.includes(row.verdict));
  const checks = (some: readonly Row[]) =>
    gated.length === 1 ? 'the one check' : `${some.length} of ${count(gated.length, 'check')}`;
  const variants = (some: readonly Row[]) => listed([...new Set(some.map((row) => row.variant))].map(name));
  const moved = (some: readonly Row[], word: string) => {
    if (some.length > NAMED) return `${checks(some)} ${word}, most of all ${largest(some, name)}`;
    const [first] = some;
    return first !== undefined && some.every(({ variant }) => variant === first.variant)
      ? `${name(first.variant)} ${word}: ${some.map(size).join(', ')}`
      : `${checks(some)} ${word}: ${some.map((row) => `${name(row.variant)} ${size(row)}`).join(', ')}`;
  };
  const regressed = of('regressed');
  const alsoRegressed = regressed.length === 0 ? '' : `; ${moved(regressed, 'regressed')}`;
  const lost = of('no_data').length === 0 ? '' : `no figures for ${variants(of('no_data'))}`;
  switch (verdict) {
    case 'failed':
      return measuring?.refusedOver === undefined
        ? `${variants(of('failed'))} failed${alsoRegressed}`
        : `${REFUSED}${of('failed').length === 0 ? '' : `; ${variants(of('failed'))} failed`}${alsoRegressed}`;
    case 'regressed':
      return `${moved(regressed, 'regressed')}${lost === '' ? '' : `; ${lost}`}`;
    case 'over_limit':
      return `${beyond(of('over_limit'), name)}${lost === '' ? '' : `; ${lost}`}`;
    case 'no_data':
      return lost === '' ? 'nothing was measured' : lost;
    case 'inconclusive': {
      const probable = probableHeadline(gated, name);
      if (gated.some(notSeenAgain)) return notSeenAgainHeadline(gated, probable);
      return `${probable === '' ? 'no regression found, but ' : `${probable}; `}${checks(of('inconclusive'))} inconclusive${
        of('improved').length > 0 ? `; ${moved(of('improved'), 'improved')}` : ''
      }`;
    }
    case 'incomparable':
      return of('incomparable').length === gated.length
        ? 'not comparable with the stored nights, so nothing was judged'
        : `${checks(of('incomparable'))} cannot be compared with the stored nights`;
    case 'no_baseline':
      return of('no_baseline').length === gated.length
        ? 'no baseline, so nothing was compared'
        : `no baseline for ${checks(of('no_baseline'))}`;
    case 'accepted':
      return `${moved(of('accepted'), 'regressed')}, and that was accepted`;
    case 'warning':
      return `${moved(of('warning'), 'got worse')}, below the limit${
        of('improved').length > 0 ? `; ${moved(of('improved'), 'improved')}` : ''
      }`;
    case 'improved':
      return `${moved(of('improved'), 'improved')}; nothing got worse`;
    case 'unchanged':
      return unchanged(gated);
  }
}

/** official is above its max: wall time 312.0 ms (max 300.0 ms). */
function beyond(rows: readonly Row[], name: (text: string) => string): string {
  const of = (row: Row) =>
    `${name(row.variant)} ${metricWords(row.metric)} ${quantity(row.head.median, row.unit)} (${row.bound?.kind ?? 'max'} ${quantity(row.bound?.value ?? null, row.unit)})`;
  const shown = rows.slice(0, NAMED).map(of);
  const more = rows.length - shown.length;
  return `over the limit: ${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

const size = (row: Row) => `${metricWords(row.metric)} ${percent(row.change.estimate)}`;

function largest(rows: readonly Row[], name: (text: string) => string): string {
  const factor = (row: Row) => Math.abs(Math.log1p(row.change.estimate ?? 0));
  const [first] = [...rows].sort((a, b) => factor(b) - factor(a));
  return first === undefined ? '' : `${name(first.variant)} ${size(first)}`;
}

function unchanged(gated: readonly Row[]): string {
  if (gated.every((row) => row.evidence === 'identical'))
    return `identical images, so nothing was measured (${count(new Set(gated.map((row) => row.variant)).size, 'variant')})`;
  const loss = ruledOut(gated);
  return `unchanged in ${gated.length === 1 ? 'the one check' : `all ${gated.length} checks`}${
    loss === undefined ? '' : `; a loss of ${share(loss)} or more is ruled out`
  }`;
}

/** Sentences about the unchanged and the inconclusive rows, which the verdict does not cover. */
export function restOf({ verdict, rows }: Comparison, session: Session | undefined): readonly string[] {
  const of = (which: Verdict) => (which === verdict ? [] : rows.filter((row) => row.verdict === which));
  const checks = (some: readonly Row[]) => (some.length === 1 ? 'One check is' : `${some.length} checks are`);
  const [unchangedRows, undecided] = [
    of('unchanged'),
    of('inconclusive').filter((row) => !notSeenAgain(row)),
  ];
  const loss = ruledOut(unchangedRows);
  return [
    ...(undecided.length === 0
      ? []
      : [
          `${checks(undecided)} inconclusive, which is neither an alarm nor an all-clear. ${reasonsUndecided(undecided, session).join(' ')}`,
        ]),
    ...(unchangedRows.length === 0
      ? []
      : [
          `${checks(unchangedRows)} unchanged${loss === undefined ? '' : `: a loss of ${share(loss)} or more is ruled out`}.`,
        ]),
  ];
}

/** What a failing verdict stops: a pull request's job, or a command with its exit status. */
const STOPS = {
  job: { no: 'This fails the job', yes: 'This does not fail the job.' },
  command: { no: 'The gate fails', yes: 'The gate passes.' },
} as const;

/** What the verdict means for the author of the pull request: whether it fails the job, why, and what to do. */
export function lead(
  comparison: Comparison,
  session: Session | undefined,
  where: keyof typeof STOPS,
): readonly string[] {
  const { verdict, rows, measuring } = comparison;
  const passed = verdict === 'unchanged' || verdict === 'improved' || verdict === 'accepted';
  const reasons = session === undefined ? undefined : stopping(comparison, session.rules.failOn);
  const stops =
    reasons === undefined || (passed && reasons.length === 0)
      ? []
      : [reasons.length > 0 ? `${STOPS[where].no} (${reasons.join('; ')}).` : STOPS[where].yes];
  if (passed) return stops;
  const refused = measuring?.refusedOver !== undefined;
  // The sentences of failed rows already contain the next step.
  if (refused && !rows.some((row) => row.verdict === 'failed')) return [...stops, NEXT_AFTER_REFUSAL];
  const { means, next } = VERDICT_SENTENCES[verdict];
  if (verdict === 'inconclusive') {
    const undecided = rows.filter((row) => row.verdict === 'inconclusive');
    return rows.some(notSeenAgain)
      ? [...stops, NOT_SEEN_AGAIN]
      : [
          ...stops,
          rows.some(isProbableLoss) ? PROBABLE_LOSS : means,
          ...reasonsUndecided(undecided, session),
        ];
  }
  // The rows list what regressed and failed, so only the next step is added here.
  return verdict === 'regressed' || verdict === 'failed' ? [...stops, next] : [...stops, means, next];
}

const PROBABLE_LOSS =
  'A loss is likely, but the measurements do not show that it is one that counts: this is no all-clear.';

const NEXT_AFTER_REFUSAL =
  'If the change is intended, make it in a separate pull request and let a reviewer decide. If not, undo it and push again.';

/** Why the job fails, each reason in a few words; empty if it passes. */
function stopping(comparison: Comparison, failOn: readonly Verdict[]): readonly string[] {
  const status = exitStatus(comparison, failOn);
  if (status === 0) return [];
  const found = new Set(comparison.rows.map(({ verdict }) => verdict));
  const named = failOn.filter((verdict) => found.has(verdict));
  return [
    ...(status === 3 ? ['something could not be measured'] : []),
    ...(comparison.measuring?.refusedOver === undefined ? [] : ['changed-measurement: fail']),
    ...(named.length > 0 ? [`fail-on: ${named.join(', ')}`] : []),
  ];
}
