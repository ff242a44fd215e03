import type { ColdBuild as ColdBuilt } from '../images/cold-build.ts';
import type { BaselineBranch, BranchOptions } from '../baseline/branch.ts';
import type { ImageRequest } from '../images/image-request.ts';
import type { ImageFacts } from '../images/inspect.ts';
import type { Pulled } from '../images/store.ts';
import type { ImageResult as Prepared } from '../images/images.ts';
import type { PythonAnswer as AskedPython } from '../images/interpreter-python.ts';
import type { FactsLimits, Runnable, RunRequest, RunResult } from '../measure/engine.ts';
import type { LoopResult as Measured, LoopVariant as VariantSides } from '../measure/loop-request.ts';
import type { CountRequest, CountResult } from '../measure/counting/instruction-count.ts';
import type { TrialRequest } from '../measure/trial.ts';
import type { OutFolder } from '../out-folder/out-folder.ts';
import type { Plan } from '../plan/plan.ts';
import type { Planner } from '../session/planner.ts';
import type { AskedImage, InterpreterFacts } from '../session/facts.ts';
import type { CallGraph, ProfileKind } from '../session/profile.ts';
import type { EngineReading, MachineReading, ProcessReading } from '../session/machine-reading.ts';
import type { Machine, Session, Trial } from '../session/session.ts';
import type { AnchorRequest } from '../source/anchor.ts';
import type { FileAt } from '../source/export.ts';
import type { Fetched, FetchRequest } from '../source/fetch.ts';
import type { SideCommit, Sides, SidesRequest } from '../source/sides.ts';
import type { Standing, TrustRequest } from '../source/trust.ts';

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
  /** What the kernel says of a process in a container of the session; nothing of it where the container does not answer. */
  readonly containerProcess: (runnable: Runnable) => Promise<ProcessReading>;
  readonly clock: () => Date;
  readonly log: Log;
}

/** What an adapter takes and answers is declared beside it. */
export type { AskedPython, ColdBuilt, ImageRequest, Measured, OutFolder, Prepared, VariantSides };

/** What the use cases that begin at a repository ask of the world. */
export interface JobPorts {
  readonly source: SourcePort;
  readonly store: StorePort;
  readonly engine: EnginePort;
  readonly inspect: InspectionPort;
  /** Opens another folder than the run's own. @throws ConfigurationError where it cannot be written */
  readonly openOutFolder: (folder: string) => Promise<OutFolder>;
  /** Opens what a plan is measured with, and cleans up after it whatever happened. */
  readonly withEngines: <Result>(
    request: EnginesRequest,
    use: (ports: Ports) => Promise<Result>,
  ) => Promise<Result>;
  /** A seed for the order of a session, by chance. */
  readonly seed: () => number;
  readonly clock: () => Date;
  readonly log: Log;
}

/** What a run has whoever asked for it. */
export interface RunContext {
  readonly sessionId: string;
  /** A temporary folder of this run's own, absolute. */
  readonly workFolder: string;
  readonly out: OutFolder;
  readonly toolVersion: string;
}

export interface EnginesRequest {
  readonly plan: Plan;
  readonly run: RunContext;
  /** Whether interpreters that are built here go into the plan's registry. */
  readonly pushInterpreters?: boolean;
}

