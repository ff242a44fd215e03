import { z } from 'zod';

/** Which way a metric is better. `worse` in every verdict follows it. */
export const betterSchema = z.enum(['lower', 'higher']);
export type Better = z.infer<typeof betterSchema>;

/** A metric's name: safe in a file, a table and an object. */
export const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,62}$/;

/** A name, or a pattern of names, in which `*` is any text or none. */
export const METRIC_NAME_OR_PATTERN = /^[A-Za-z*][A-Za-z0-9_./*-]{0,62}$/;

export const isPattern = (name: string): boolean => name.includes('*');

/** One metric as it is judged. */
export const metricRuleSchema = z.object({
  name: z.string(),
  /** Unit of the values, empty for a plain count. */
  unit: z.string(),
  better: betterSchema,
  /** False: shown, verdict `info`, outside the family. */
  gate: z.boolean(),
  /** The smallest change that counts, a fraction (0.03 is 3 %). */
  limit: z.number().positive(),
  /** True: the same at every look, so it is compared exactly and outside the family. */
  deterministic: z.boolean().optional(),
  /** True beside `deterministic`: it does vary, and is measured once on each side, for it costs too much. */
  once: z.boolean().optional(),
  /** True beside `deterministic`: it varies a little, and is counted apart from the runs, where the plan asks for it. */
  counted: z.boolean().optional(),
  /** How it is had from a run's other metrics, where it is a hybrid: see formula.ts. */
  formula: z.string().optional(),
  /**
   * Where nobody named it and a pattern stands for it: which one, and the variants in which every side reported it. In
   * the others it is shown, not judged.
   */
  pattern: z.object({ text: z.string(), variants: z.array(z.string()) }).optional(),
});
export type MetricRule = z.infer<typeof metricRuleSchema>;

/** How every metric of the workload is judged whose name matches and that has no rule of its own. */
export const metricPatternSchema = z.object({
  /** `test_*`: `*` is any text or none. */
  pattern: z.string().regex(METRIC_NAME_OR_PATTERN),
  /** What the workload says where nothing is said here. */
  unit: z.string().optional(),
  better: betterSchema.optional(),
  gate: z.boolean(),
  limit: z.number().positive(),
});
export type MetricPattern = z.infer<typeof metricPatternSchema>;

/** The smallest change that counts where nobody said otherwise; a profile may say otherwise. */
export const DEFAULT_LIMIT = 0.03;
/** An image's size moves with every package that it carries: a twentieth is worth a look. */
const SIZE_LIMIT = 0.05;
/** A build is measured once, beside whatever the machine and the mirrors do: only a large change says something. */
const BUILD_LIMIT = 0.25;
/** The kernel's ticks, its own work for others and the page cache are in these: only a larger change says something. */
const UNSTEADY_LIMIT = 0.1;
/**
 * What valgrind counts varies by less than a millionth in one thread, and by 0.3 % over ten counts of a service of
 * processes and threads that contend: four times that is no accident.
 */
const COUNT_LIMIT = 0.01;
/** Counts that follow what else the machine does. */
const NOISY_LIMIT = 0.25;

/** A metric that there is without asking the workload: how it is judged by default, and what a reader must know. */
export interface DescribedMetric extends MetricRule {
  /**
   * What it is said of: a run of the workload, a run under valgrind, an image, or the building of one. A formula knows
   * those of runs.
   */
  readonly of: 'run' | 'count' | 'image' | 'build';
  /** How it is had: a short sentence. */
  readonly what: string;
  /** What misleads about it: a short sentence. */
  readonly misleads: string;
}

const described = (
  of: DescribedMetric['of'],
  name: string,
  what: string,
  misleads: string,
  rule: Partial<MetricRule> = {},
): DescribedMetric => ({
  name,
  unit: unitOfName(name),
  better: 'lower',
  gate: false,
  limit: DEFAULT_LIMIT,
  ...rule,
  of,
  what,
  misleads,
});

/** Not `instructions`, which are the processor's own: valgrind's are those of another program's look at the code. */
export const VALGRIND_INSTRUCTIONS = 'valgrind_instructions';

/** Every built-in metric, in the order of the report. New ones are shown and not judged: more tests find less each. */
export const DESCRIBED_METRICS: readonly DescribedMetric[] = [
  described(
    'run',
    'wall_time_s',
    'From the command’s exec to the end of the last process that it left behind.',
    'Waiting counts like work: a busy machine, a slow disk and a sleep all lengthen it.',
    { gate: true },
  ),
  described(
    'run',
    'cpu_time_s',
    'User and system time of every process and thread, orphans too: `wait4`, checked against the cgroup.',
    'Spread over more processors it is no less; frequency and hyper-threads change it without a change of code.',
    { gate: true },
  ),
  described(
    'run',
    'max_rss_bytes',
    'The largest resident size of any one process: `wait4`.',
    'No sum: four workers of 100 MiB are 100 MiB. Mapped files count.',
    { gate: true },
  ),
  // The cgroup's peak holds page cache, so it moves with what the kernel kept.
  described(
    'run',
    'memory_peak_bytes',
    'The cgroup’s own peak (`memory.peak`, `memory.max_usage_in_bytes`); containers alone.',
    'Holds the page cache and the probe, so reading a large file raises it. Of all repetitions together.',
  ),
  described(
    'run',
    'anonymous_memory_bytes',
    'The highest of samples of the cgroup’s anonymous memory (`memory.stat`), every 50 ms, less what was there before; containers alone.',
    'A peak between two samples is missed: the run’s `noise.sampling_s` is the longest gap. None for runs of less than three samples.',
  ),
  described(
    'run',
    'user_time_s',
    'The part of the CPU time in the program’s own code: `wait4`.',
    'Where the kernel divides by ticks, the split from system time is a guess. Children that a process lets the kernel forget are in the CPU time alone.',
  ),
  described(
    'run',
    'system_time_s',
    'The part of the CPU time in the kernel for the program: `wait4`.',
    'Starting a process is most of it in a short run; page faults and other tenants’ memory pressure move it.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'page_faults_minor',
    'Pages given out without reading a disk, all processes: `wait4`.',
    'Varies little and says how often memory was asked for, not how much is held; huge pages make it fall. About a hundred are the probe’s fork.',
    { unit: 'faults' },
  ),
  described(
    'run',
    'page_faults_major',
    'Pages that had to be read from a disk, all processes: `wait4`.',
    'Says whether files were in the page cache, which the run before decided; 0 as a rule.',
    { unit: 'faults', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'context_switches_voluntary',
    'How often a thread waited for something: `wait4`.',
    'Locks, pipes and sleeps; follows the timing of threads, so it varies a lot.',
    { unit: 'switches', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'context_switches_involuntary',
    'How often a thread was put aside for another: `wait4`.',
    'Says more of the machine’s other work than of the program.',
    { unit: 'switches', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'io_read_bytes',
    'Bytes fetched from storage for the processes: `wait4`’s blocks of 512.',
    'What the page cache held is not read: a second run often says 0. No pipes, sockets or tmpfs.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'io_write_bytes',
    'Bytes that the processes made the kernel write to storage: `wait4`’s blocks of 512.',
    'Counted when a page becomes dirty, whole pages, even where the file is deleted before it is written. No pipes, sockets or tmpfs.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'throttled_time_s',
    'Time that the cgroup was held back by a CPU quota (`cpu.stat`), summed over processors; containers alone.',
    '0 without a quota. With one, wall time is the quota’s as much as the program’s.',
    { limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'startup_time_s',
    'Starting this interpreter and ending it (`python -c pass` with the variant’s flags): median of up to five, behind the workload, in its container.',
    'Everything is in the page cache by then, so it is no cold start; it imports nothing of the application. Commands that begin with `python` alone.',
  ),
  described(
    'run',
    'ready_time_s',
    'Servers alone: from the server’s exec to its first good answer to the ready check, which asks every 5 ms and later every hundredth of the time since.',
    'Once in a run, with files in the page cache. A port can take connections before the program behind it can answer: an address says more.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'stop_time_s',
    'Servers alone: from the stop signal to the end of the server’s last process.',
    'What the server waits for by itself is in it. One that does not end is killed at `stop-timeout`, which then is the figure.',
    { limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'load_cpu_time_s',
    'Servers alone: CPU time of the round of load, as `cpu_time_s` of a command. The server’s has none of it.',
    'Says whether the load was at its own limit: then wall time and rates are the load’s and not the server’s.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'instructions',
    'Instructions in user mode, all processes: `perf_event_open`, where the machine has counters and allows it; in containers with `instructions: counters` alone.',
    'Fewer need not be faster: memory and mispredicted branches are not in it.',
    { unit: 'instructions' },
  ),
  described(
    'run',
    'cycles',
    'Processor cycles in user mode, all processes: as `instructions`.',
    'Of the core’s changing clock, and a hyper-thread’s neighbour lengthens them.',
    { unit: 'cycles' },
  ),
  described(
    'count',
    VALGRIND_INSTRUCTIONS,
    'Instructions that valgrind counts in one run of the workload apart from the blocks, all processes; with `instructions: cachegrind` or `callgrind` alone, and judged then.',
    'No kernel, no waiting, no memory or cache effects; threads run one at a time; the newest instructions are hidden, so a library may take another path; what depends on the time varies.',
    { unit: 'instructions', limit: COUNT_LIMIT, deterministic: true, counted: true },
  ),
  described(
    'image',
    'image_size_bytes',
    'The unpacked image, as the engine says it.',
    'Shared layers count in full for each image that has them.',
    { gate: true, limit: SIZE_LIMIT, deterministic: true },
  ),
  // Compressing an image takes seconds: measured where it is judged, or asked for.
  described(
    'image',
    'image_compressed_bytes',
    'The layers as a registry keeps them, each through gzip; where it is named, by `rank` and at night.',
    'A pull skips the layers that a machine has already.',
    { limit: SIZE_LIMIT, deterministic: true },
  ),
  // A cold build takes minutes: measured where it is judged, or asked for.
  described(
    'build',
    'build_time_s',
    'One build alone with no step from a cache; where it is named, with `--cold-builds`, by `rank` and at night.',
    'Once on each side, so there is no interval; mirrors and downloads are in it.',
    { limit: BUILD_LIMIT, deterministic: true, once: true },
  ),
  described(
    'build',
    'build_cpu_time_s',
    'The CPU time of that build.',
    'Once on each side, so there is no interval.',
    { limit: BUILD_LIMIT, deterministic: true, once: true },
  ),
  described('image', 'image_layers', 'The image’s layers, as the engine says it.', 'Fewer is not smaller.', {
    unit: 'layers',
    limit: SIZE_LIMIT,
    deterministic: true,
  }),
];

/** The metrics that there are without asking the workload, and how they are judged by default. */
export const BUILT_IN_METRICS: readonly MetricRule[] = DESCRIBED_METRICS.map((metric) =>
  metricRuleSchema.parse(metric),
);

/** The unit that a metric's name ends in: `s` or `bytes`; empty for a business metric. */
export function unitOfName(name: string): string {
  if (name.endsWith('_bytes')) return 'bytes';
  if (name.endsWith('_s')) return 's';
  return '';
}

/**
 * The rule of a metric that nobody configured: a built-in's own, else a business metric: lower is better.
 * @param gate whether an unknown metric is judged; a built-in keeps its own setting.
 */
export function defaultRule(name: string, gate: boolean): MetricRule {
  return (
    BUILT_IN_METRICS.find((metric) => metric.name === name) ?? {
      name,
      unit: unitOfName(name),
      better: 'lower',
      gate,
      limit: DEFAULT_LIMIT,
    }
  );
}
