import { z } from 'zod';
import { acceptanceSchema } from './acceptance.ts';
import { interpreterFactsSchema } from './facts.ts';
import { historySchema } from './history.ts';
import { declaredMetricSchema } from './declared.ts';
import { measuringSchema } from './measuring.ts';
import { explanationSchema } from './profile.ts';
import { PURPOSES } from './purpose.ts';
import { rankingRequestSchema } from './ranking.ts';
import { rulesSchema } from './rules.ts';
import { outcomeSchema, runSchema, sideSchema } from './run.ts';

/** The machine a session ran on. The first four decide whether sessions may be compared (`sameMachine`). */
export const machineSchema = z.object({
  cpuModel: z.string(),
  architecture: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.number().positive(),
  /** SHA-256 of the sorted CPU flags. */
  cpuFlagsHash: z.string(),
  kernel: z.string(),
  /** Engine and version; "host" without a container engine. */
  engine: z.string(),
  /** The runner's image (GitHub's ImageOS and ImageVersion), or empty. */
  runnerImage: z.string(),
});
export type Machine = z.infer<typeof machineSchema>;

/** The cost of a build without a cache. Pulling a base image does not count. */
export const buildCostSchema = z.object({
  /** Wall time, in seconds. */
  seconds: z.number().nonnegative(),
  /** Processor time of all its steps, in seconds; absent if the engine's cgroups cannot be read. */
  cpuSeconds: z.number().nonnegative().optional(),
  /** Share of the time in which some task of the machine waited for a processor (PSI), 0 to 1. */
  cpuPressure: z.number().nonnegative().optional(),
});
export type BuildCost = z.infer<typeof buildCostSchema>;

/** The programs of valgrind that count instructions. */
export const COUNTING_TOOLS = ['cachegrind', 'callgrind'] as const;
export type CountingTool = (typeof COUNTING_TOOLS)[number];

/** How instructions are counted: by the hardware on the host only, by the hardware in containers too, or by valgrind. */
export const INSTRUCTION_SOURCES = ['none', 'counters', ...COUNTING_TOOLS] as const;
export type InstructionSource = (typeof INSTRUCTION_SOURCES)[number];

/** Valgrind's counts, from runs apart from the measured ones. */
export const instructionCountSchema = z.object({
  /** The tools' counts differ by half a per cent, so they are not compared with each other. */
  tool: z.enum(COUNTING_TOOLS),
  /** As valgrind prints it: `valgrind-3.19.0`. */
  version: z.string(),
  /** Instructions of all processes of one repetition, one value for each count. */
  counts: z.array(z.number().positive()).min(1),
  /** Processes of the last count. */
  processes: z.int().positive(),
  /** Wall time of all counts, in seconds. */
  seconds: z.number().nonnegative(),
});
export type InstructionCount = z.infer<typeof instructionCountSchema>;

/**
 * How Docker keeps images: in its classic store (overlay2 and others), or in containerd's, Docker 29's default. The two
 * stores count sizes differently, so a size is compared only within one store.
 */
export const IMAGE_STORES = ['classic', 'containerd'] as const;
export type ImageStore = (typeof IMAGE_STORES)[number];

/** One side of one variant: a container image, or a host interpreter with a checkout. */
export const imageSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  engine: z.enum(['container', 'host']),
  /** Identifies the content: sides with equal identities are not measured. */
  identity: z.string(),
  /** The head's layers differ from the baseline's in times only, so it has the baseline's identity; absent otherwise. */
  sameContent: z.literal(true).optional(),
  /** `name@sha256:…` if a registry has it. */
  digest: z.string().optional(),
  /** The image ID (`sha256:…`), or the host interpreter's path. */
  id: z.string(),
  /** A hash of the variant's definition without the application; equal if the interpreter layers are equal. */
  definitionHash: z.string(),
  /** The store of the engine that has the image; absent for the host, and in files of earlier versions. */
  store: z.enum(IMAGE_STORES).optional(),
  /**
   * Unpacked size in bytes: the sum of the layers' (files of earlier versions may have what the engine calls its size).
   * Absent for the host, and if it could not be read.
   */
  sizeBytes: z.number().nonnegative().optional(),
  layers: z.array(z.string()),
  /** Where it came from: built here, pulled by digest, existed already, or the host's. */
  origin: z.enum(['built', 'pulled', 'existing', 'host']),
  /** Wall time of the build here, with any caches. It shows where the minutes went and is not compared. */
  buildSeconds: z.number().nonnegative().optional(),
  /** A separate build of this image without a cache; only if requested. */
  coldBuild: buildCostSchema.optional(),
  /** Size of the layers, each compressed with gzip as in a registry, in bytes; only if requested. */
  compressedBytes: z.number().nonnegative().optional(),
  /** Size of the files of each layer that is not empty, in bytes, the base's layers first. */
  layerSizes: z.array(z.number().nonnegative()).optional(),
  /** The base image of the interpreter, and the digest that its name had. */
  base: z.object({ reference: z.string(), digest: z.string() }).optional(),
  /** The interpreter's image, built once for both sides and, by `key`, for later sessions. */
  interpreter: z
    .object({
      key: z.string(),
      /** `name@sha256:…`, or its ID if no registry has it. */
      reference: z.string(),
      origin: z.enum(['built', 'engine', 'registry']),
    })
    .optional(),
  /** CPU flags that the interpreter was compiled for (`-march=native`), as the kernel names them. */
  cpuFlags: z.array(z.string()).optional(),
  /** The image's ENTRYPOINT, which the workload does not use. Absent if there is none. */
  entrypoint: z.array(z.string()).optional(),
  facts: interpreterFactsSchema.optional(),
  /** Valgrind's count; only if the plan asks for it. */
  counted: instructionCountSchema.optional(),
  /** Why there is no count although the plan asks for it. */
  uncounted: z.string().optional(),
});
export type Image = z.infer<typeof imageSchema>;

