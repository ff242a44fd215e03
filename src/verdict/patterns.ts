import { namesOf } from '../session/declared.ts';
import { reportedByBase } from '../session/measuring.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import { nearest } from '../session/nearest.ts';
import { matchesPattern } from '../session/name-pattern.ts';
import {
  matchesOf,
  MOST_OF_A_PATTERN,
  reportedBy,
  reportedIn,
  standingOf,
  type Matches,
  type ReportedByBase,
} from '../session/patterns.ts';
import { own } from '../session/record.ts';
import { SIDES } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { blocksNeeded, firstReachable, looksFor } from '../statistics/looks.ts';
import { isOutsideTests } from './comparison.ts';
import { unjudgedRows } from './unjudged-rows.ts';
import { observeSession } from '../evidence/observations.ts';

/** The largest number of names in a sentence. */
const NAMES_AT_A_GLANCE = 5;

/**
 * Remarks on the metrics and patterns of a session: metrics that no run reports, benchmarks of one side only,
 * benchmarks that no pattern matches, patterns with too many matches, and a family that is too large for the blocks.
 */
export function patternWarnings(session: Session): string[] {
  const warnings = [...missing(session), ...disputed(session)];
  if ((session.rules.patterns ?? []).length === 0) return warnings;
  const reported = reportedIn(session);
  return [
    ...warnings,
    ...matchesOf(session.rules, reported, session.declaredMetrics).flatMap((matches) =>
      tooMany(matches, reportedByBase(session.measuring)),
    ),
    ...lonely(session),
    ...lost(session),
    ...unmatched(session),
    ...unreachable(session),
  ];
}

function tooMany(matches: Matches, ofBase: ReportedByBase): string[] {
  const { pattern, variants } = matches;
  const { judged, leftOut } = standingOf(matches, ofBase);
  if (leftOut === 0) return [];
  const found = `${pattern.pattern} matches ${variants.size} metrics, and at most ${MOST_OF_A_PATTERN} are judged`;
  return [
    judged.length === 0
      ? `${found}, so none of them is. Use several narrower patterns, or name the metrics that matter.`
      : `${found}, so the ${leftOut} that this change adds are not.`,
  ];
}

