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
  /** Engine and version, "host" where no container engine was used. */
  engine: z.string(),
  /** The runner's image where it says so (GitHub's ImageOS and ImageVersion), else empty. */
  runnerImage: z.string(),
});
export type Machine = z.infer<typeof machineSchema>;

/** What a build cost that found nothing in a cache. Pulling a base image is not in it. */
export const buildCostSchema = z.object({
  /** Wall time, in seconds. */
  seconds: z.number().nonnegative(),
  /** Processor time of all its steps, in seconds; absent where the engine's cgroups cannot be read. */
  cpuSeconds: z.number().nonnegative().optional(),
  /** Share of the time in which some task of the machine waited for a processor (PSI), 0 to 1. */
  cpuPressure: z.number().nonnegative().optional(),
});
export type BuildCost = z.infer<typeof buildCostSchema>;

/** The programs of valgrind that count instructions. */
export const COUNTING_TOOLS = ['cachegrind', 'callgrind'] as const;
export type CountingTool = (typeof COUNTING_TOOLS)[number];

/** Where instructions are counted: nowhere but on the host, by the hardware in containers too, or by valgrind. */
export const INSTRUCTION_SOURCES = ['none', 'counters', ...COUNTING_TOOLS] as const;
export type InstructionSource = (typeof INSTRUCTION_SOURCES)[number];

/** What valgrind counted in runs of the workload apart from the measured ones. */
export const instructionCountSchema = z.object({
  /** What one tool counts is not what another does: they differ by half a per cent. */
  tool: z.enum(COUNTING_TOOLS),
  /** As it says it: `valgrind-3.19.0`. */
  version: z.string(),
  /** Instructions of all processes of one repetition, for each time it was counted. */
  counts: z.array(z.number().positive()).min(1),
  /** Processes of the last count. */
  processes: z.int().positive(),
  /** Wall time of all counts, in seconds. */
  seconds: z.number().nonnegative(),
});
export type InstructionCount = z.infer<typeof instructionCountSchema>;

/**
 * How Docker keeps images: in its classic store (overlay2 and others), or in containerd's, Docker 29's default. The two do
 * not count sizes the same, so those of one are not compared with the other's.
 */
export const IMAGE_STORES = ['classic', 'containerd'] as const;
export type ImageStore = (typeof IMAGE_STORES)[number];

/** One side of one variant as it was measured: a container image, or a host interpreter on a checkout. */
export const imageSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  engine: z.enum(['container', 'host']),
  /** What the two sides are told apart by: equal identities are not measured. */
  identity: z.string(),
  /** The head's layers differ from the baseline's in times only, so it has the baseline's identity; absent otherwise. */
  sameContent: z.literal(true).optional(),
  /** `name@sha256:…` where a registry has it. */
  digest: z.string().optional(),
  /** The image ID (`sha256:…`), or the host interpreter's path. */
  id: z.string(),
  /** A hash of the variant's definition without the application: equal where the interpreter layer is. */
  definitionHash: z.string(),
  /** The store of the engine that has the image; absent for the host, and in files of earlier versions. */
  store: z.enum(IMAGE_STORES).optional(),
  /**
   * Unpacked size in bytes: the sum of the layers' (files of earlier versions may have what the engine calls its size).
   * Absent for the host, and where it could not be had.
   */
  sizeBytes: z.number().nonnegative().optional(),
  layers: z.array(z.string()),
  /** Where it came from: built here, pulled by digest, existed already, or the host's. */
  origin: z.enum(['built', 'pulled', 'existing', 'host']),
  /** Wall time of the build that made it here, whatever it found in caches: for the minutes, not for comparing. */
  buildSeconds: z.number().nonnegative().optional(),
  /** A build of this image alone, with no step from a cache; only where it was asked for. */
  coldBuild: buildCostSchema.optional(),
  /** Size of the layers as a registry would keep them, each through gzip, in bytes; only where it was asked for. */
  compressedBytes: z.number().nonnegative().optional(),
  /** Content of the files of each layer that is not empty, in bytes, the base's first. */
  layerSizes: z.array(z.number().nonnegative()).optional(),
  /** The image that the interpreter stands on, and the bytes that its name meant. */
  base: z.object({ reference: z.string(), digest: z.string() }).optional(),
  /** The interpreter's own image, made once for both sides and, by `key`, for every later session. */
  interpreter: z
    .object({
      key: z.string(),
      /** `name@sha256:…`, or its ID where no registry has it. */
      reference: z.string(),
      origin: z.enum(['built', 'engine', 'registry']),
    })
    .optional(),
  /** CPU flags that the interpreter was compiled for (`-march=native`), as the kernel names them. */
  cpuFlags: z.array(z.string()).optional(),
  /** The image's own ENTRYPOINT, which is not run: the workload is started without it. Absent where there is none. */
  entrypoint: z.array(z.string()).optional(),
  facts: interpreterFactsSchema.optional(),
  /** What valgrind counted; only where the plan asks for it. */
  counted: instructionCountSchema.optional(),
  /** Why it was not counted although the plan asks for it. */
  uncounted: z.string().optional(),
});
export type Image = z.infer<typeof imageSchema>;

