import type { ColdBuild as ColdBuilt } from '../images/cold-build.ts';
import type { ImageRequest } from '../images/image-request.ts';
import type { ImageResult as Prepared } from '../images/images.ts';
import type { PythonAnswer as AskedPython } from '../images/interpreter-python.ts';
import type { FactsLimits, Runnable, RunRequest, RunResult } from '../measure/engine.ts';
import type { LoopResult as Measured, LoopVariant as VariantSides } from '../measure/loop-request.ts';
import type { CountRequest, CountResult } from '../measure/counting/instruction-count.ts';
import type { TrialRequest } from '../measure/trial.ts';
import type { Plan } from '../plan/plan.ts';
import type { Planner } from '../session/planner.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { CallGraph, ProfileKind } from '../session/profile.ts';
import type { Machine, Session, Trial } from '../session/session.ts';

/** What the use cases ask of the world. `main` hands in the real thing, tests a scripted one. */
export interface Ports {
  readonly images: ImagePort;
  readonly hosts: HostPort;
  /** Asks an interpreter what it is, in its own image or on this machine. */
  readonly facts: (runnable: Runnable, limits?: FactsLimits) => Promise<InterpreterFacts>;
  /** Counts the instructions of one run of the workload; what keeps it from being counted is in the result. */
  readonly countInstructions: (request: CountRequest, signal: AbortSignal) => Promise<CountResult>;
  /** One run that is no sample: what a workload does on an image. Never throws for what it did. */
  readonly runOnce: (request: SingleRun, signal: AbortSignal) => Promise<RunResult>;
  readonly measure: (request: MeasureRequest, signal: AbortSignal) => Promise<Measured>;
  /** Runs a side with somebody's measuring code to see whether it works: no samples. @returns none where it was cancelled */
  readonly tryOut: (request: TrialRequest, signal: AbortSignal) => Promise<readonly Trial[]>;
  /** One run under a profiler. @returns the sentence that says why there is no profile, where there is none */
  readonly profile: (request: ProfilePortRequest, signal: AbortSignal) => Promise<Profiled>;
  /** Keeps a profile among the run's files. A file that cannot be kept is said, and stops nothing. */
  readonly keepProfile: (name: string, text: string) => Promise<void>;
  /** Keeps what was measured, before anything is made of it. What keeps it from being kept is said, and stops nothing. */
  readonly keepSession: (session: Session) => Promise<void>;
  readonly files: FilePort;
  readonly machine: (engine: string) => Promise<Machine>;
  readonly clock: () => Date;
  readonly log: Log;
}

/** What an adapter takes and answers is declared beside it. */
export type { AskedPython, ColdBuilt, ImageRequest, Measured, Prepared, VariantSides };

export interface ImagePort {
  /** Refuses, before anything is built, an engine that cannot do it. @returns the engine's name and version. */
  check(): Promise<string>;
  prepare(request: ImageRequest, signal: AbortSignal): Promise<Prepared>;
  /** One build more, alone and with no step from a cache; undefined for what is not built from an interpreter. */
  coldBuild(request: ImageRequest, signal: AbortSignal): Promise<ColdBuilt | undefined>;
  /** Bytes of the layers as a registry would keep them. @throws BuildError where the image cannot be read. */
  compressedSize(runnable: Runnable, signal: AbortSignal, secondsLeft?: number): Promise<number>;
  /** @returns `name@sha256:…` of the pushed image. */
  push(runnable: Runnable, commit: string): Promise<string>;
}

export interface HostPort {
  prepare(request: ImageRequest, signal: AbortSignal): Promise<Prepared>;
}

export interface FilePort {
  /** Path to SHA-256 of each file that the paths name inside a folder. */
  hash(folder: string, paths: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Puts the measuring code of one side in the place of the other's. */
  overlay(from: string, to: string, paths: readonly string[]): Promise<void>;
}

export interface Log {
  /** A line for the person watching. */
  info(line: string): void;
  /** Something that should be seen although the run goes on. */
  warn(line: string): void;
  /** A headline that what follows belongs under. */
  step(title: string): void;
}

/** One side's files, exported. */
export interface SideTree {
  readonly directory: string;
  /** Absent where the files are a plain folder's. */
  readonly commit?: { readonly commit: string; readonly dirty: boolean };
  /** The variants and build settings of that side's own configuration, where it has one. */
  readonly plan?: Plan;
}

export interface SidePair {
  readonly head: SideTree;
  readonly baseline: SideTree | { readonly unavailable: string };
}

export type SingleRun = Pick<RunRequest, 'runnable' | 'workload' | 'repetitions' | 'load'>;

export interface MeasureRequest {
  readonly plan: Plan;
  readonly seed: number;
  readonly variants: readonly VariantSides[];
  /** What is left of the budget. */
  readonly secondsLeft: number;
  readonly planner: Planner;
  /** The session as it is before its first run: kept beside the runs, so that they can be read back without it. */
  readonly session: Session;
}

export interface ProfilePortRequest {
  readonly plan: Plan;
  readonly runnable: Runnable;
  readonly kind: ProfileKind;
  readonly repetitions: number;
  /** The longest that one repetition took without a profiler, in seconds. */
  readonly longestSeconds: number;
}

export interface Profiled {
  /** `cprofile`, `py-spy`, `tracemalloc`, `importtime`. */
  readonly profiler: string;
  readonly result: CallGraph | string;
}
