import { z } from 'zod';

/** Which values of a metric are better. "Worse" in every verdict follows from it. */
export const betterSchema = z.enum(['lower', 'higher']);
export type Better = z.infer<typeof betterSchema>;

/** A metric's name: safe in a file, a table and an object. */
export const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,62}$/;

/** A name, or a pattern of names, in which `*` is any text or none. */
export const METRIC_NAME_OR_PATTERN = /^[A-Za-z*][A-Za-z0-9_./*-]{0,62}$/;

export const isPattern = (name: string): boolean => name.includes('*');

/**
 * How a metric is measured, and so how two sides are compared.
 *
 * - `paired`: it varies from run to run, so it is tested over pairs of runs, inside the family.
 * - `exact`: it does not vary, so its values are compared directly.
 * - `once`: it varies, and costs so much that it is measured once on each side.
 * - `counted`: it varies a little, and is counted apart from the runs, where the plan asks for it.
 */
export const METRIC_KINDS = ['paired', 'exact', 'once', 'counted'] as const;
export type MetricKind = (typeof METRIC_KINDS)[number];

const metricRuleFields = z.object({
  name: z.string(),
  /** Unit of the values, empty for a plain count. */
  unit: z.string(),
  better: betterSchema,
  /** False: shown, verdict `info`, outside the family. */
  gate: z.boolean(),
  /** The smallest change that counts, a fraction (0.03 is 3 %). */
  limit: z.number().positive(),
  /** A smaller loss that gives the verdict `warning`, a fraction below the limit. */
  warn: z.number().positive().optional(),
  /** Absolute bounds of the head's median, in the metric's unit: `max` if lower is better, else `min`. */
  max: z.number().nonnegative().optional(),
  min: z.number().nonnegative().optional(),
  /** The formula of a formula metric: see formula.ts. */
  formula: z.string().optional(),
  /**
   * For a metric that the configuration does not name and a pattern matches: the pattern, and the variants in which
   * every side reported the metric. In other variants it is shown, not judged. `added`: the variants among them in
   * which the base's measuring code does not report it.
   */
  pattern: z
    .object({ text: z.string(), variants: z.array(z.string()), added: z.array(z.string()).optional() })
    .optional(),
});

const kindFlags = z.object({
  deterministic: z.boolean().optional(),
  once: z.boolean().optional(),
  counted: z.boolean().optional(),
});

/** A kind in the form of `session.json`: version 1 of the format has flags, which every version of Pacegate reads. */
const KIND_FLAGS = {
  paired: {},
  exact: { deterministic: true },
  once: { deterministic: true, once: true },
  counted: { deterministic: true, counted: true },
} as const satisfies Readonly<Record<MetricKind, z.input<typeof kindFlags>>>;

/** Converts flags to a kind. No version has written `once` without `deterministic`, and it would have no effect. */
function kindOf({ deterministic, once, counted }: z.output<typeof kindFlags>): MetricKind {
  if (counted === true) return 'counted';
  if (deterministic !== true) return 'paired';
  return once === true ? 'once' : 'exact';
}

/** One metric as it is judged. `z.encode` gives the form of `session.json`. */
export const metricRuleSchema = z.codec(
  metricRuleFields.extend(kindFlags.shape),
  metricRuleFields.extend({ kind: z.enum(METRIC_KINDS) }),
  {
    decode: ({ deterministic, once, counted, ...rule }) => ({
      ...rule,
      kind: kindOf({ deterministic, once, counted }),
    }),
    encode: ({ kind, ...rule }) => ({ ...rule, ...KIND_FLAGS[kind] }),
  },
);
export type MetricRule = z.infer<typeof metricRuleSchema>;

/** Whether a metric is judged by a test over pairs of runs, and so takes a place in the family. */
export const isTested = ({ gate, kind }: Pick<MetricRule, 'gate' | 'kind'>): boolean =>
  gate && kind === 'paired';

/** How metrics of the workload are judged whose name matches and that have no rule of their own. */
export const metricPatternSchema = z.object({
  /** `test_*`: `*` is any text or none. */
  pattern: z.string().regex(METRIC_NAME_OR_PATTERN),
  /** Defaults to the workload's declaration. */
  unit: z.string().optional(),
  better: betterSchema.optional(),
  gate: z.boolean(),
  limit: z.number().positive(),
  warn: z.number().positive().optional(),
  max: z.number().nonnegative().optional(),
  min: z.number().nonnegative().optional(),
});
export type MetricPattern = z.infer<typeof metricPatternSchema>;

/** The default limit; a profile may set another. */
export const DEFAULT_LIMIT = 0.03;
/** An image's size changes with each package in it, so only 5 % counts. */
const SIZE_LIMIT = 0.05;
/** A build is measured once, and the machine and the mirrors add noise: only a large change counts. */
const BUILD_LIMIT = 0.25;
/**
 * The kernel's ticks, its work for other processes and the page cache affect these metrics: only a larger change
 * counts.
 */
const UNSTEADY_LIMIT = 0.1;
/**
 * Valgrind's count varies by less than a millionth in one thread, and by 0.3 % over ten counts of a service with
 * several processes and threads. The limit is about four times that.
 */
const COUNT_LIMIT = 0.01;
/** Counts that depend on other work of the machine. */
const NOISY_LIMIT = 0.25;

/** A metric that Pacegate measures itself: how it is judged by default, and what docs/metrics.md says of it. */
export interface DescribedMetric extends MetricRule {
  /**
   * What it describes: a run of the workload, a run under valgrind, an image, or a build. A formula can use those of
   * runs.
   */
  readonly of: 'run' | 'count' | 'image' | 'build';
  /** How it is measured: at most two short sentences. */
  readonly what: string;
  /** What it hides: a few short sentences. */
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
  kind: 'paired',
  ...rule,
  of,
  what,
  misleads,
});

