import { addedVariants } from '../session/measuring.ts';
import { isAddedIn, reportedBy, withPatterns } from '../session/patterns.ts';
import type { Session } from '../session/session.ts';
import { familySize, namesOfShard } from '../session/shard.ts';
import { compare } from './compare.ts';
import type { Comparison } from './comparison.ts';
import { withConfirmations } from './confirm.ts';
import { withAcceptance } from './acceptance.ts';
import { withMeasuring } from './changed-measuring.ts';
import { type Observations, observeSession } from '../evidence/observations.ts';
import { patternWarnings } from './patterns.ts';
import type { Parts } from './parts.ts';
import { ofBase } from './ruled-session.ts';

/** The missing shards, with the variants that they should have measured. */
export function missingShards({
  gates,
}: Pick<Parts, 'gates'>): readonly { readonly index: number; readonly variants: readonly string[] }[] {
  const shard = gates[0].shard;
  if (shard === undefined) return [];
  const there = new Set(gates.map((session) => session.shard?.index));
  return Array.from({ length: shard.of }, (_, position) => position + 1)
    .filter((index) => !there.has(index))
    .map((index) => ({ index, variants: namesOfShard(shard.variants, { index, of: shard.of }) }));
}

/**
 * Judges the parts of one gate together: Holm's correction over the whole family of shards, `no_data` for the variants
 * of a missing shard, and the confirmation of regressions.
 */
export function compareParts(parts: Parts): Comparison {
  const { gates, confirmations } = parts;
  const sharedTests = testsTogether(gates);
  const [first, ...rest] = gates.map((session) => ({ ...observeSession(session), sharedTests }));
  if (first === undefined) throw new RangeError('parts have at least one session');
  const missing = missingShards(parts);
  const of = gates[0].shard?.of ?? 1;
  const reason = (index: number) => `shard ${index} of ${of} is missing, so there is no data`;
  const absent = missing.map(({ index, variants }) => ({
    ...absentee(first, variants, reason(index)),
    // Its benchmarks are unknown, so each pattern is a row without data.
    metrics: withPatterns(
      gates[0].rules,
      reportedBy(variants, () => false, []),
      {},
    ).metrics,
  }));
  const comparison = compare(first, ...rest, ...absent);
  const order = gates[0].shard?.variants ?? gates[0].variants;
  const confirmed = withConfirmations(
    {
      ...comparison,
      rows: [...comparison.rows].sort((a, b) => order.indexOf(a.variant) - order.indexOf(b.variant)),
      warnings: [
        ...new Set(gates.flatMap(patternWarnings)),
        ...missing.map(
          ({ index, variants }) => `Shard ${index} of ${of} is missing: no data for ${variants.join(', ')}.`,
        ),
        ...comparison.warnings,
      ],
    },
    gates,
    confirmations,
  );
  return withMeasuring(withAcceptance(confirmed, gates), gates);
}

/**
 * Size of the family of shards: the rows of all variants, with the benchmarks of each shard. The variants of a missing
 * shard are assumed to have as many as the shard with the most. Undefined without shards.
 */
function testsTogether(gates: Parts['gates']): number | undefined {
  const { shard, rules } = gates[0];
  if (shard === undefined) return undefined;
  const met = gates.map(({ rules: { metrics }, measuring }) => {
    const added = addedVariants(measuring);
    return metrics.flatMap((rule) => {
      const own = (rule.pattern?.variants ?? []).filter(
        (variant) => !added.has(variant) && !isAddedIn(rule, variant),
      );
      return rule.gate && own.length > 0 ? [own.length] : [];
    });
  });
  const absent = shard.variants.length - gates.reduce((sum, { variants }) => sum + variants.length, 0);
  return (
    familySize(
      ofBase(gates[0]),
      rules.metrics.filter(({ pattern }) => pattern === undefined),
    ) +
    met.flat().reduce((sum, variants) => sum + variants, 0) +
    Math.max(0, absent) * Math.max(...met.map((names) => names.length))
  );
}

/** Observations of variants without any data. */
const absentee = (like: Observations, variants: readonly string[], message: string): Observations => ({
  ...like,
  variants,
  runs: [],
  warmup: [],
  trials: [],
  interrupted: false,
  failures: variants.map((variant) => ({ variant, side: 'head', stage: 'engine', message })),
  twoSided: new Set(),
  identical: new Set(),
  imageMetrics: [],
  nights: [],
  secondsLeftOut: 0,
});

/** The parts as one session for a report, with all runs, failures and minutes. */
export function wholeOf({ gates, confirmations }: Parts): Session {
  const sessions = [...gates, ...confirmations];
  const [first] = gates;
  if (sessions.length === 1) return first;
  const { shard, ...rest } = first;
  const sum = (figure: (session: Session) => number) =>
    sessions.reduce((total, session) => total + figure(session), 0);
  const last = sessions.reduce((a, b) => (a.ended > b.ended ? a : b));
  return {
    ...rest,
    ended: last.ended,
    variants: [...(shard?.variants ?? first.variants)],
    workload: {
      ...first.workload,
      repetitions: together(sessions.map(({ workload }) => workload.repetitions)),
    },
    // The second session built the same images again, so they are not listed twice.
    images: gates.flatMap(({ images }) => images),
    warmup: sessions.flatMap(({ warmup }) => warmup),
    runs: sessions.flatMap(({ runs }) => runs),
    failures: sessions.flatMap(({ failures }) => failures),
    interrupted: sessions.some(({ interrupted }) => interrupted) ? true : undefined,
    declaredMetrics: together(sessions.map(({ declaredMetrics }) => declaredMetrics)),
    explanations: gates.flatMap(({ explanations = [] }) => explanations),
    notes: [...new Set(sessions.flatMap(({ notes }) => notes))],
    budget: {
      seconds: sum(({ budget }) => budget.seconds),
      spentSeconds: sum(({ budget }) => budget.spentSeconds),
      blocksLeftOut: sum(({ budget }) => budget.blocksLeftOut),
      secondsLeftOut: sum(({ budget }) => budget.secondsLeftOut),
      ...(gates.some(({ budget }) => budget.stopped !== undefined)
        ? { stopped: gates.flatMap(({ budget }) => budget.stopped ?? []) }
        : {}),
    },
  };
}

/** Merges records; a later entry replaces an earlier one. */
const together = <Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> =>
  Object.fromEntries(records.flatMap((record) => Object.entries(record)));
