import type { MetricRule } from '../session/metric.ts';
import { weightedEstimate } from '../statistics/weighted-signs.ts';
import { asChange, levelsWithZeros, signedLogRatios, sign, type Change, type Pair } from './pairs.ts';

/** So that an order without effect is reported in one row of two hundred at most. */
const CONFIDENCE = 0.99;
/** With fewer pairs there is no interval of this confidence. */
const FEWEST = 8;

/**
 * What being the second run of a pair does to a value, where it matters: an effect of the limit or more, and an interval
 * that excludes zero. The order is balanced, so it moves no estimate, but its effect counts as noise.
 * @returns the effect towards worse; undefined where the order does not matter or is unknown
 */
export function orderEffect(
  pairs: readonly Pair[],
  rule: Pick<MetricRule, 'better' | 'limit'>,
): Change | undefined {
  const known = pairs.filter(({ second }) => second !== undefined);
  const headSecond = known.filter(({ second }) => second === 'head').length;
  // Only where both orders are there can the order be told from a change.
  if (Math.min(headSecond, known.length - headSecond) < known.length / 3) return undefined;
  const ratios = signedLogRatios(known);
  if (known.length < FEWEST || ratios === undefined) return undefined;
  const differences = ratios.map(
    (ratio, pair) => sign(rule) * (known[pair]?.second === 'head' ? ratio : -ratio),
  );
  const limit = Math.log1p(rule.limit);
  // Most rows need no interval.
  if (Math.abs([...differences].sort((a, b) => a - b)[known.length >> 1] ?? 0) < limit / 2) return undefined;
  const { centre, low, high } = weightedEstimate(
    { differences, levels: levelsWithZeros(known, rule) },
    CONFIDENCE,
  );
  if (Math.abs(centre) < limit || low === null || high === null || low * high <= 0) return undefined;
  return { estimate: asChange(centre), low: asChange(low), high: asChange(high) };
}