/** The repository and its folder: commits, trees, and on whose word a checkout is acted on. */
export interface SourcePort {
  /** Which two commits an event compares. */
  readonly resolveSides: (request: SidesRequest) => Promise<Sides>;
  /** The checkout's commit, whatever lies beside it. */
  readonly resolveCommit: (directory: string) => Promise<SideCommit>;
  /** The checkout as it stands, with changes that are not committed. */
  readonly resolveHead: (directory: string) => Promise<SideCommit>;
  /** @throws ConfigurationError for an anchor that names nothing that can be had */
  readonly resolveAnchor: (request: AnchorRequest) => Promise<SideCommit>;
  readonly standingOf: (request: TrustRequest) => Promise<Standing>;
  /** Makes a commit's files readable here. @returns undefined, or why they are not */
  readonly fetchCommit: (request: FetchRequest, commit: string) => Promise<string | undefined>;
  /** Where a commit's history left a branch of the remote. */
  readonly mergeBase: (request: FetchRequest, commit: string, branch: string) => Promise<Fetched>;
  readonly parentsOf: (directory: string, commit: string) => Promise<readonly string[]>;
  readonly repositoryName: (directory: string) => Promise<string>;
  readonly readFileAt: (directory: string, commit: string, path: string) => Promise<FileAt>;
  /** The files with these endings that a change deletes. */
  readonly deletedFiles: (
    directory: string,
    from: string,
    to: string,
    endings: readonly string[],
  ) => Promise<readonly string[]>;
  /** The files that a change adds or edits. */
  readonly changedFiles: (directory: string, from: string, to: string) => Promise<readonly string[]>;
  /** Every file that a change adds, edits or deletes; one that it moves at both of its paths. */
  readonly touchedFiles: (directory: string, from: string, to: string) => Promise<readonly string[]>;
  /** What git knows the files of `workload.files` by: path in the context -> mode and object. */
  readonly measuringFiles: (
    directory: string,
    tree: string,
    context: string,
    paths: readonly string[],
  ) => Promise<Readonly<Record<string, string>>>;
  /** Writes the files of a tree into a new folder. @returns notes for the report */
  readonly exportTree: (
    directory: string,
    tree: string,
    folder: string,
    credentials?: Readonly<Record<string, string>>,
  ) => Promise<readonly string[]>;
  /** @throws ConfigurationError for a context that leads out of the tree */
  readonly checkContext: (tree: string, context: string) => Promise<void>;
  /** The Git LFS pointers among the files of a folder, or that a path in it names: each stands for a file that was not fetched. */
  readonly lfsPointers: (folder: string, path?: string) => Promise<readonly string[]>;
  /** Which files of a context its image is not given. */
  readonly ignoredByImage: (context: string, dockerfile: string | undefined) => Promise<Ignores>;
  /** Which files of a named context's folder are not given to a build. */
  readonly ignoredInFolder: (folder: string) => Promise<Ignores>;
  /** Puts the measuring code of one side in the place of the other's. */
  readonly overlay: FilePort['overlay'];
  /** Whether something lies at an absolute path, a link that leads nowhere among it. */
  readonly exists: (path: string) => Promise<boolean>;
  /** The text of a file of the folder, by its absolute path. */
  readonly readText: (path: string) => Promise<string>;
  readonly writeText: (path: string, text: string) => Promise<void>;
  readonly copyFolder: (from: string, to: string) => Promise<void>;
}

/** The container engine, asked outside of a session. */
export interface EnginePort {
  /** @throws BuildError for an engine, or a buildx, that cannot do what a gate needs */
  readonly check: () => Promise<unknown>;
  /** Gets an image into the engine's store. @throws BuildError where docker cannot be run */
  readonly obtain: (reference: string, signal: AbortSignal) => Promise<Pulled>;
}

/** What this machine and its engine are like before anything is measured. */
export interface InspectionPort {
  /** Never throws: what does not answer is left out. */
  readonly machine: () => Promise<MachineReading>;
  /** @throws BuildError where the engine does not answer */
  readonly engine: () => Promise<EngineReading>;
}

/** What tells the interpreters that a user names what they are. */
export interface InterpreterPorts {
  /** The interpreter of this machine that a target names. @returns undefined where it can only be an image */
  readonly hostInterpreter: (target: string) => Promise<string | undefined>;
  readonly obtain: EnginePort['obtain'];
  readonly facts: (runnable: Runnable) => Promise<InterpreterFacts>;
  /** What an image is made of. */
  readonly describe: (image: ImageFacts, signal: AbortSignal) => Promise<AskedImage>;
}

/** The files that `compare` is given. */
export interface ComparedFilesPort {
  /** The file with the session in a folder of a run; a path to a file is that file. */
  readonly fileAt: (path: string) => Promise<string>;
  /** @throws ConfigurationError when the file cannot be read */
  readonly readText: (file: string) => Promise<string>;
  readonly exists: (path: string) => Promise<boolean>;
}

/** Whether a path, relative to its folder, is kept out of a build. */
export type Ignores = (path: string) => boolean;

/** The branch that keeps the nights. */
export interface StorePort {
  readonly open: (options: BranchOptions) => BaselineBranch;
}

export interface ImagePort {
  /** Refuses, before anything is built, an engine that cannot do it. @returns the engine's name and version. */
  check(): Promise<string>;
  prepare(request: ImageRequest, signal: AbortSignal): Promise<Prepared>;
  /** One build more, alone and with no step from a cache; undefined for what is not built from an interpreter. */
  coldBuild(request: ImageRequest, signal: AbortSignal): Promise<ColdBuilt | undefined>;
  /** Bytes of the layers as a registry would keep them. @throws BuildError where the image cannot be read. */
  compressedSize(runnable: Runnable, signal: AbortSignal, secondsLeft?: number): Promise<number>;
  /** Whether two images differ in times only; false also where that is not known. Never throws for what the engine did. */
  holdSame(
    images: readonly [Runnable, Runnable],
    signal: AbortSignal,
    secondsLeft?: number,
  ): Promise<boolean>;
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
