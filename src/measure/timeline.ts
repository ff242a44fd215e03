import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../session/run.ts';
import { everySecond, MOST_SAMPLES, type Timeline, type TimelineSample } from '../session/timeline.ts';
import { serverOf, type Engine } from './engine.ts';
import type { Journal } from './journal.ts';
import { checkedFromOutside } from './outside-check.ts';

/**
 * Time between two looks. A look is a handful of reads in this process, some 0.1 ms of CPU, and a run of one or two
 * seconds costs 2 to 3 ms with the search for its group (benchmarks/RESULTS.md): a run of a second still has its course.
 */
export const SAMPLE_SECONDS = 0.25;
/** Until the run's group or process is there, and what each of those looks costs is one failed read. */
const SEARCH_SECONDS = 0.05;
/** The engine makes the group before it starts the container: where it is not there by now, it is out of sight. */
const SEARCH_LIMIT_SECONDS = 10;

/** One look at a running run: CPU time used so far (s), memory and anonymous memory (bytes); undefined where it is gone. */
export type UsageReader = () => readonly [number, number, number | null] | undefined;

export interface Watched {
  readonly interval: number;
  readonly source: Timeline['source'];
  readonly samples: readonly TimelineSample[];
  readonly note: string | undefined;
}

export interface Found {
  readonly source: Timeline['source'];
  readonly look: UsageReader;
}

/** What the sampling may ask of the world. */
export interface WatchWorld {
  /** Seconds, monotonic. */
  readonly now: () => number;
  /** Calls back once after some seconds; the answer takes the call back. */
  readonly after: (seconds: number, call: () => void) => () => void;
}

