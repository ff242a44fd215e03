import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import { hodgesLehmann } from '../statistics/hodges-lehmann.ts';
import type { Method } from '../statistics/looks.ts';
import { predict } from '../statistics/prediction.ts';
import { CONFIDENCE, confidenceAfter, type SingleTest } from '../statistics/sequential.ts';
import { weightedEstimate } from '../statistics/weighted-signs.ts';
import { groupedBy, own } from '../session/record.ts';
import type { Night } from '../session/session.ts';
import type { ObservedRun } from './observed-run.ts';

/** Nights of one machine that stored evidence needs. */
export const NIGHTS_NEEDED = 14;

/** Effects are logarithms of head / baseline; "worse" is up where lower is better, down where higher is. */
export const sign = ({ better }: Pick<MetricRule, 'better'>) => (better === 'lower' ? 1 : -1);
/** A logarithm as a fraction, at most the largest float. */
export const asChange = (log: number | null) =>
  log === null ? null : Math.min(Number.MAX_VALUE, Math.expm1(log));

/** The number of a logarithm, within the range of a float. */
export const finiteExp = (log: number): number =>
  Math.min(Number.MAX_VALUE, Math.max(Number.MIN_VALUE, Math.exp(log)));

/** (head / baseline) - 1, positive where the value grew. Null if the data do not give the value. */
export interface Change {
  estimate: number | null;
  /** 95 % interval; null with too few blocks. */
  low: number | null;
  high: number | null;
}

/** The nights of a row: their median and the prediction interval for one new session's median. */
export interface StoredNights {
  sessions: number;
  median: number;
  low: number | null;
  high: number | null;
  /** Whether this session's baseline is inside the interval; `unknown` without one. */
  position: 'inside' | 'below' | 'above' | 'unknown';
  /** False: the nights ran on another machine, so the values are only a hint. */
  sameMachine: boolean;
}

/** A pair of values of one block. */
export interface Pair {
  /** Number of the block, increasing. */
  readonly block: number;
  readonly baseline: number;
  readonly head: number;
  /** Which side ran second; undefined if unknown. */
  readonly second?: ObservedRun['side'] | undefined;
}

/**
 * Blocks in which both sides succeeded and have the metric, in order. The numbers of a second session's pairs continue
 * those of the first.
 */
export function pairsOf(runs: readonly ObservedRun[], variant: string, metric: string): readonly Pair[] {
  const bySession = groupedBy(
    runs.filter((run) => run.variant === variant && run.outcome === 'ok'),
    ({ session }) => session,
  );
  let before = 0;
  return [...bySession.values()].flatMap((mine) => {
    const values = (side: ObservedRun['side']) =>
      new Map(mine.filter((run) => run.side === side).map((run) => [run.block, own(run.metrics, metric)]));
    const head = values('head');
    const seconds = new Map(mine.flatMap((run) => (run.position === 1 ? [[run.block, run.side]] : [])));
    const pairs = [...values('baseline')]
      .flatMap(([block, baseline]) => {
        const other = head.get(block);
        return baseline === undefined || other === undefined
          ? []
          : [{ block: before + block, baseline, head: other, second: seconds.get(block) }];
      })
      .sort((a, b) => a.block - b.block);
    before = pairs.at(-1)?.block ?? before;
    return pairs;
  });
}

/**
 * Divides the larger by the smaller, so that swapped sides give exactly the negative and equal ratios are exactly
 * equal: log(3 / 4) and -log(4 / 3) differ in their last bit, and a tie would be broken by it.
 */
function logRatio(head: number, baseline: number): number {
  const [large, small] = head >= baseline ? [head, baseline] : [baseline, head];
  const ratio = large / small;
  // The ratio of two floats may overflow; the difference of their logarithms does not.
  const log = Number.isFinite(ratio) ? Math.log(ratio) : Math.log(large) - Math.log(small);
  return head >= baseline ? log : -log;
}

/**
 * Log ratio of each pair.
 * @returns undefined if one does not exist: a ratio needs positive values. Two zeros count as equal.
 */
export function logRatios(pairs: readonly Pair[]): Float64Array | undefined {
  const ratios = Float64Array.from(pairs, ({ baseline, head }) =>
    baseline === 0 && head === 0 ? 0 : baseline > 0 && head > 0 ? logRatio(head, baseline) : Number.NaN,
  );
  return ratios.some(Number.isNaN) ? undefined : ratios;
}

/** The log ratio of a pair with a value that is not positive: larger than any other. */
const LARGEST = 2000;
/** An estimate beyond this comes from such pairs and has no meaning in per cent. */
const MEANT = 40;

const isTie = ({ baseline, head }: Pair) => baseline === head;
const hasRatio = ({ baseline, head }: Pair) => baseline > 0 && head > 0;

/**
 * The log ratio of each pair. Values may be zero or negative: two equal values are a tie. Two different values of which
 * one is not positive have no ratio, so the pair counts as the largest in its direction.
 * @returns undefined if no pair is a tie or has a ratio
 */
export function signedLogRatios(pairs: readonly Pair[]): Float64Array | undefined {
  if (!pairs.some((pair) => hasRatio(pair) || isTie(pair))) return undefined;
  return Float64Array.from(pairs, (pair) =>
    hasRatio(pair) ? logRatio(pair.head, pair.baseline) : LARGEST * Math.sign(pair.head - pair.baseline),
  );
}