/** Why a variant, or one side of it, was not measured. */
export const failureSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  /** `metrics`: it ran and reported no judged metric. */
  stage: z.enum(['build', 'engine', 'workload', 'metrics']),
  message: z.string(),
});
export type Failure = z.infer<typeof failureSchema>;

/** A trial run, which is no sample: it shows whether a side works with the measuring code of a given side. */
export const trialSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  /** The side whose `workload.files` and command it used. Samples always use the head's. */
  code: sideSchema,
  repetitions: z.int().min(1),
  outcome: outcomeSchema,
  metrics: z.record(z.string(), z.number()),
  exitStatus: z.int().nullable(),
  message: z.string().optional(),
});
export type Trial = z.infer<typeof trialSchema>;

/** How the head's measuring code, which both sides run, differs from the baseline's own. */
export const measuringCodeSchema = z.object({
  /** Paths of `workload.files`, and fields of `workload` such as `workload.command`. */
  changed: z.array(z.string()),
  /** Whether the baseline has measuring code of its own. */
  own: z.boolean(),
});
export type MeasuringCodeRecord = z.infer<typeof measuringCodeSchema>;

export const sourceSchema = z.object({
  repository: z.string(),
  /** `pull_request`, `push`, `schedule`, … or `terminal`. */
  event: z.string(),
  /** The commit of each side's files; absent for a folder. `dirty`: with uncommitted changes. */
  baseline: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
  head: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** The settings of a server workload and its load. */
export const serverRecordSchema = z.object({
  /** The ready check: a TCP port of the loopback interface, or an `http://` address there. */
  ready: z.union([z.int(), z.string()]),
  /** One round of load. */
  load: z.array(z.string()),
  /** Rounds of load before the measured one. */
  warmUp: z.int().nonnegative(),
  /** The stop signal, and the time limit after it. */
  stop: z.string(),
  stopTimeoutSeconds: z.number().positive(),
  /** The time limit to become ready. */
  startTimeoutSeconds: z.number().positive(),
});
export type ServerRecord = z.infer<typeof serverRecordSchema>;

export const workloadRecordSchema = z.object({
  command: z.array(z.string()),
  /** Present if the command is a server. */
  server: serverRecordSchema.optional(),
  /** SHA-256 over the command, the files and the other settings that decide what is measured. */
  hash: z.string(),
  /** Path to SHA-256 of each of `workload.files`. */
  files: z.record(z.string(), z.string()),
  /** Variant to repetitions in one run; every value is per repetition. */
  repetitions: z.record(z.string(), z.int().min(1)),
  timeoutSeconds: z.number().positive(),
  /** Absent in files of earlier versions, which counted on the host only. */
  instructions: z.enum(INSTRUCTION_SOURCES).optional(),
});
export type WorkloadRecord = z.infer<typeof workloadRecordSchema>;

/** A night, with the parts that a newer session needs to show it or to be judged by it. */
export const nightSchema = z.object({
  session: z.string(),
  started: z.iso.datetime(),
  sameMachine: z.boolean(),
  /** Paths of the measuring code that differ from the newer session's, or null if it is the same. */
  changedFiles: z.array(z.string()).nullable(),
  /** Variant -> metric -> median of the night's runs, computed from the logarithms, in the metric's unit. */
  medians: z.record(z.string(), z.record(z.string(), z.number().positive())),
  /**
   * Variant -> metric -> log(head / baseline) of each pair, less their centre, of a night that measured the baseline
   * against itself. This is the noise of a pair on this machine.
   */
  residuals: z.record(z.string(), z.record(z.string(), z.array(z.number()))).default({}),
  /** Variant -> metric -> that centre, a logarithm: the change that the session showed although nothing had changed. */
  centres: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  /** What its workload declared about its metrics: the medians are in these units. Absent without a declaration. */
  declared: z.record(z.string(), declaredMetricSchema).optional(),
});
export type Night = z.infer<typeof nightSchema>;

export const shardSchema = z.object({
  /** From 1. */
  index: z.int().min(1),
  /** The largest number of shards. */
  of: z.int().min(2).max(9999),
  /** Size of the whole family: variants of the plan times tested metrics. */
  tests: z.int().min(0).max(10_000_000),
  /** All variants of the plan, in its order. They show which variants a missing shard has. */
  variants: z.array(z.string()),
});
export type Shard = z.infer<typeof shardSchema>;

export const SESSION_FORMAT = 'pacegate-session';
export const SESSION_VERSION = 1;

/** Everything that a verdict needs; `compare session.json` gives the verdict of the live run on any later day. */
export const sessionSchema = z.object({
  format: z.literal(SESSION_FORMAT),
  version: z.literal(SESSION_VERSION),
  id: z.string(),
  /** Its purpose; `nightly` and `anchor` sessions are stored on the baseline branch. */
  purpose: z.enum(PURPOSES).default('gate'),
  /** The options of a ranking. */
  ranking: rankingRequestSchema.optional(),
  /** Present in one of several jobs that share a family: the session has only its own variants. */
  shard: shardSchema.optional(),
  /** The name of its configuration, which separates baselines and comments. */
  configuration: z.string(),
  started: z.iso.datetime(),
  ended: z.iso.datetime(),
  tool: z.object({ version: z.string() }),
  source: sourceSchema,
  machine: machineSchema,
  workload: workloadRecordSchema,
  /** What the change removes or edits of what measures it; absent if nothing. */
  measuring: measuringSchema.optional(),
  /** The regressions that the base's file accepts; absent without such a file. */
  accepted: acceptanceSchema.optional(),
  /** The variants in the plan's order. */
  variants: z.array(z.string()),
  sides: z.array(sideSchema).min(1),
  rules: rulesSchema,
  seed: z.int(),
  images: z.array(imageSchema),
  warmup: z.array(runSchema),
  runs: z.array(runSchema),
  failures: z.array(failureSchema),
  /** Trial runs, which show whether a side works at all, and with which measuring code. Absent without any. */
  trials: z.array(trialSchema).optional(),
  /** Absent without two sides to compare, and in files of earlier versions. */
  measuringCode: measuringCodeSchema.optional(),
  /** True if it was cancelled: the session has the runs so far, and they give no verdict. */
  interrupted: z.literal(true).optional(),
  /** The nights known when this session was judged, oldest first. */
  nights: z.array(nightSchema).default([]),
  /** The results of all nights when this session was measured, for its report. No verdict depends on them. */
  history: historySchema.optional(),
  /** What the workload declares about its business metrics. */
  declaredMetrics: z.record(z.string(), declaredMetricSchema),
  /** Profiles of regressed variants. No verdict depends on them. */
  explanations: z.array(explanationSchema).optional(),
  /** Remarks for the report that do not change a verdict: an order cut by the budget, rules taken from the head… */
  notes: z.array(z.string()),
  /** What the budget allowed, and what it left out. */
  /** The change touches ignored paths only (`rules.paths-ignore`), so nothing was built or measured; absent otherwise. */
  skipped: z.object({ files: z.int().positive(), patterns: z.array(z.string()) }).optional(),
  budget: z.object({
    seconds: z.number().positive(),
    spentSeconds: z.number().nonnegative(),
    /** The maximum number of blocks, if the budget allowed fewer than the rules. */
    blocksPlanned: z.int().nonnegative().optional(),
    /** The same for the variants that the change adds, which are measured after the others; absent without any. */
    addedBlocksPlanned: z.int().nonnegative().optional(),
    /** Blocks left out although rows were undecided, and the time that they would have taken. */
    blocksLeftOut: z.int().nonnegative(),
    secondsLeftOut: z.number().nonnegative(),
    /** Variants that were stopped before, because the rest of the budget was unlikely to decide anything of them. */
    stopped: z.array(z.string()).optional(),
  }),
});
export type Session = z.infer<typeof sessionSchema>;

/** The measurements of a session file, without the stored nights that the file claims. */
export function withoutHistory(session: Session): Session {
  const measured = { ...session };
  delete measured.history;
  return measured;
}

/** Whether two machines count as the same for stored evidence. Kernel and runner image are shown, not compared. */
export function sameMachine(a: Machine, b: Machine): boolean {
  return (
    a.cpuModel === b.cpuModel &&
    a.architecture === b.architecture &&
    a.cores === b.cores &&
    // The kernel's share of the memory changes with its version, so 2 % still counts as the same machine.
    Math.abs(a.memoryBytes - b.memoryBytes) <= 0.02 * Math.max(a.memoryBytes, b.memoryBytes)
  );
}
