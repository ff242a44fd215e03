import type { MetricRule } from '../session/metric.ts';
import { matchesNothing } from '../session/patterns.ts';
import { type Side, SIDES } from '../session/run.ts';
import { looksFor } from '../statistics/looks.ts';
import type { RowSeries } from '../statistics/sequential.ts';
import { twoModes } from '../statistics/two-modes.ts';
import type { Row } from './comparison.ts';
import {
  levelsOf,
  levelsWithZeros,
  logRatios,
  type Pair,
  pairedChange,
  pairsOf,
  sign,
  signedLogRatios,
  unknownRatios,
} from '../evidence/pairs.ts';
import type { Observations } from '../evidence/observations.ts';
import { orderEffect } from '../evidence/order.ts';
import { summary, type Tested, type UnjudgedRow, withFormula } from './unjudged-row.ts';

/** Rows that are tested over this session's pairs. */

export function pairedDraft(
  base: UnjudgedRow,
  rule: MetricRule,
  { runs, secondsLeftOut, profile, method, cap: capOfBase, added, addedCap }: Observations,
): UnjudgedRow {
  const pairs = pairsOf(runs, base.variant, rule.name);
  if (pairs.length === 0 && secondsLeftOut > 0)
    return { ...base, decided: 'no_data', warnings: ['the budget left no time for a pair'] };
  if (pairs.length === 0)
    return {
      ...base,
      decided: 'no_data',
      warnings: [
        matchesNothing(rule)
          ? `it matches no metric that the workload reported on both sides (it never matches measured ones, such as wall_time_s)`
          : `no block has ${withFormula(rule)} on both sides`,
      ],
    };
  const ratios = method < 3 ? logRatios(pairs) : signedLogRatios(pairs);
  if (ratios === undefined)
    return {
      ...base,
      blocks: pairs.length,
      decided: 'no_data',
      warnings: [
        method < 3
          ? `${rule.name} has values that are not positive, and a change in per cent needs positive ones`
          : `every pair of ${rule.name} has a value that is not positive, and a change in per cent needs positive ones`,
      ],
    };
  const cap = added.has(base.variant) ? addedCap : capOfBase;
  const looks = looksFor(profile, cap ?? pairs.length, method);
  const series: RowSeries = {
    worse: ratios.map((ratio) => sign(rule) * ratio),
    levels: method < 3 ? levelsOf(pairs, rule) : levelsWithZeros(pairs, rule),
    limit: rule.limit,
    warn: rule.warn,
    at: pairs.map(({ block }) => block),
    looks,
  };
  return {
    ...base,
    evidence: 'paired',
    blocks: pairs.length,
    tested: { kind: 'paired', pairs, ratios, series, looks, method },
    warnings: [
      ...zeroWarnings(pairs),
      ...orderWarnings(pairs, rule),
      ...SIDES.flatMap((side) => modesOf(pairs, side)),
    ],
  };
}

/** The figures of a paired row at the look that decided it. */
export function pairedFigures(
  { pairs, ratios, series, looks, method }: Extract<Tested, { kind: 'paired' }>,
  blocks: number,
): Pick<Row, 'baseline' | 'head' | 'change' | 'blocks'> {
  const used = pairs.slice(0, blocks);
  return {
    baseline: summary(used.map(({ baseline }) => baseline)),
    head: summary(used.map(({ head }) => head)),
    change: pairedChange(ratios, blocks, { method, looks: looks.length, levels: series.levels }),
    blocks,
  };
}

/** A warning if the second run of a pair differs from the first by more than the limit. */
function orderWarnings(pairs: readonly Pair[], rule: MetricRule): string[] {
  const effect = orderEffect(pairs, rule);
  if (effect === undefined) return [];
  const { estimate, low, high } = effect;
  const percent = (value: number | null) => `${(100 * Math.min(1e6, Math.abs(value ?? 0))).toFixed(1)} %`;
  const bounds = [low, high].sort((a, b) => Math.abs(a ?? 0) - Math.abs(b ?? 0)).map(percent);
  return [
    `the second run of a pair is ${percent(estimate)} ${(estimate ?? 0) > 0 ? 'worse' : 'better'} than the first (${bounds.join(' to ')}): the order matters by more than the limit. It is balanced, so it favours no side, but it hides small changes`,
  ];
}

function zeroWarnings(pairs: readonly Pair[]): string[] {
  const unknown = unknownRatios(pairs);
  return unknown === 0
    ? []
    : [
        `${unknown} of ${pairs.length} pairs have a value that is not positive: they count as the largest change in their direction`,
      ];
}

/** A warning if a side's values fall into two groups: its median may jump between them from session to session. */
function modesOf(pairs: readonly Pair[], side: Side): string[] {
  const values = pairs.map((pair) => pair[side]);
  const modes = values.every((value) => value > 0) ? twoModes(values) : undefined;
  if (modes === undefined) return [];
  const { low, high } = modes;
  const apart = (Math.min(1e6, high.centre / low.centre - 1) * 100).toFixed(1);
  return [
    `the ${side}'s runs fall into two groups ${apart} % apart, ${low.n} low and ${high.n} high: something differs between runs (a cache, a processor's clock), and the median can jump between the groups`,
  ];
}
