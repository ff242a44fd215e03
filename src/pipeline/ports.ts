import type { ColdBuild as ColdBuilt } from '../images/cold-build.ts';
import type { BaselineBranch, BranchOptions } from '../baseline/branch.ts';
import type { LabelResult } from '../github/acceptance.ts';
import type { TriggeringRun } from '../github/context.ts';
import type { FoundPullRequest } from '../github/pull-request.ts';
import type { SessionText } from '../github/run-artifact.ts';
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
import type { NamedSession } from '../session/merged.ts';
import type { AnchorRequest } from '../source/anchor.ts';
import type { ConfigurationFile, ConfigurationRequest } from '../source/configuration-file.ts';
import type { FileAt } from '../source/export.ts';
import type { Fetched, FetchRequest } from '../source/fetch.ts';
import type { SideCommit, Sides, SidesRequest } from '../source/sides.ts';
import type { Standing, TrustRequest } from '../source/trust.ts';

/** The ports of the use cases. `main` passes the real adapters, and tests pass scripted ones. */
export interface Ports {
  readonly images: ImagePort;
  readonly hosts: HostPort;
  /** The facts of an interpreter, in its image or on this machine. */
  readonly facts: (runnable: Runnable, limits?: FactsLimits) => Promise<InterpreterFacts>;
  /** Counts the instructions of one run of the workload. A failure is part of the result. */
  readonly countInstructions: (request: CountRequest, signal: AbortSignal) => Promise<CountResult>;
  /** Runs a workload on an image once, without taking a sample. Never throws for the workload's failures. */
  readonly runOnce: (request: SingleRun, signal: AbortSignal) => Promise<RunResult>;
  readonly measure: (request: MeasureRequest, signal: AbortSignal) => Promise<Measured>;
  /**
   * Runs a side with one side's measuring code to see whether it works. Takes no samples.
   * @returns no trials if the run was cancelled
   */
  readonly runTrials: (request: TrialRequest, signal: AbortSignal) => Promise<readonly Trial[]>;
  /**
   * Profiles one run.
   * @returns the profile, or a sentence that explains why there is none
   */
  readonly profile: (request: ProfilePortRequest, signal: AbortSignal) => Promise<Profiled>;
  /** Writes a profile to the run's files. A write failure is logged, not thrown. */
  readonly keepProfile: (name: string, text: string) => Promise<void>;
  /** Writes the measurements before they are judged. A write failure is logged, not thrown. */
  readonly keepSession: (session: Session) => Promise<void>;
  readonly files: FilePort;
  readonly machine: (engine: string) => Promise<Machine>;
  /** The kernel's data about a process in a container of the session; empty if the container does not answer. */
  readonly containerProcess: (runnable: Runnable) => Promise<ProcessReading>;
  readonly clock: () => Date;
  readonly log: Log;
}

/** The types of each adapter's requests and results are declared with the adapter. */
export type { AskedPython, ColdBuilt, ImageRequest, Measured, OutFolder, Prepared, VariantSides };

/** The ports of the use cases that start from a repository. */
export interface JobPorts {
  readonly source: SourcePort;
  readonly store: StorePort;
  readonly engine: EnginePort;
  readonly inspect: InspectionPort;
  /**
   * Opens a folder other than the run's own.
   * @throws ConfigurationError if it cannot be written
   */
  readonly openOutFolder: (folder: string) => Promise<OutFolder>;
  /** Opens the engines that a plan needs, and cleans up afterwards in every case. */
  readonly withEngines: <Result>(
    request: EnginesRequest,
    use: (ports: Ports) => Promise<Result>,
  ) => Promise<Result>;
  /** A random seed for the order of a session. */
  readonly seed: () => number;
  readonly clock: () => Date;
  readonly log: Log;
}

/** The parts that every run has. */
export interface RunContext {
  readonly sessionId: string;
  /** The run's own temporary folder, absolute. */
  readonly workFolder: string;
  readonly out: OutFolder;
  readonly toolVersion: string;
}

export interface EnginesRequest {
  readonly plan: Plan;
  readonly run: RunContext;
  /** Whether interpreters that are built here are pushed to the plan's registry. */
  readonly pushInterpreters?: boolean;
}

