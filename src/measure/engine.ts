import type { Server, Workload } from '../plan/plan.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { CountingTool, Image } from '../session/session.ts';
import type { Noise, Outcome } from '../session/run.ts';
import type { DeclaredMetrics } from '../session/declared.ts';
import type { ProfileKind } from '../session/profile.ts';

/** One side of one variant, ready to be run: what the images stage hands to the measurement. */
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
  /** Of a server: what its load is run with, the same on both sides; its own where there is but one side. */
  readonly load?: Runnable | undefined;
  readonly traces?: Traces;
  /** Where it is no run to be measured: valgrind counts its instructions, and it takes 30 to 60 times as long. */
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

/** What valgrind wrote of a run's processes. The workload can write there too: it is believed no more than that. */
export interface Counted {
  readonly instructions: number;
  readonly processes: number;
  /** callgrind's files of the processes with most instructions, named by their ids. */
  readonly profiles: readonly { readonly name: string; readonly text: string }[];
}

/** What to look at, and by what; memory and imports have one way each. */
export interface ProfileRequest {
  readonly kind: ProfileKind;
  readonly profiler: 'cprofile' | 'py-spy';
  /** Folder of the profiler's scripts on this machine, absolute. */
  readonly scripts: string;
  /** The program py-spy of this machine, where that is to look. */
  readonly pySpy?: string;
}

/** What an engine says of a run as soon as it has started, so that it can be looked at from outside. */
export interface Traces {
  /** A file, not there yet, in which the container's id is put. */
  readonly containerIdFile: string;
  /** Called with the id of the run's first process where that is one of this machine's. */
  readonly onProcess: (pid: number) => void;
  /** CPU seconds of the run's container so far, as the kernel counts them; undefined where it is out of sight. */
  readonly outsideSeconds?: () => number | undefined;
}

/** What one fresh process or container gave. */
export interface RunResult {
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
  readonly declared: DeclaredMetrics;
  readonly noise: Noise;
  readonly exitStatus: number | null;
  readonly message: string | undefined;
  /** For the check from outside: whose CPU time it is, and what the probe and the starts of the interpreter took beside it. */
  readonly inside?: { readonly cgroup: boolean; readonly besideSeconds: number };
  /** What valgrind counted, where it was asked to. */
  readonly counted?: Counted;
  /** Why the hardware's counters did not count, where they were asked for: the kernel's error, such as ENOENT. */
  readonly noCounters?: string;
  /** The workload could write to the memory of its probe: the image's interpreter has no ctypes to shut it out with. */
  readonly openProbe?: true;
  /** What the processes of a profiled run left, as text, and how many of their files there was no room for. */
  readonly profiles?: { readonly texts: readonly string[]; readonly leftOut: number };
}

/** How long an interpreter may take to say what it is. */
export interface FactsLimits {
  /** Of the budget: it has these, but never less than some seconds and never more than a minute and a half. */
  readonly secondsLeft?: number;
  readonly signal?: AbortSignal;
}

/** Runs a workload once. Never throws for what the workload or the engine did: that is an outcome. */
export interface Engine {
  run(request: RunRequest, signal: AbortSignal): Promise<RunResult>;
  /** Asks the interpreter what it is, in a fresh process. Throws MeasurementError when it does not answer. */
  facts(runnable: Runnable, limits?: FactsLimits): Promise<InterpreterFacts>;
  /** Ends and removes everything this engine started and that is still there. */
  cleanUp(): Promise<void>;
}

/** The server that a run is of; how the interpreter starts is looked at without it. */
export const serverOf = ({ workload, profile }: RunRequest): Server | undefined =>
  profile?.kind === 'imports' ? undefined : workload.server;

/** Seconds after which the engine gives up on a probe that should have ended the run itself. */
export const watchdogSeconds = ({ workload, repetitions }: RunRequest): number =>
  workload.timeoutSeconds * repetitions + 30;
