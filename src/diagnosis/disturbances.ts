import { median, quantile } from 'simple-statistics';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { own } from '../session/record.ts';

/** What else can happen to a run on its machine. */
export type DisturbanceKind = 'steal' | 'throttling' | 'others' | 'waiting' | 'frequency';

/** One kind of disturbance, and how often a session met it. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  /** Runs beyond the threshold, and all that could tell. */
  readonly runs: number;
  readonly of: number;
  /**
   * The median of those runs. `others`: processors that everything else on the machine kept busy. `frequency`: the part
   * of the session's best that was lacking. Else: the part of the run's time.
   */
  readonly size: number;
}

/**
 * Time that was taken from a run, as a part of it: from here on it can carry a change that counts (3 %) by itself.
 * Steal and throttling both come in bursts, so a little of either is enough.
 */
export const TAKEN = 0.02;
/** PSI counts any task of the machine, those that end at once too: a little is always there. */
const WAITING = 0.2;
/**
 * Of the processors that the run left free, the part that others may use: up to there the scheduler has nearly always a
 * free one for the run. And what they may use where it left none: the kernel, the engine and Pacegate itself take that.
 */
const OTHERS_OF_FREE = 0.25;
const OTHERS_AT_LEAST = 0.1;
/** What the kernel's ticks cannot tell from nothing (`other_cpu_s`), in seconds. */
const TICKS_SECONDS = 0.05;
/** A turbo moves by a step or two of 100 MHz all the time; wall and CPU time follow the frequency one to one. */
const SLOWER = 0.05;
/** The best of a session is what a tenth of its runs reached: the highest alone may be a moment's. */
const BEST = 0.9;

/** A run that says how long it took, and what it used: both of all its repetitions, in seconds. */
interface Timed {
  readonly noise: Run['noise'];
  readonly wall: number;
  readonly cpu: number;
}

/**
 * What disturbed the runs of a session, the worst kinds first; of several machines ask for each session by itself.
 * @returns undefined where no run says anything but its load: that is not quiet
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
    steal: (run) => taken(run, run.noise.steal_s),
    throttling: (run) => taken(run, run.noise.throttled_s),
    others: (run) => othersOf(run, machine.cores),
    waiting: ({ noise, wall }) => seen(part(noise.cpu_pressure_s, wall), WAITING),
    frequency: ({ noise }) =>
      seen(
        part(noise.frequency_hz, best, (share) => 1 - share),
        SLOWER,
      ),
  };
  const told = Object.entries(kinds).map(([kind, look]) => {
    const all = timed.flatMap((run) => look(run) ?? []);
    const beyond = all.filter(({ size, most }) => size > most).map(({ size }) => size);
    return { kind: kind as DisturbanceKind, all, beyond };
  });
  if (told.every(({ all }) => all.length === 0)) return undefined;
  return told.flatMap(({ kind, all, beyond }) =>
    beyond.length === 0 ? [] : [{ kind, runs: beyond.length, of: all.length, size: median(beyond) }],
  );
}

/** What a run says of one kind, and up to where that is nothing. */
interface Seen {
  readonly size: number;
  readonly most: number;
}

const seen = (size: number | undefined, most: number): Seen | undefined =>
  size === undefined ? undefined : { size, most };

const part = (value: number | undefined, whole: number, of: (share: number) => number = (share) => share) =>
  value === undefined ? undefined : of(value / whole);

/**
 * The kernel sums these over processors: of a run on many they are a part of the processor time that it wanted, which
 * is more than its wall time.
 */
const taken = ({ wall, cpu }: Timed, seconds: number | undefined): Seen | undefined =>
  seconds === undefined ? undefined : seen(seconds / Math.max(wall, cpu + seconds), TAKEN);

function othersOf({ noise, wall, cpu }: Timed, cores: number): Seen | undefined {
  if (noise.other_cpu_s === undefined) return undefined;
  const free = Math.max(0, cores - cpu / wall);
  return seen(
    noise.other_cpu_s / wall,
    Math.max(OTHERS_AT_LEAST, OTHERS_OF_FREE * free, TICKS_SECONDS / wall),
  );
}