/** Judged metrics that no run of the warm-up has, so that no block can judge them. */
function missing({ rules, warmup, declaredMetrics }: Session): string[] {
  const ended = warmup.filter(({ outcome }) => outcome === 'ok');
  if (ended.length === 0) return [];
  const names = new Set(ended.flatMap(({ metrics }) => Object.keys(metrics)));
  return rules.metrics.flatMap(({ name, gate, kind, formula, pattern }) => {
    if (!gate || kind !== 'paired' || pattern !== undefined || names.has(name)) return [];
    const namesakes = [...names].filter((other) => namesOf(other, declaredMetrics).includes(name));
    const meant = nearest(name, [...names]);
    return [
      namesakes.length > 0
        ? `${name} is the name of ${namesakes.length} benchmarks, and nothing is judged under it. Name one of them: ${listed(namesakes)}; or use a pattern, such as '${name}*'.`
        : `${name} is judged, but no run has it${formula === undefined ? '' : ` (${formula})`}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
    ];
  });
}

/** Metrics that the runs declare differently. */
const disputed = ({ declaredMetrics }: Session): string[] =>
  Object.entries(declaredMetrics).flatMap(([name, { conflict }]) =>
    conflict === undefined ? [] : [`${name} cannot be compared: ${conflict}.`],
  );

/** Benchmarks that neither a pattern nor a name of the configuration selects, if others are selected. */
function unmatched({ rules, warmup, declaredMetrics }: Session): string[] {
  const named = new Set(rules.metrics.filter(({ pattern }) => pattern === undefined).map(({ name }) => name));
  const reported = new Set(
    warmup.filter(({ outcome }) => outcome === 'ok').flatMap(({ metrics }) => Object.keys(metrics)),
  );
  const names = [...reported].filter(
    (name) =>
      !named.has(name) &&
      !BUILT_IN_METRICS.some((metric) => metric.name === name) &&
      !(rules.patterns ?? []).some(({ pattern }) =>
        namesOf(name, declaredMetrics).some((one) => matchesPattern(pattern, one)),
      ),
  );
  return names.length === 0
    ? []
    : [
        `No pattern matches ${listed(names)}: shown and not judged. If this is intended, name them under metrics with gate: false.`,
      ];
}

/** Benchmarks that only one side reported, in variants whose sides both succeeded. */
function lonely(session: Session): string[] {
  const reported = reportedIn(session);
  const ended = new Map(
    [...reported].filter(([variant]) =>
      SIDES.every((side) =>
        session.warmup.some((run) => run.variant === variant && run.side === side && run.outcome === 'ok'),
      ),
    ),
  );
  const matches = matchesOf(session.rules, ended, session.declaredMetrics, 'one').filter(
    ({ pattern }) => pattern.gate,
  );
  return SIDES.flatMap((side) => {
    const names = matches.flatMap((one) => matchedOf(one, (variant) => ended.get(variant)?.[side]));
    return names.length === 0
      ? []
      : [
          `Only the ${side} reports ${listed(names)}: shown and not judged, because there is nothing to compare ${names.length === 1 ? 'it' : 'them'} with.`,
        ];
  });
}

/** Benchmarks of the last night that the head does not report, if the nights judge it. */
function lost(session: Session): string[] {
  const { rules, nights, images, warmup } = session;
  const medians = nights.at(-1)?.medians ?? {};
  const ok = warmup.filter(({ outcome }) => outcome === 'ok');
  const alone = session.variants.filter(
    (variant) =>
      ok.some((run) => run.variant === variant) &&
      !images.some((image) => image.variant === variant && image.side === 'baseline'),
  );
  const reported = reportedBy(alone, () => true, [
    ...ok,
    ...alone.map((variant) => ({ variant, side: 'baseline' as const, metrics: own(medians, variant) ?? {} })),
  ]);
  const names = matchesOf(rules, reported, session.declaredMetrics, 'one')
    .filter(({ pattern }) => pattern.gate)
    .flatMap((one) => matchedOf(one, (variant) => reported.get(variant)?.baseline));
  return names.length === 0
    ? []
    : [`The last stored night has ${listed(names)}, which the head does not report: nothing judges it.`];
}

/** `name (variant, variant)` of those that this side reported. */
const matchedOf = (
  { variants }: Matches,
  reportedOf: (variant: string) => ReadonlySet<string> | undefined,
): string[] =>
  [...variants].flatMap(([name, own]) => {
    const here = own.filter((variant) => reportedOf(variant)?.has(name) === true);
    return here.length === 0 ? [] : [`${name} (${here.join(', ')})`];
  });

const listed = (names: readonly string[]) =>
  names.length <= NAMES_AT_A_GLANCE
    ? names.join(', ')
    : `${names.slice(0, NAMES_AT_A_GLANCE).join(', ')} and ${names.length - NAMES_AT_A_GLANCE} more`;

/** The number of tests is known only since the warm-up, so the configuration could not be refused for it. */
function unreachable(session: Session): string[] {
  const { alpha, profile, blocks, evidence, method = 1 } = session.rules;
  const rows = unjudgedRows(observeSession({ ...session, runs: [], nights: [] })).filter(
    (draft) => draft.gated && draft.evidence !== 'identical' && !isOutsideTests(draft),
  );
  const own = rows.filter(({ added }) => !added).length || rows.length;
  const tests = Math.max(own, session.shard?.tests ?? 0);
  if (evidence === 'stored' || !session.sides.includes('baseline') || tests === 0) return [];
  if (firstReachable(looksFor(profile, blocks, method), tests, alpha) !== undefined) return [];
  let needed = blocksNeeded(tests, alpha);
  while (firstReachable(looksFor(profile, needed, method), tests, alpha) === undefined) needed++;
  const last = looksFor(profile, blocks, method).at(-1)?.weight ?? 1;
  return [
    `With the matches of the patterns there are ${tests} tests, among which ${blocks} blocks can never find a change: they share alpha ${alpha}, which leaves p <= ${((alpha / tests) * last).toPrecision(2)} at the last look, and ${blocks} blocks give at best ${(2 ** -blocks).toPrecision(2)}. Set at least ${needed} blocks (rules.blocks), or judge fewer metrics.`,
  ];
}
