import { everySecond, MOST_SAMPLES, type Timeline, type TimelineSample } from '../session/timeline.ts';
import type { Found } from './usage-sources.ts';

/** Samples what a run uses while it runs. */

/**
 * Time between two looks. A look is a handful of reads in this process, some 0.1 ms of CPU, and a run of one or two
 * seconds costs 2 to 3 ms with the search for its group (benchmarks/RESULTS.md): a run of a second still has its course.
 */
export const SAMPLE_SECONDS = 0.25;

/** Until the run's group or process is there, and what each of those looks costs is one failed read. */
const SEARCH_SECONDS = 0.05;

/** The engine makes the group before it starts the container: where it is not there by now, it is out of sight. */
const SEARCH_LIMIT_SECONDS = 10;

export interface Watched {
  readonly interval: number;
  readonly source: Timeline['source'];
  readonly samples: readonly TimelineSample[];
  readonly note: string | undefined;
}

/** The ports of the sampling. */
export interface WatchWorld {
  /** Seconds, monotonic. */
  readonly now: () => number;
  /** Calls back once after some seconds; the returned function cancels it. */
  readonly after: (seconds: number, call: () => void) => () => void;
}

const world: WatchWorld = {
  now: () => performance.now() / 1000,
  after: (seconds, call) => {
    // Unreferenced, so that the timer does not keep the process alive.
    const timer = setTimeout(call, seconds * 1000).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Samples a run every `SAMPLE_SECONDS` until it is stopped. Never throws: a failed reading is one sample less. @param
 * find returns the function that reads the run, as soon as the run exists
 */
export function watch(
  find: () => Found | undefined,
  { now, after }: WatchWorld = world,
): { readonly stop: () => Watched } {
  const begun = now();
  let samples: TimelineSample[] = [];
  let interval = SAMPLE_SECONDS;
  let found: Found | undefined;
  let failure: string | undefined;
  let cancel: () => void = () => undefined;

  const search = () => {
    found ??= find();
    if (found !== undefined) take(found);
    else if (now() - begun < SEARCH_LIMIT_SECONDS) again(SEARCH_SECONDS);
  };
  const take = ({ look }: Found) => {
    const seen = look();
    if (seen !== undefined) {
      const [cpu, memory, anonymous] = seen;
      // A process that ended between two of a look's reads must not turn time back.
      const used = Math.max(cpu, samples.at(-1)?.[1] ?? 0);
      samples.push([round(now() - begun, 1e3), round(used, 1e6), memory, anonymous]);
      // An odd count keeps its last one, so that the distance to the next is no longer than all others.
      if (samples.length > MOST_SAMPLES) {
        samples = everySecond(samples);
        interval *= 2;
      }
    }
    again(interval);
  };
  const again = (seconds: number) => {
    cancel = after(seconds, () => attempt(search));
  };
  const attempt = (step: () => void) => {
    try {
      step();
    } catch (error) {
      failure = `it could not be read (${error instanceof Error ? error.message : String(error)})`;
    }
  };
  attempt(search);
  return {
    stop: () => {
      cancel();
      return {
        interval,
        source: found?.source,
        samples,
        note: samples.length > 0 ? undefined : (failure ?? (found === undefined ? NOT_FOUND : ENDED)),
      };
    },
  };
}

const NOT_FOUND =
  'neither a cgroup nor a process of the run was found on this machine during the run: the engine is on another machine, or the run ended first';

const ENDED = 'the run ended before the first reading';

const round = (value: number, steps: number) => Math.round(value * steps) / steps;
