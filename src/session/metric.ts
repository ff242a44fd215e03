import { z } from 'zod';

/** Which way a metric is better. `worse` in every verdict follows it. */
export const betterSchema = z.enum(['lower', 'higher']);
export type Better = z.infer<typeof betterSchema>;

/** A metric's name: safe in a file, a table and an object. */
export const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,62}$/;

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
});
export type MetricRule = z.infer<typeof metricRuleSchema>;

/** The smallest change that counts where nobody said otherwise; a profile may say otherwise. */
export const DEFAULT_LIMIT = 0.03;
/** An image's size moves with every package that it carries: a twentieth is worth a look. */
const SIZE_LIMIT = 0.05;

/** A build is measured once, beside whatever the machine and the mirrors do: only a large change says something. */
const BUILD_LIMIT = 0.25;

/** The metrics that there are without asking the workload, and how they are judged by default. */
export const BUILT_IN_METRICS: readonly MetricRule[] = [
  { name: 'wall_time_s', unit: 's', better: 'lower', gate: true, limit: DEFAULT_LIMIT },
  { name: 'cpu_time_s', unit: 's', better: 'lower', gate: true, limit: DEFAULT_LIMIT },
  { name: 'max_rss_bytes', unit: 'bytes', better: 'lower', gate: true, limit: DEFAULT_LIMIT },
  // The cgroup's peak holds page cache, so it moves with what the kernel kept: shown, not judged.
  { name: 'memory_peak_bytes', unit: 'bytes', better: 'lower', gate: false, limit: DEFAULT_LIMIT },
  {
    name: 'image_size_bytes',
    unit: 'bytes',
    better: 'lower',
    gate: true,
    limit: SIZE_LIMIT,
    deterministic: true,
  },
  // Compressing an image takes seconds: measured where it is judged, or asked for.
  {
    name: 'image_compressed_bytes',
    unit: 'bytes',
    better: 'lower',
    gate: false,
    limit: SIZE_LIMIT,
    deterministic: true,
  },
  // A cold build takes minutes: measured where it is judged, or asked for.
  {
    name: 'build_time_s',
    unit: 's',
    better: 'lower',
    gate: false,
    limit: BUILD_LIMIT,
    deterministic: true,
    once: true,
  },
  {
    name: 'build_cpu_time_s',
    unit: 's',
    better: 'lower',
    gate: false,
    limit: BUILD_LIMIT,
    deterministic: true,
    once: true,
  },
  {
    name: 'image_layers',
    unit: 'layers',
    better: 'lower',
    gate: false,
    limit: SIZE_LIMIT,
    deterministic: true,
  },
];

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
