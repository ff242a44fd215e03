import { z } from 'zod';

/** The two sides of a comparison. */
export const SIDES = ['baseline', 'head'] as const;
export const sideSchema = z.enum(SIDES);
export type Side = z.infer<typeof sideSchema>;

/**
 * How a run ended. `engine`: a fault of the engine; the pair is repeated at most three times. Any other outcome except
 * `ok` is a failure of the workload.
 */
export const OUTCOMES = ['ok', 'nonzero', 'timeout', 'oom', 'signal', 'engine'] as const;
export const outcomeSchema = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof outcomeSchema>;

/** What the machine did during the run. Fields that the machine does not report are left out. */
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
   * CPU time of all other processes of the machine during the run, in seconds: the busy time of /proc/stat, less the
   * run's own. It counts in ticks of 10 ms, so values below 0.05 s mean nothing. It excludes the load of a server and
   * includes what starts the load.
   */
  other_cpu_s: z.number().optional(),
  /**
   * Clock rate of the fastest processor that the run could use, at its end, in hertz. A virtual machine shows its
   * nominal rate.
   */
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
  /** 0 for the first try, 1 to 3 for a pair repeated after a fault of the engine. */
  attempt: z.int().min(0).max(3),
  started: z.iso.datetime(),
  outcome: outcomeSchema,
  /** Metric name to a finite value in the metric's unit; empty when the outcome is not `ok`. */
  metrics: z.record(z.string(), z.number()),
  noise: noiseSchema,
  /** The workload's exit status, or null if it has none (signal, timeout, engine). */
  exitStatus: z.int().nullable(),
  /** What happened and the workload's last lines, when the outcome is not `ok`. */
  message: z.string().optional(),
});
export type Run = z.infer<typeof runSchema>;