/** Something that kept a variant from being measured, or a side of it. */
export const failureSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  /** `metrics`: it ran, and reported nothing of what is judged. */
  stage: z.enum(['build', 'engine', 'workload', 'metrics']),
  message: z.string(),
});
export type Failure = z.infer<typeof failureSchema>;

/** A run that is no sample: it shows whether a side works with the measuring code of a side. */
export const trialSchema = z.object({
  variant: z.string(),
  side: sideSchema,
  /** Whose `workload.files` and command it had. Samples always have the head's. */
  code: sideSchema,
  repetitions: z.int().min(1),
  outcome: outcomeSchema,
  metrics: z.record(z.string(), z.number()),
  exitStatus: z.int().nullable(),
  message: z.string().optional(),
});
export type Trial = z.infer<typeof trialSchema>;

/** How the measuring code of the head, which both sides are measured with, differs from the baseline's own. */
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
  /** The commit each side's files came from; absent where a folder was used. `dirty`: with uncommitted changes. */
  baseline: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
  head: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** The server that the workload is, and the load that it was measured under. */
export const serverRecordSchema = z.object({
  /** A TCP port of loopback or an `http://` address there: its answer was the server being ready. */
  ready: z.union([z.int(), z.string()]),
  /** One round of load. */
  load: z.array(z.string()),
  /** Rounds of load before the one that counts. */
  warmUp: z.int().nonnegative(),
  /** The signal that asked it to end, and how long it had for that. */
  stop: z.string(),
  stopTimeoutSeconds: z.number().positive(),
  /** How long it had to become ready. */
  startTimeoutSeconds: z.number().positive(),
});
export type ServerRecord = z.infer<typeof serverRecordSchema>;

export const workloadRecordSchema = z.object({
  command: z.array(z.string()),
  /** Where the command is a server. */
  server: serverRecordSchema.optional(),
  /** SHA-256 over the command, the files and what else decides what is measured. */
  hash: z.string(),
  /** Path to SHA-256 of each of `workload.files`. */
  files: z.record(z.string(), z.string()),
  /** Variant to inner repetitions in one run; every value is per repetition. */
  repetitions: z.record(z.string(), z.int().min(1)),
  timeoutSeconds: z.number().positive(),
  /** Absent in files of earlier versions, which counted on the host alone. */
  instructions: z.enum(INSTRUCTION_SOURCES).optional(),
});
export type WorkloadRecord = z.infer<typeof workloadRecordSchema>;

/** A stored session of the baseline, as far as it stands beside a newer one or judges it. */
export const nightSchema = z.object({
  session: z.string(),
  started: z.iso.datetime(),
  sameMachine: z.boolean(),
  /** Paths of the measuring code that differ from the newer session's, or null where it is the same. */
  changedFiles: z.array(z.string()).nullable(),
  /** Variant -> metric -> median of the night's runs, taken of the logarithms, in the metric's unit. */
  medians: z.record(z.string(), z.record(z.string(), z.number().positive())),
  /**
   * Variant -> metric -> log(head / baseline) of each pair about their centre, of a night that measured the baseline
   * against itself: the noise that a pair has here.
   */
  residuals: z.record(z.string(), z.record(z.string(), z.array(z.number()))).default({}),
  /** Variant -> metric -> that centre, a logarithm: what the session showed although nothing had changed. */
  centres: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  /** What its workload said of its own metrics: the medians are in these units. Absent where it said nothing. */
  declared: z.record(z.string(), declaredMetricSchema).optional(),
});
export type Night = z.infer<typeof nightSchema>;