/** Reads the repository and its folder: commits, trees, and who vouches for a checkout. */
export interface SourcePort {
  /** @throws ConfigurationError if there is no configuration, with the place of one in a folder below */
  readonly findConfiguration: (request: ConfigurationRequest) => Promise<ConfigurationFile>;
  /** The paths of all files at the checkout's commit; undefined if it has none. */
  readonly committedFiles: (directory: string) => Promise<readonly string[] | undefined>;
  /** The two commits that an event compares. */
  readonly resolveSides: (request: SidesRequest) => Promise<Sides>;
  /** The checkout's commit, without any other files in the folder. */
  readonly resolveCommit: (directory: string) => Promise<SideCommit>;
  /** The checkout with its uncommitted changes. */
  readonly resolveHead: (directory: string) => Promise<SideCommit>;
  /** @throws ConfigurationError for an anchor that names no commit that can be fetched */
  readonly resolveAnchor: (request: AnchorRequest) => Promise<SideCommit>;
  readonly standingOf: (request: TrustRequest) => Promise<Standing>;
  /**
   * Makes a commit's files readable here.
   * @returns undefined, or the reason why they are missing
   */
  readonly fetchCommit: (request: FetchRequest, commit: string) => Promise<string | undefined>;
  /** The merge base of a commit and a branch of the remote. */
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
  /** The files that a change adds, edits or deletes. A moved file has both of its paths. */
  readonly touchedFiles: (directory: string, from: string, to: string) => Promise<readonly string[]>;
  /** Git's records of the files of `workload.files`: path in the context -> mode and object. */
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
  /**
   * The Git LFS pointers among the files of a folder, or of a path in it. Each pointer replaces a file that was not
   * fetched.
   */
  readonly lfsPointers: (folder: string, path?: string) => Promise<readonly string[]>;
  /** The files of a context that are excluded from its image. */
  readonly ignoredByImage: (context: string, dockerfile: string | undefined) => Promise<Ignores>;
  /** The files of a named context's folder that are excluded from a build. */
  readonly ignoredInFolder: (folder: string) => Promise<Ignores>;
  /** Replaces the measuring code of one side with that of the other. */
  readonly overlay: FilePort['overlay'];
  /** Whether an absolute path exists. A broken link exists. */
  readonly exists: (path: string) => Promise<boolean>;
  /** The text of a file by its absolute path. */
  readonly readText: (path: string) => Promise<string>;
  readonly writeText: (path: string, text: string) => Promise<void>;
  readonly copyFolder: (from: string, to: string) => Promise<void>;
}

/** The container engine, outside of a session. */
export interface EnginePort {
  /** @throws BuildError if the engine or buildx lacks a feature that a gate needs */
  readonly check: () => Promise<unknown>;
  /**
   * Pulls an image into the engine's store, unless it is there.
   * @throws BuildError if docker cannot be run
   */
  readonly obtain: (reference: string, signal: AbortSignal) => Promise<Pulled>;
}

/** Inspects this machine and its engine before measuring. */
export interface InspectionPort {
  /** Never throws. Parts that do not answer are left out. */
  readonly machine: () => Promise<MachineReading>;
  /** @throws BuildError if the engine does not answer */
  readonly engine: () => Promise<EngineReading>;
}

/** Finds out which interpreters a user's targets are. */
export interface InterpreterPorts {
  /**
   * The interpreter of this machine that a target names.
   * @returns undefined if the target can only be an image
   */
  readonly hostInterpreter: (target: string) => Promise<string | undefined>;
  readonly obtain: EnginePort['obtain'];
  readonly facts: (runnable: Runnable) => Promise<InterpreterFacts>;
  /** The contents of an image. */
  readonly describe: (image: ImageFacts, signal: AbortSignal) => Promise<AskedImage>;
}

/** Reads the files that `compare` receives. */
export interface ComparedFilesPort {
  /** The file with the session in a run's folder. A path to a file is returned as it is. */
  readonly fileAt: (path: string) => Promise<string>;
  /** @throws ConfigurationError if the file cannot be read */
  readonly readText: (file: string) => Promise<string>;
  readonly exists: (path: string) => Promise<boolean>;
}

