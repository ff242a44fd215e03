import type { Server, Workload } from '../plan/plan.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { CountingTool, Image } from '../session/session.ts';
import type { Noise, Outcome } from '../session/run.ts';
import type { DeclaredMetrics } from '../session/declared.ts';
import type { ProfileKind } from '../session/profile.ts';

/** One side of one variant, ready to run: the result of the images, for the measurement. */
export interface Runnable {
  readonly image: Image;
  /** The variant's interpreter inside the image (`python`), or the host interpreter's resolved path. */
  readonly python: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Container: the image's working directory. Host: the side's checkout, absolute. */
  readonly workingDirectory: string;
  /** Container: folder on this machine with the head's `workload.files`, mounted over both sides. Host: unused. */
  readonly filesFrom: string;
}

export interface RunRequest {
  readonly runnable: Runnable;
  readonly workload: Workload;
  readonly repetitions: number;
  readonly hashSeed: number;
  /** For a server: the image that runs the load, the same for both sides. */
  readonly load?: Runnable | undefined;
  readonly traces?: Traces;
  /** Present for a counted run: valgrind counts its instructions, which takes 30 to 60 times as long. */
  readonly counting?: Counting;
  /** Run it under a profiler: such a run is no sample. */
  readonly profile?: ProfileRequest;
}

/** A tool of valgrind's on this machine. */
export interface Counting {
  readonly tool: CountingTool;
  /** Absolute folder with valgrind's tools, and the file of this one in it. */
  readonly folder: string;
  readonly file: string;
}

/** Valgrind's files of a run's processes. The workload can write there too, so the content is not trusted. */
export interface Counted {
  readonly instructions: number;
  readonly processes: number;
  /** callgrind's files of the processes with most instructions, named by their ids. */
  readonly profiles: readonly { readonly name: string; readonly text: string }[];
}

/** The kind of profile and the profiler; memory and imports have one profiler each. */
export interface ProfileRequest {
  readonly kind: ProfileKind;
  readonly profiler: 'cprofile' | 'py-spy';
  /** Folder of the profiler's scripts on this machine, absolute. */
  readonly scripts: string;
  /** The program py-spy of this machine, if it is the profiler. */
  readonly pySpy?: string;
}

/** How an engine announces a started run, so that it can be sampled from outside. */
export interface Traces {
  /** Path of a new file for the container's id. */
  readonly containerIdFile: string;
  /** Called with the id of the run's first process, if it runs directly on this machine. */
  readonly onProcess: (pid: number) => void;
  /** CPU seconds of the run's container so far, counted by the kernel; undefined if the container cannot be observed. */
  readonly outsideSeconds?: () => number | undefined;
}

/** The result of one fresh process or container. */
export interface RunResult {
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
  readonly declared: DeclaredMetrics;
  readonly noise: Noise;
  readonly exitStatus: number | null;
  readonly message: string | undefined;
  /**
   * For the check from outside: the CPU time of the container, and the part of the probe and of the interpreter's
   * starts.
   */
  readonly inside?: { readonly cgroup: boolean; readonly besideSeconds: number };
  /** Valgrind's count, if requested. */
  readonly counted?: Counted | undefined;
  /** Why the requested hardware counters did not count: the kernel's error, such as ENOENT. */
  readonly noCounters?: string | undefined;
  /** True if the workload could write to the memory of its probe, because the image's interpreter has no ctypes. */
  readonly openProbe?: true | undefined;
  /** The profiles of a run's processes, as text, and the number of files without room. */
  readonly profiles?: { readonly texts: readonly string[]; readonly leftOut: number } | undefined;
}

/** The time limit for reading an interpreter's facts. */
export interface FactsLimits {
  /** What is left of the budget; at least some seconds and at most a minute and a half are used. */
  readonly secondsLeft?: number;
  readonly signal?: AbortSignal;
}

/** Runs a workload once. A failure of the workload or the engine is an outcome, not an exception. */
export interface Engine {
  run(request: RunRequest, signal: AbortSignal): Promise<RunResult>;
  /** Reads the interpreter's facts in a fresh process. Throws MeasurementError if it does not answer. */
  facts(runnable: Runnable, limits?: FactsLimits): Promise<InterpreterFacts>;
  /** Ends and removes everything that this engine started. */
  cleanUp(): Promise<void>;
}

/** The server that a run is of; how the interpreter starts is looked at without it. */
export const serverOf = ({ workload, profile }: RunRequest): Server | undefined =>
  profile?.kind === 'imports' ? undefined : workload.server;

/** Seconds after which the engine ends a probe that should have ended the run. */
export const watchdogSeconds = ({ workload, repetitions }: RunRequest): number =>
  workload.timeoutSeconds * repetitions + 30;