/** The number of pairs that have no ratio, without ties. */
export const unknownRatios = (pairs: readonly Pair[]): number =>
  pairs.filter((pair) => !hasRatio(pair) && !isTie(pair)).length;

/**
 * As `levelsOf`, where a value may be zero or negative. Such a pair has the lowest level before it, or else the first
 * one after it: it is taken to be undisturbed, and pairs to come do not change it.
 */
export function levelsWithZeros(
  pairs: readonly Pair[],
  rule: Pick<MetricRule, 'better'>,
): Float64Array | undefined {
  const first = pairs.find(hasRatio);
  if (first === undefined) return undefined;
  const levelOf = ({ baseline, head }: Pair) => (sign(rule) * (Math.log(baseline) + Math.log(head))) / 2;
  let lowest = levelOf(first);
  return Float64Array.from(pairs, (pair) => {
    if (!hasRatio(pair)) return lowest;
    const level = levelOf(pair);
    lowest = Math.min(lowest, level);
    return level;
  });
}

/**
 * Mean of the two logarithms of each pair, towards worse: high where the machine was slow.
 * @returns undefined if a value has no logarithm
 */
export function levelsOf(pairs: readonly Pair[], rule: Pick<MetricRule, 'better'>): Float64Array | undefined {
  if (!pairs.every(({ baseline, head }) => baseline > 0 && head > 0)) return undefined;
  return Float64Array.from(
    pairs,
    ({ baseline, head }) => (sign(rule) * (Math.log(baseline) + Math.log(head))) / 2,
  );
}

/** What the estimate and the interval of a paired row are computed by. */
export interface PairedRule {
  readonly method: Method;
  /** The number of looks in the row's schedule. */
  readonly looks: number;
  /** Level of each pair, towards worse; undefined if they are not known. */
  readonly levels?: Float64Array | undefined;
}

/** The change and its interval from the first `n` pairs, at least one. */
export function pairedChange(ratios: Float64Array, n: number, { method, looks, levels }: PairedRule): Change {
  const confidence = confidenceAfter(looks);
  const { centre, low, high } =
    method === 1
      ? hodgesLehmann(ratios, confidence, n)
      : weightedEstimate({ differences: ratios, levels }, confidence, n);
  const unknown = ratios.some((ratio) => Math.abs(ratio) === LARGEST);
  const shown = (log: number | null) =>
    unknown && log !== null && Math.abs(log) > MEANT ? null : asChange(log);
  return { estimate: shown(centre), low: shown(low), high: shown(high) };
}

/** Stored evidence of one row: one test and the estimated change. */
export interface StoredTest {
  readonly test: SingleTest['test'];
  readonly change: Change;
}

/** Logarithms of the medians, one for each night that has the metric with positive values. */
export function nightMedians(
  nights: readonly Pick<Night, 'medians'>[],
  variant: string,
  metric: string,
): readonly number[] {
  return nights.flatMap(({ medians }) => {
    const value = own(own(medians, variant) ?? {}, metric);
    return value === undefined ? [] : [Math.log(value)];
  });
}

/** The values of successful runs. */
export function valuesOf(runs: readonly ObservedRun[], variant: string, metric: string): number[] {
  return runs.flatMap((run) => {
    const value = run.variant === variant && run.outcome === 'ok' ? own(run.metrics, metric) : undefined;
    return value === undefined ? [] : [value];
  });
}

/**
 * The new session against the prediction of the stored ones.
 * @param medians of earlier sessions' logs, at least two
 * @param value this session's median of logs
 */
export function storedTest(medians: readonly number[], value: number, rule: MetricRule): StoredTest {
  const prediction = predict(medians, CONFIDENCE);
  const lower = rule.better === 'lower';
  const effect = value - prediction.centre;
  return {
    test: {
      worseBy: sign(rule) * effect,
      pWorse: lower ? prediction.above(value) : prediction.below(value),
      pBetter: lower ? prediction.below(value) : prediction.above(value),
      pNotWorse: (margin) => (lower ? prediction.below(value, margin) : prediction.above(value, -margin)),
      pNotBetter: (margin) => (lower ? prediction.above(value, -margin) : prediction.below(value, margin)),
    },
    change: {
      estimate: asChange(effect),
      low: asChange(value - prediction.high),
      high: asChange(value - prediction.low),
    },
  };
}

/**
 * The nights of a row, from this machine if there are any.
 * @param values this session's samples of the baseline
 */
export function storedNights(
  nights: readonly Night[],
  variant: string,
  metric: string,
  values: readonly number[],
): StoredNights | null {
  const usable = nights.filter(({ changedFiles }) => changedFiles === null);
  const own = nightMedians(
    usable.filter(({ sameMachine }) => sameMachine),
    variant,
    metric,
  );
  const medians = own.length > 0 ? own : nightMedians(usable, variant, metric);
  if (medians.length === 0) return null;
  const interval = medians.length > 1 ? predict(medians, CONFIDENCE) : undefined;
  const here =
    values.length > 0 && values.every((value) => value > 0) ? median(values.map(Math.log)) : undefined;
  return {
    sessions: medians.length,
    median: finiteExp(median([...medians])),
    low: interval === undefined ? null : finiteExp(interval.low),
    high: interval === undefined ? null : finiteExp(interval.high),
    position:
      interval === undefined || here === undefined
        ? 'unknown'
        : here < interval.low
          ? 'below'
          : here > interval.high
            ? 'above'
            : 'inside',
    sameMachine: own.length > 0,
  };
}
