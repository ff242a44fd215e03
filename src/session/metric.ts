import { z } from 'zod';

/** Which way a metric is better. `worse` in every verdict follows it. */
export const betterSchema = z.enum(['lower', 'higher']);
export type Better = z.infer<typeof betterSchema>;

/** A metric's name: safe in a file, a table and an object. */
export const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,62}$/;

/** A name, or a pattern of names, in which `*` is any text or none. */
export const METRIC_NAME_OR_PATTERN = /^[A-Za-z*][A-Za-z0-9_./*-]{0,62}$/;

export const isPattern = (name: string): boolean => name.includes('*');

/**
 * How a metric's figures come about, and so how two sides are compared by them.
 *
 * - `paired`: it varies from run to run, so it is tested over pairs of runs, inside the family.
 * - `exact`: the same at every look, so it is compared as it is.
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
  /** How it is had from a run's other metrics, where it is a hybrid: see formula.ts. */
  formula: z.string().optional(),
  /**
   * Where nobody named it and a pattern stands for it: which one, and the variants in which every side reported it. In
   * the others it is shown, not judged. `added`: those of them in which the base's measuring code does not report it.
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

/** A kind as `session.json` has it: version 1 of the format has flags, and every Pacegate that reads it knows them. */
const KIND_FLAGS = {
  paired: {},
  exact: { deterministic: true },
  once: { deterministic: true, once: true },
  counted: { deterministic: true, counted: true },
} as const satisfies Readonly<Record<MetricKind, z.input<typeof kindFlags>>>;

/** The kind that flags stand for. `once` alone was never written, and never had an effect. */
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

/** A metric that Pacegate measures itself: how it is judged by default, and what docs/metrics.md says of it. */
export interface DescribedMetric extends MetricRule {
  /**
   * What it is said of: a run of the workload, a run under valgrind, an image, or the building of one. A formula knows
   * those of runs.
   */
  readonly of: 'run' | 'count' | 'image' | 'build';
  /** How it is measured: at most two short sentences. */
  readonly what: string;
  /** What misleads about it: a few short sentences. */
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

/** Not `instructions`, which are the processor's own: valgrind's are those of another program's look at the code. */
export const VALGRIND_INSTRUCTIONS = 'valgrind_instructions';

/** Every built-in metric, in the order of the report. New ones are shown and not judged: more tests find less each. */
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
  // Compressing an image takes seconds: measured where it is judged, or asked for.
  described(
    'image',
    'image_compressed_bytes',
    'Size of the layers, each compressed with gzip, as in a registry. Measured where it is named, by `rank` and by the nightly.',
    'A pull skips layers that the machine already has.',
    { limit: SIZE_LIMIT, kind: 'exact' },
  ),
  // A cold build takes minutes: measured where it is judged, or asked for.
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

/** The metrics that there are without asking the workload, and how they are judged by default. */
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
      kind: 'paired',
    }
  );
}