export const shardSchema = z.object({
  /** From 1. */
  index: z.int().min(1),
  /** As many as a shard's name may say. */
  of: z.int().min(2).max(9999),
  /** Size of the whole family: all variants of the plan by the metrics that are tested. */
  tests: z.int().min(0).max(10_000_000),
  /** All variants of the plan, in its order: those of a shard that is missing are known by it. */
  variants: z.array(z.string()),
});
export type Shard = z.infer<typeof shardSchema>;

export const SESSION_FORMAT = 'pacegate-session';
export const SESSION_VERSION = 1;

/** All that a verdict needs; `compare session.json` gives the verdict of the live run whatever day it is. */
export const sessionSchema = z.object({
  format: z.literal(SESSION_FORMAT),
  version: z.literal(SESSION_VERSION),
  id: z.string(),
  /** What it was measured for; `nightly` and `anchor` sessions are the baseline branch's. */
  purpose: z.enum(PURPOSES).default('gate'),
  /** What a ranking was asked for. */
  ranking: rankingRequestSchema.optional(),
  /** One of several jobs that share the family's tests: it holds only its own variants. */
  shard: shardSchema.optional(),
  /** The configuration it belongs to: baselines and comments are kept apart by it. */
  configuration: z.string(),
  started: z.iso.datetime(),
  ended: z.iso.datetime(),
  tool: z.object({ version: z.string() }),
  source: sourceSchema,
  machine: machineSchema,
  workload: workloadRecordSchema,
  /** What the change removes or edits of what measures it; absent where that is nothing. */
  measuring: measuringSchema.optional(),
  /** What the base's maintainers accept although it is worse; absent where its file is not there. */
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
  /** Runs beside the samples: whether a side works at all, and with whose measuring code. Absent without any. */
  trials: z.array(trialSchema).optional(),
  /** Absent where there were not two sides to compare, and in files of earlier versions. */
  measuringCode: measuringCodeSchema.optional(),
  /** True where it was cancelled: what was measured is here, and is no verdict. */
  interrupted: z.literal(true).optional(),
  /** The stored sessions that were known when this one was judged, oldest first. */
  nights: z.array(nightSchema).default([]),
  /** What all stored sessions said together when this one was measured: for its report, and for no verdict. */
  history: historySchema.optional(),
  /** What the workload itself says of its business metrics. */
  declaredMetrics: z.record(z.string(), declaredMetricSchema),
  /** Why something regressed, as far as a profiled run of each side shows it: in no verdict. */
  explanations: z.array(explanationSchema).optional(),
  /** Words for the report that do not change a verdict: order cut by the budget, rules taken from the head… */
  notes: z.array(z.string()),
  /** What the budget allowed, and what it left out. */
  /** The change touches ignored paths only (`rules.paths-ignore`), so nothing was built or measured; absent otherwise. */
  skipped: z.object({ files: z.int().positive(), patterns: z.array(z.string()) }).optional(),
  budget: z.object({
    seconds: z.number().positive(),
    spentSeconds: z.number().nonnegative(),
    /** The cap of blocks set before the first one, where the budget allowed fewer than the rules. */
    blocksPlanned: z.int().nonnegative().optional(),
    /** The same for the variants that the change adds, which are measured after the others; absent without any. */
    addedBlocksPlanned: z.int().nonnegative().optional(),
    /** Blocks left out although something was still undecided, and what they would have taken. */
    blocksLeftOut: z.int().nonnegative(),
    secondsLeftOut: z.number().nonnegative(),
  }),
});
export type Session = z.infer<typeof sessionSchema>;

/** What was measured, without the word of whoever wrote the file on the stored sessions. */
export function withoutHistory(session: Session): Session {
  const measured = { ...session };
  delete measured.history;
  return measured;
}

/** Whether stored evidence may pass between two machines; kernel and runner image are shown, not compared. */
export function sameMachine(a: Machine, b: Machine): boolean {
  return (
    a.cpuModel === b.cpuModel &&
    a.architecture === b.architecture &&
    a.cores === b.cores &&
    // The kernel's own share of the memory moves with its version: 2 % is the same machine.
    Math.abs(a.memoryBytes - b.memoryBytes) <= 0.02 * Math.max(a.memoryBytes, b.memoryBytes)
  );
}