const world: WatchWorld = {
  now: () => performance.now() / 1000,
  after: (seconds, call) => {
    // Unreferenced: a look that is due keeps nothing alive.
    const timer = setTimeout(call, seconds * 1000).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Looks at a run every `SAMPLE_SECONDS` until it is told to stop, and never throws: a look that fails is a sample less.
 * @param find gives the way to look at it as soon as there is one
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
      failure = `it could not be looked at (${error instanceof Error ? error.message : String(error)})`;
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
  'neither a cgroup nor a process of the run was found on this machine while it lasted: the engine is on another machine, or the run was over first';
const ENDED = 'the run was over before the first look at it';

const round = (value: number, steps: number) => Math.round(value * steps) / steps;

/** Where Linux shows what is looked at; a test has its own. */
export interface Roots {
  readonly cgroup: string;
  readonly proc: string;
}
const ROOTS: Roots = { cgroup: '/sys/fs/cgroup', proc: '/proc' };

/** A file of a kernel's file system, which never waits; undefined where it is not there. */
function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Where engines put a container's group, below the root: Docker with cgroupfs and with systemd, Podman, rootless Docker. */
const placesOf = (id: string): readonly string[] => [
  `docker/${id}`,
  `system.slice/docker-${id}.scope`,
  `machine.slice/libpod-${id}.scope`,
  `user.slice/user-${process.getuid?.() ?? 0}.slice/user@${process.getuid?.() ?? 0}.service/user.slice/docker-${id}.scope`,
];

/**
 * The cgroup of a container, version 2 or 1.
 * @param id the container's full id
 * @returns the way to look at it; undefined where there is none (yet), or it lacks a figure
 */
export function findCgroup(id: string, { cgroup: root }: Roots = ROOTS): Found | undefined {
  if (!/^[0-9a-f]{12,64}$/.test(id)) return undefined;
  for (const place of placesOf(id)) {
    for (const look of [versionTwo(join(root, place)), versionOne(root, place)])
      if (look() !== undefined) return { source: 'cgroup', look };
  }
  return undefined;
}

const versionTwo =
  (folder: string): UsageReader =>
  () => {
    const memory = kernelFile(join(folder, 'memory.current'));
    const cpu = memory === undefined ? undefined : field(kernelFile(join(folder, 'cpu.stat')), 'usage_usec');
    if (memory === undefined || cpu === undefined) return undefined;
    return [cpu / 1e6, Number(memory), field(kernelFile(join(folder, 'memory.stat')), 'anon') ?? null];
  };

const versionOne =
  (root: string, place: string): UsageReader =>
  () => {
    const cpu = kernelFile(join(root, 'cpuacct', place, 'cpuacct.usage'));
    const memory =
      cpu === undefined ? undefined : kernelFile(join(root, 'memory', place, 'memory.usage_in_bytes'));
    if (cpu === undefined || memory === undefined) return undefined;
    const stat = kernelFile(join(root, 'memory', place, 'memory.stat'));
    return [Number(cpu) / 1e9, Number(memory), field(stat, 'total_rss') ?? null];
  };

/** The figure of a line `NAME FIGURE`. */
function field(text: string | undefined, name: string): number | undefined {
  const digits = text === undefined ? undefined : new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Linux gives processes' times in hundredths, whatever its own tick is (USER_HZ). */
const TICKS = 100;
/** A workload that forks without end must not keep this process reading. */
const MOST_PROCESSES = 512;

/**
 * A process with all its descendants: user and system time of each, with that of the children it has waited for, so
 * that what has ended still counts; resident memory, summed. The probe adopts what loses its parent.
 */
export function processTree(pid: number, { proc }: Roots = ROOTS): Found {
  const look: UsageReader = () => {
    let cpu = 0;
    let memory = 0;
    let anonymous = 0;
    let alive = 0;
    const waiting = [pid];
    for (let next = waiting.pop(); next !== undefined && alive < MOST_PROCESSES; next = waiting.pop()) {
      const stat = kernelFile(`${proc}/${next}/stat`);
      if (stat === undefined) continue;
      alive += 1;
      // The name in brackets may hold anything, brackets too.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      cpu += [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
      const status = kernelFile(`${proc}/${next}/status`);
      memory += (field(status, 'VmRSS') ?? 0) * 1024;
      anonymous += (field(status, 'RssAnon') ?? 0) * 1024;
      waiting.push(...childrenOf(next, proc));
    }
    return alive === 0 ? undefined : [cpu / TICKS, memory, anonymous];
  };
  return { source: 'processes', look };
}

function childrenOf(pid: number, proc: string): readonly number[] {
  try {
    return readdirSync(`${proc}/${pid}/task`).flatMap((thread) =>
      (kernelFile(`${proc}/${pid}/task/${thread}/children`) ?? '')
        .split(' ')
        .filter((word) => word.trim() !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** Where a session's timelines go: an engine that is watched, and a journal that knows which run it was. */
export interface TimelineFile {
  readonly watched: (engine: Engine) => Engine;
  readonly beside: (journal: Journal) => Journal;
  /** Why timelines are missing, in one sentence; undefined where none are. */
  readonly trouble: () => string | undefined;
}

/**
 * Opens `timeline.jsonl`: one line of JSON a measured run. An older file is replaced. Nothing that goes wrong here
 * reaches a run: a file that cannot be written is said by `trouble`.
 * @param workFolder for the files in which the engine says a container's id
 */
export function timelineFile(path: string, sessionId: string, workFolder: string): TimelineFile {
  let last: Watched | undefined;
  let trouble: string | undefined;
  return {
    watched: (engine) => ({
      ...engine,
      run: async (request, signal) => {
        // A client refuses a file that is there, whoever left it: the run would fail for its timeline.
        const containerIdFile = join(workFolder, `container-${randomUUID()}.id`);
        let tree: Found | undefined;
        const watching = watch(() => tree ?? findCgroup(kernelFile(containerIdFile)?.trim() ?? ''));
        let seen: Watched | undefined;
        const stop = () => (seen ??= last = watching.stop());
        try {
          const result = await engine.run(
            {
              ...request,
              traces: {
                containerIdFile,
                onProcess: (pid) => void (tree = processTree(pid)),
                outsideSeconds: () => findCgroup(kernelFile(containerIdFile)?.trim() ?? '')?.look()?.[0],
              },
            },
            signal,
          );
          const { source, samples } = stop();
          // A server's figures are of a part of its container's life, which is compared where that part is known.
          const isWhole = serverOf(request) === undefined && source === 'cgroup';
          return isWhole ? checkedFromOutside(result, request.repetitions, samples.at(-1)?.[1]) : result;
        } finally {
          stop();
          removeQuietly(containerIdFile);
        }
      },
    }),
    beside: (journal) => {
      // Opened with the journal that closes it: a handle of nobody would stay open.
      const file = open(path, 'w').catch((error: unknown) => {
        trouble = `The timeline cannot be kept: ${error instanceof Error ? error.message : String(error)}`;
        return undefined;
      });
      return {
        ...journal,
        append: async (run, warmup) => {
          await journal.append(run, warmup);
          const seen = last;
          last = undefined;
          if (warmup || seen === undefined) return;
          try {
            await (await file)?.write(`${JSON.stringify(lineOf(sessionId, run, seen))}\n`);
          } catch (error) {
            trouble = `The timeline is not whole: ${error instanceof Error ? error.message : String(error)}`;
          }
        },
        close: async () => {
          await journal.close();
          await (await file)?.close().catch(() => undefined);
        },
      };
    },
    trouble: () => trouble,
  };
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It goes with the session's temporary folder.
  }
}

const lineOf = (
  session: string,
  { variant, side, block, position, attempt, started }: Run,
  { interval, source, samples, note }: Watched,
): Timeline => ({
  session,
  variant,
  side,
  block,
  position,
  attempt,
  started,
  interval_s: interval,
  ...(source === undefined ? {} : { source }),
  samples: [...samples],
  ...(note === undefined ? {} : { note }),
});
