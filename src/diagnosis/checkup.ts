import { median, sampleStandardDeviation } from 'simple-statistics';
import { isTested } from '../session/metric.ts';
import type { Rules } from '../session/rules.ts';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { looksFor } from '../statistics/looks.ts';
import { blocksToDecide } from '../statistics/outlook.ts';
import { detectableEffect, type RowUnderTest } from '../statistics/power.ts';
import { uniformSource } from '../statistics/random.ts';
import { pairRatios } from '../evidence/nights.ts';
import { pairSeconds } from '../evidence/pair-seconds.ts';
import { own } from '../session/record.ts';

/** What a gate finds on this machine and how long it takes, from a short session of the same code against itself. */
export interface Checkup {
  readonly rows: readonly RowCheckup[];
  readonly variants: readonly VariantCheckup[];
  /** The time to measure one gate of unchanged code, in seconds: expected, and at most. */
  readonly seconds: number;
  readonly secondsAtMost: number;
  /** The time to build both sides here, in seconds, with any caches. */
  readonly buildSeconds: number;
  readonly busy: Busy;
}

export interface RowCheckup {
  readonly variant: string;
  readonly metric: string;
  readonly unit: string;
  /** The smallest change that counts, a fraction. */
  readonly limit: number;
  /** Standard deviation of log(head / baseline) of a pair. */
  readonly noise: number;
  /** The smallest loss found in 80 of 100 gates, a fraction; null if the power at +50 % is lower. */
  readonly detectable: number | null;
  /** Pairs after which unchanged code is decided in 80 of 100 gates; null if the maximum is not enough. */
  readonly blocks: number | null;
}

export interface VariantCheckup {
  readonly variant: string;
  /** One run of the workload, its repetitions included. */
  readonly runSeconds: number;
  readonly repetitions: number;
  /** A run of each side, including start and end of the containers. */
  readonly pairSeconds: number;
  /** Pairs until all rows are decided, or the maximum. */
  readonly blocks: number;
}

/**
 * Other work of the machine during the runs. Shares are of the runs' time; undefined if the machine does not report it.
 */
export interface Busy {
  readonly cores: number;
  /** Median of the one-minute load average as the runs began. */
  readonly load: number | undefined;
  readonly stealShare: number | undefined;
  readonly throttledShare: number | undefined;
}

/**
 * @param session of the same code on both sides, with the blocks that the check-up took
 * @param rules those of a gate
 */
export function checkup(session: Session, rules: Rules): Checkup {
  const ok = lastAttempts(session.runs).filter(({ outcome }) => outcome === 'ok');
  const judged = rules.metrics.filter(isTested);
  const test = {
    alpha: rules.alpha,
    looks: looksFor(rules.profile, rules.blocks, rules.method ?? 1),
    method: rules.method ?? 1,
    tests: Math.max(1, judged.length * session.variants.length),
  };
  const ratios = pairRatios(session);
  const rows = session.variants.flatMap((variant) =>
    judged.flatMap(({ name: metric, unit, limit }): RowCheckup[] => {
      const found = ratios.get(variant)?.get(metric);
      if (found === undefined) return [];
      return [{ variant, metric, unit, ...rowFigures(found, { ...test, limit }, session.seed) }];
    }),
  );
  const pairs = pairSeconds(session);
  const variants = session.variants.flatMap((variant): VariantCheckup[] => {
    const runs = ok.filter((run) => run.variant === variant);
    if (runs.length === 0) return [];
    const repetitions = own(session.workload.repetitions, variant) ?? 1;
    const ofVariant = rows.filter((row) => row.variant === variant);
    return [
      {
        variant,
        runSeconds: repetitions * median(runs.map(({ metrics }) => metrics['wall_time_s'] ?? 0)),
        repetitions,
        pairSeconds: pairs.get(variant) ?? 0,
        blocks: Math.max(1, ...ofVariant.map(({ blocks }) => blocks ?? rules.blocks)),
      },
    ];
  });
  // The warm-up is a pair of each variant.
  const total = (blocks: (variant: VariantCheckup) => number) =>
    variants.reduce((sum, variant) => sum + variant.pairSeconds * (1 + blocks(variant)), 0);
  return {
    rows,
    variants,
    seconds: total(({ blocks }) => blocks),
    secondsAtMost: total(() => rules.blocks),
    buildSeconds: session.images.reduce((sum, { buildSeconds }) => sum + (buildSeconds ?? 0), 0),
    busy: busyOf(ok, session),
  };
}

function rowFigures(
  ratios: Float64Array,
  row: RowUnderTest,
  seed: number,
): Pick<RowCheckup, 'limit' | 'noise' | 'detectable' | 'blocks'> {
  const centre = centreOf(ratios);
  const model = { sessions: [Array.from(ratios, (ratio) => ratio - centre)] };
  return {
    limit: row.limit,
    noise: sampleStandardDeviation([...ratios]),
    detectable: detectableEffect(model, row, uniformSource(seed)),
    blocks: blocksToDecide(model, 0, row, uniformSource(seed)) ?? null,
  };
}

function busyOf(runs: readonly Run[], { machine, workload }: Session): Busy {
  const lasted = (run: Run) =>
    (run.metrics['wall_time_s'] ?? 0) * (own(workload.repetitions, run.variant) ?? 1);
  const share = (field: 'steal_s' | 'throttled_s') => {
    const known = runs.filter(({ noise }) => noise[field] !== undefined);
    const all = known.reduce((sum, run) => sum + lasted(run), 0);
    return all === 0 ? undefined : known.reduce((sum, { noise }) => sum + (noise[field] ?? 0), 0) / all;
  };
  const loads = runs.flatMap(({ noise }) => noise.load_1m ?? []);
  return {
    cores: machine.cores,
    load: loads.length === 0 ? undefined : median(loads),
    stealShare: share('steal_s'),
    throttledShare: share('throttled_s'),
  };
}
