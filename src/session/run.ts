import { z } from 'zod';

/** The two sides of a comparison; there are no other words for them. */
export const SIDES = ['baseline', 'head'] as const;
export const sideSchema = z.enum(SIDES);
export type Side = z.infer<typeof sideSchema>;

/**
 * How a run ended. `engine`: not the workload's doing, the pair is repeated at most three times. Every other one
 * that is not `ok` is the workload's own death.
 */
export const OUTCOMES = ['ok', 'nonzero', 'timeout', 'oom', 'signal', 'engine'] as const;
export const outcomeSchema = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof outcomeSchema>;

/** What the machine was doing beside the run. Fields that the machine does not offer are left out. */
export const noiseSchema = z.object({
  /** Time stolen by the hypervisor during the run, summed over processors, in seconds. */
  steal_s: z.number().optional(),
  /** One-minute load average when the run started. */
  load_1m: z.number().optional(),
  /** Time the run's cgroup was throttled, in seconds. */
  throttled_s: z.number().optional(),
  /** Time in which some task of the machine waited for a processor (PSI), in seconds. */
  cpu_pressure_s: z.number().optional(),
  /**
   * CPU time of everything on the machine but the run while it went on, in seconds: what /proc/stat counts as busy, less
   * the run's own. It has ticks of 10 ms, so less than 0.05 s is nothing. The load of a server is
   * not in it, what starts that is.
   */
  other_cpu_s: z.number().optional(),
  /** Of the fastest of the processors that the run could use, as it ended, in hertz. A virtual machine shows its nominal one. */
  frequency_hz: z.number().optional(),
  /** The longest time between two samples of anonymous memory, in seconds: a shorter peak may have been missed. */
  sampling_s: z.number().optional(),
});
export type Noise = z.infer<typeof noiseSchema>;

export const runSchema = z.object({
  side: sideSchema,
  variant: z.string(),
  /** 0 is the warm-up, measured blocks count from 1. */
  block: z.int().min(0),
  /** 0 ran first in its pair, 1 second. */
  position: z.union([z.literal(0), z.literal(1)]),
  /** 0 for the first try, 1 to 3 for a pair repeated after an engine's fault. */
  attempt: z.int().min(0).max(3),
  started: z.iso.datetime(),
  outcome: outcomeSchema,
  /** Metric name to a finite value in the metric's unit; empty when the outcome is not `ok`. */
  metrics: z.record(z.string(), z.number()),
  noise: noiseSchema,
  /** The workload's exit status, or null where it has none (signal, timeout, engine). */
  exitStatus: z.int().nullable(),
  /** What happened and the workload's last lines, when the outcome is not `ok`. */
  message: z.string().optional(),
});
export type Run = z.infer<typeof runSchema>;