/** Another name than `instructions`, which the processor counts: valgrind simulates another processor. */
export const VALGRIND_INSTRUCTIONS = 'valgrind_instructions';

/**
 * Every built-in metric, in the order of the report. New ones are shown and not judged, because more tests lower the
 * power of each.
 */
export const DESCRIBED_METRICS: readonly DescribedMetric[] = [
  described(
    'run',
    'wall_time_s',
    'Time from the start of the command to the end of the last process that it left behind.',
    'Waiting counts as much as work: a busy machine, a slow disk and a sleep all make it longer.',
    { gate: true },
  ),
  described(
    'run',
    'cpu_time_s',
    'User and system time of all processes and threads, orphans included: the cgroup’s count in a container, `wait4` on the host.',
    'Work spread over more processors costs the same. Frequency and hyper-threads change it without a change of code.',
    { gate: true },
  ),
  described(
    'run',
    'max_rss_bytes',
    'The largest resident size of any one process: `wait4`.',
    'It is not a sum: four workers of 100 MiB are 100 MiB. Mapped files count.',
    { gate: true },
  ),
  // The cgroup's peak holds page cache, so it moves with what the kernel kept.
  described(
    'run',
    'memory_peak_bytes',
    'The peak of the run’s cgroup (`memory.peak`, `memory.max_usage_in_bytes`). Containers only.',
    'It includes the page cache and the probe, so reading a large file raises it. It is the peak of all repetitions.',
  ),
  described(
    'run',
    'anonymous_memory_bytes',
    'The highest sample of the cgroup’s anonymous memory (`memory.stat`), every 50 ms, less the memory before the start. Containers only.',
    'A peak between two samples is missed; `noise.sampling_s` of the run is the longest gap. Absent for runs with fewer than three samples.',
  ),
  described(
    'run',
    'user_time_s',
    'The part of the CPU time that the program’s own code took: `wait4`.',
    'Where the kernel counts in ticks, the split from system time is an estimate. Children that a process ignores (SIGCHLD) only count in `cpu_time_s`.',
  ),
  described(
    'run',
    'system_time_s',
    'The part of the CPU time that the kernel took for the program: `wait4`.',
    'In a short run most of it is the start of the process. Page faults and memory pressure from other work change it.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'page_faults_minor',
    'Pages that the kernel gave to the processes without reading a disk: `wait4`.',
    'It shows how often memory was requested, not how much is held. Huge pages lower it. About a hundred belong to the probe’s fork.',
    { unit: 'faults' },
  ),
  described(
    'run',
    'page_faults_major',
    'Pages that the kernel read from a disk for the processes: `wait4`.',
    'It shows whether files were in the page cache, which depends on the run before. It is 0 in most runs.',
    { unit: 'faults', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'context_switches_voluntary',
    'How often a thread waited for something: `wait4`.',
    'It counts locks, pipes and sleeps. It follows the timing of threads, so it varies a lot.',
    { unit: 'switches', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'context_switches_involuntary',
    'How often the kernel interrupted a thread for another one: `wait4`.',
    'It shows more about other work on the machine than about the program.',
    { unit: 'switches', limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'io_read_bytes',
    'Bytes read from storage for the processes: `wait4`, in blocks of 512.',
    'Reads from the page cache do not count, so a second run is often 0. Pipes, sockets and tmpfs do not count.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'io_write_bytes',
    'Bytes that the processes made the kernel write to storage: `wait4`, in blocks of 512.',
    'A whole page counts when it becomes dirty, even if the file is deleted before it is written. Pipes, sockets and tmpfs do not count.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'throttled_time_s',
    'Time for which a CPU quota stopped the cgroup (`cpu.stat`), summed over processors. Containers only.',
    'It is 0 without a quota. With a quota, the quota decides the wall time as much as the program does.',
    { limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'startup_time_s',
    'Time to start and end the variant’s interpreter (`python -c pass` with its flags): the median of at most five starts after the workload.',
    'Files are in the page cache by then, so it is not a cold start. It imports nothing of the application. Only for commands that begin with `python`.',
  ),
  described(
    'run',
    'ready_time_s',
    'Time from the server’s start to its first good answer to the ready check. Servers only.',
    'Files are in the page cache. A port can accept connections before the program behind it can answer; an address in `ready` is more exact.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'stop_time_s',
    'Time from the stop signal to the end of the server’s last process. Servers only.',
    'It includes whatever the server waits for. A server that does not end is killed at `stop-timeout`, which is then the value.',
    { limit: NOISY_LIMIT },
  ),
  described(
    'run',
    'load_cpu_time_s',
    'CPU time of the measured round of load, without the server’s. Servers only.',
    'It shows whether the load was at its own limit. Wall time and rates then measure the load, not the server.',
    { limit: UNSTEADY_LIMIT },
  ),
  described(
    'run',
    'instructions',
    'Instructions in user mode of all processes: `perf_event_open`, where the machine has counters. In containers only with `instructions: counters`.',
    'Fewer instructions are not always faster: memory accesses and mispredicted branches are not counted.',
    { unit: 'instructions' },
  ),
  described(
    'run',
    'cycles',
    'Processor cycles in user mode of all processes: as `instructions`.',
    'Cycles depend on the core’s clock, and a neighbour on the same core adds to them.',
    { unit: 'cycles' },
  ),
  described(
    'count',
    VALGRIND_INSTRUCTIONS,
    'Instructions that valgrind counts in a run outside the blocks, all processes. Only with `instructions: cachegrind` or `callgrind`, and judged then.',
    'Kernel, waiting, memory and caches do not count. Threads run one at a time. A library may select other code, and code that depends on time varies.',
    { unit: 'instructions', limit: COUNT_LIMIT, kind: 'counted' },
  ),
  described(
    'image',
    'image_size_bytes',
    'Size of the unpacked image: the sum of its layers.',
    'Layers that images share count in full for each image.',
    { gate: true, limit: SIZE_LIMIT, kind: 'exact' },
  ),
  // Compressing an image takes seconds, so it is done only if the metric is judged or requested.
  described(
    'image',
    'image_compressed_bytes',
    'Size of the layers, each compressed with gzip, as in a registry. Measured where it is named, by `rank` and by the nightly.',
    'A pull skips layers that the machine already has.',
    { limit: SIZE_LIMIT, kind: 'exact' },
  ),
  // A cold build takes minutes, so it is done only if the metric is judged or requested.
  described(
    'build',
    'build_time_s',
    'Wall time of one build without any cache. Measured where it is named, with `--cold-builds`, by `rank` and by the nightly.',
    'It is measured once on each side, so there is no interval. Mirrors and downloads are part of it.',
    { limit: BUILD_LIMIT, kind: 'once' },
  ),
  described(
    'build',
    'build_cpu_time_s',
    'CPU time of the build without any cache.',
    'It is measured once on each side, so there is no interval.',
    { limit: BUILD_LIMIT, kind: 'once' },
  ),
  described(
    'image',
    'image_layers',
    'Number of the image’s layers.',
    'Fewer layers are not always a smaller image.',
    {
      unit: 'layers',
      limit: SIZE_LIMIT,
      kind: 'exact',
    },
  ),
];

/** The metrics that Pacegate measures itself, and how they are judged by default. */
export const BUILT_IN_METRICS: readonly MetricRule[] = DESCRIBED_METRICS.map(
  ({ name, unit, better, gate, limit, kind }) => ({ name, unit, better, gate, limit, kind }),
);

/** The unit that a metric's name ends in: `s` or `bytes`; empty for a business metric. */
export function unitOfName(name: string): string {
  if (name.endsWith('_bytes')) return 'bytes';
  if (name.endsWith('_s')) return 's';
  return '';
}

/**
 * The rule of a metric without configuration: the built-in's own, or for a business metric "lower is better".
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
      kind: 'paired',
    }
  );
}