/** Finds a pull request that is not the event's, and what other runs measured of it. */
export interface PullRequestPort {
  /**
   * The open pull request of a run's head.
   * @throws GitHubError if GitHub does not answer, or if several pull requests have this head
   */
  readonly ofRun: (run: TriggeringRun) => Promise<FoundPullRequest>;
  /** @throws GitHubError if GitHub does not answer */
  readonly numbered: (number: number) => Promise<FoundPullRequest>;
  /**
   * The texts of the sessions in a run's artifacts; none if the run has no such artifact.
   * @throws GitHubError if GitHub does not return an artifact, or if one exceeds a limit
   */
  readonly sessionTexts: (run: number, artifact: string) => Promise<readonly SessionText[]>;
  /** Whether the accepting label covers a run's commit; undefined if the pull request does not have it. */
  readonly label: (number: number, run: TriggeringRun) => Promise<LabelResult | undefined>;
  /** @throws ConfigurationError if a file cannot be read */
  readonly readSessions: (paths: readonly string[]) => Promise<readonly NamedSession[]>;
}

/** Whether a path, relative to its folder, is excluded from a build. */
export type Ignores = (path: string) => boolean;

/** The branch that stores the nights. */
export interface StorePort {
  readonly open: (options: BranchOptions) => BaselineBranch;
}

export interface ImagePort {
  /**
   * Rejects an unsuitable engine before anything is built.
   * @returns the engine's name and version
   */
  check(): Promise<string>;
  prepare(request: ImageRequest, signal: AbortSignal): Promise<Prepared>;
  /**
   * Builds once more without a cache and measures the time; undefined for an image that is not built from an
   * interpreter.
   */
  coldBuild(request: ImageRequest, signal: AbortSignal): Promise<ColdBuilt | undefined>;
  /**
   * Bytes of the layers in a registry's form.
   * @throws BuildError if the image cannot be read
   */
  compressedSize(runnable: Runnable, signal: AbortSignal, secondsLeft?: number): Promise<number>;
  /** Whether two images differ only in times; false if this is unknown. Never throws for the engine's failures. */
  haveSameContent(
    images: readonly [Runnable, Runnable],
    signal: AbortSignal,
    secondsLeft?: number,
  ): Promise<boolean>;
  /** @returns `name@sha256:…` of the pushed image */
  push(runnable: Runnable, commit: string): Promise<string>;
}

export interface HostPort {
  prepare(request: ImageRequest, signal: AbortSignal): Promise<Prepared>;
}

export interface FilePort {
  /** Path to SHA-256 of each file that the paths name inside a folder. */
  hash(folder: string, paths: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Replaces the measuring code of one side with that of the other. */
  overlay(from: string, to: string, paths: readonly string[]): Promise<void>;
}

export interface Log {
  /** Prints a line for the user. */
  info(line: string): void;
  /** Prints a warning; the run continues. */
  warn(line: string): void;
  /** Prints a headline for the lines that follow. */
  step(title: string): void;
}

/** One side's exported files. */
export interface SideTree {
  readonly directory: string;
  /** Absent if the files are of a plain folder. */
  readonly commit?: { readonly commit: string; readonly dirty: boolean };
  /** The variants and build settings of that side's own configuration, if it has one. */
  readonly plan?: Plan | undefined;
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
  /** The rest of the budget. */
  readonly secondsLeft: number;
  readonly planner: Planner;
  /** The session before its first run. It is stored with the runs, so that they can be read after a crash. */
  readonly session: Session;
}

export interface ProfilePortRequest {
  readonly plan: Plan;
  readonly runnable: Runnable;
  readonly kind: ProfileKind;
  readonly repetitions: number;
  /** The longest duration of one repetition without a profiler, in seconds. */
  readonly longestSeconds: number;
}

export interface Profiled {
  /** `cprofile`, `py-spy`, `tracemalloc`, `importtime`. */
  readonly profiler: string;
  readonly result: CallGraph | string;
}
