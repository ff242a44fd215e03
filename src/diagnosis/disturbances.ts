import { median, quantile } from 'simple-statistics';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { own } from '../session/record.ts';

/** Disturbances of a run by other work on its machine. */
export type DisturbanceKind = 'steal' | 'throttling' | 'others' | 'waiting' | 'frequency';

/** One kind of disturbance, and how often a session met it. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  /** Runs beyond the threshold, and all runs with a reading. */
  readonly runs: number;
  readonly of: number;
  /**
   * The median of those runs. `others`: processors that other work kept busy. `frequency`: by which part it was below
   * the session's best. Otherwise: a part of the run's time.
   */
  readonly size: number;
}

/**
 * The part of a run's time that steal or throttling took. From this size on it alone can cause a change of 3 %: both
 * come in bursts, so a small average is enough.
 */
export const LOST_TIME = 0.02;
/** PSI counts every task of the machine, also short ones, so it is never zero. */
const WAITING = 0.2;
/**
 * The part of the free processors that other work may use: up to this part the scheduler nearly always has a free
 * processor for the run. If the run leaves none free, others may use this much: the kernel, the engine and Pacegate
 * need it.
 */
const OTHERS_OF_FREE = 0.25;
const OTHERS_AT_LEAST = 0.1;
/** A value of `other_cpu_s` below the resolution of the kernel's ticks, in seconds. */
const TICKS_SECONDS = 0.05;
/** A turbo changes by one or two steps of 100 MHz all the time; wall and CPU time follow the frequency. */
const SLOWER = 0.05;
/**
 * The best frequency of a session is one that a tenth of its runs reached, because the highest may have lasted a
 * moment.
 */
const BEST = 0.9;

/** A run's duration and CPU time, over all its repetitions, in seconds. */
interface Timed {
  readonly noise: Run['noise'];
  readonly wall: number;
  readonly cpu: number;
}

/**
 * The disturbances of a session's runs, the worst kinds first. Call it for each machine separately. @returns undefined
 * if the runs have no reading except the load, which does not mean a quiet machine
 */
export function disturbances({ runs, workload, machine }: Session): readonly Disturbance[] | undefined {
  const timed = runs.flatMap(({ noise, metrics, variant }): Timed[] => {
    const { wall_time_s: wall, cpu_time_s: cpu = 0 } = metrics;
    const repetitions = own(workload.repetitions, variant) ?? 1;
    return wall === undefined || wall <= 0
      ? []
      : [{ noise, wall: wall * repetitions, cpu: cpu * repetitions }];
  });
  const frequencies = timed.flatMap(({ noise }) => noise.frequency_hz ?? []);
  const best = frequencies.length === 0 ? 0 : quantile(frequencies, BEST);
  const kinds: Readonly<Record<DisturbanceKind, (run: Timed) => Seen | undefined>> = {
    steal: (run) => lostTime(run, run.noise.steal_s),
    throttling: (run) => lostTime(run, run.noise.throttled_s),
    others: (run) => othersOf(run, machine.cores),
    waiting: ({ noise, wall }) => seen(part(noise.cpu_pressure_s, wall), WAITING),
    frequency: ({ noise }) =>
      seen(
        part(noise.frequency_hz, best, (share) => 1 - share),
        SLOWER,
      ),
  };
  const reported = Object.entries(kinds).map(([kind, look]) => {
    const all = timed.flatMap((run) => look(run) ?? []);
    const beyond = all.filter(({ size, most }) => size > most).map(({ size }) => size);
    return { kind: kind as DisturbanceKind, all, beyond };
  });
  if (reported.every(({ all }) => all.length === 0)) return undefined;
  return reported.flatMap(({ kind, all, beyond }) =>
    beyond.length === 0 ? [] : [{ kind, runs: beyond.length, of: all.length, size: median(beyond) }],
  );
}

/** A run's reading of one kind, and the threshold up to which it does not count. */
interface Seen {
  readonly size: number;
  readonly most: number;
}

const seen = (size: number | undefined, most: number): Seen | undefined =>
  size === undefined ? undefined : { size, most };

const part = (value: number | undefined, whole: number, of: (share: number) => number = (share) => share) =>
  value === undefined ? undefined : of(value / whole);

/**
 * The kernel sums these over processors, so they are divided by the processor time that the run needed, which is more
 * than its wall time on several processors.
 */
const lostTime = ({ wall, cpu }: Timed, seconds: number | undefined): Seen | undefined =>
  seconds === undefined ? undefined : seen(seconds / Math.max(wall, cpu + seconds), LOST_TIME);

function othersOf({ noise, wall, cpu }: Timed, cores: number): Seen | undefined {
  if (noise.other_cpu_s === undefined) return undefined;
  const free = Math.max(0, cores - cpu / wall);
  return seen(
    noise.other_cpu_s / wall,
    Math.max(OTHERS_AT_LEAST, OTHERS_OF_FREE * free, TICKS_SECONDS / wall),
  );
}
