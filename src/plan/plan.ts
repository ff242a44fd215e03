import type { Profiler } from '../session/profile.ts';
import type { Rules } from '../session/rules.ts';
import type { InstructionSource } from '../session/session.ts';

/** Ways to put Python into an image, each built from a folder of `variants/`. `host` is this machine's own. */
export const IMAGE_INTERPRETERS = [
  'official',
  'alpine',
  'debian',
  'pyenv',
  'pyenv-optimized',
  'pyenv-native',
  'pyenv-bolt',
  'uv',
  'conda-forge',
  'dhi',
  'wolfi',
] as const;
export type ImageInterpreter = (typeof IMAGE_INTERPRETERS)[number];

interface VariantBase {
  readonly name: string;
  /** Interpreter flags, inserted after a first word `python` of the command: `-O`, `-X utf8`… */
  readonly flags: readonly string[];
  /** Environment of the workload in this variant. */
  readonly env: Readonly<Record<string, string>>;
}

/** An interpreter of `variants/` carrying the application. */
export interface InterpreterVariant extends VariantBase {
  readonly kind: 'interpreter';
  readonly interpreter: ImageInterpreter;
  /** Build arguments of the interpreter's Dockerfile, by their names there (PYTHON_VERSION, DEBIAN_RELEASE). */
  readonly args: Readonly<Record<string, string>>;
  /** The CPUs to compile for: `native` for this machine's, or a level such as `x86-64-v3`. */
  readonly march?: string | undefined;
  /** Named build contexts for the interpreter (a mirror of its sources), name to folder or image. */
  readonly contexts: Readonly<Record<string, string>>;
}

/** An existing image; `baseline` is the baseline's image if the two differ. */
export interface ImageVariant extends VariantBase {
  readonly kind: 'image';
  readonly image: string;
  readonly baselineImage: string | undefined;
  readonly python: string;
}

/** A target of the project's own bake file. */
export interface BakeVariant extends VariantBase {
  readonly kind: 'bake';
  readonly target: string;
  readonly file: string;
  readonly python: string;
}

/** An interpreter of this machine, no container. `python` is a command or a path, resolved past shims. */
export interface HostVariant extends VariantBase {
  readonly kind: 'host';
  readonly python: string;
}

export type Variant = InterpreterVariant | ImageVariant | BakeVariant | HostVariant;

/** A placeholder in the command for the file that PACEGATE_METRICS names. */
export const METRICS_WORD = '{metrics}';

/** Signals that can stop a server. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The settings of a server workload: the ready check, the load, and the end. */
export interface Server {
  /** A TCP port of loopback, or an `http://` address there. */
  readonly ready: number | string;
  /** One round of load. A first word `python` is the baseline's interpreter, on both sides. */
  readonly load: readonly string[];
  /** Rounds of load before the measured one. */
  readonly warmUp: number;
  readonly startTimeoutSeconds: number;
  readonly stop: StopSignal;
  /** From the signal to SIGKILL. */
  readonly stopTimeoutSeconds: number;
}

/** What the default Dockerfile installs besides the application's own dependencies. */
export interface Install {
  /** Dependency groups of the project (PEP 735, or those of its lock file's program). */
  readonly groups: readonly string[];
  readonly extras: readonly string[];
  /** Requirements as pip takes them: `pytest-benchmark>=5`. They change no version of what is locked. */
  readonly packages: readonly string[];
}

/** The measured command and its settings. */
export interface Workload {
  /** Folder that the images carry, relative to the root. */
  readonly context: string;
  /** The application's own Dockerfile relative to the context, or undefined for the default one. */
  readonly dockerfile: string | undefined;
  /** Images and stages of that Dockerfile that each interpreter takes the place of; absent: those called `python`. */
  readonly interpreterFrom?: readonly string[] | undefined;
  /** Undefined: the dependencies alone. */
  readonly install?: Install | undefined;
  /** The measuring code, relative to the context: taken from the head for both sides. */
  readonly files: readonly string[];
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  readonly env: Readonly<Record<string, string>>;
  readonly network: 'none' | 'bridge';
  /** Memory limit of a run's container in bytes, or undefined for no limit. */
  readonly memoryBytes: number | undefined;
  readonly pids: number;
  /** Repetitions in one run; `auto`: as many as make a run of a few hundred milliseconds. */
  readonly repetitions: number | 'auto';
  /** How instructions are counted: see INSTRUCTION_SOURCES. */
  readonly instructions: InstructionSource;
  /** The command is a server that runs until it is stopped; `timeoutSeconds` is that of a round of load. */
  readonly server?: Server | undefined;
  /** The profiler of one more run of each side of a regressed variant. */
  readonly profiler: Profiler;
}

/**
 * Which images a nightly also builds without a cache, to measure the build time: all, those that are not compiled, or
 * none.
 */
export const COLD_BUILDS = ['quick', 'all', 'none'] as const;
export type ColdBuilds = (typeof COLD_BUILDS)[number];

export interface BuildOptions {
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  /** buildx secret specifications (`id=…,env=…` or `id=…,src=…`). */
  readonly secrets: readonly string[];
  /** File with an extra certificate authority, given to builds as the secret `ca`. */
  readonly ca: string | undefined;
  /** Repository to push baseline images to and pull them from (`ghcr.io/org/name`), or undefined. */
  readonly registry: string | undefined;
  /** The images that a nightly builds without a cache. */
  readonly cold: ColdBuilds;
}

/** One frozen, validated value: everything a run of Pacegate needs to know. */
export interface Plan {
  /** The name of the configuration (identity.ts), which separates comments, baselines, images and artifacts. */
  readonly configuration: string;
  /** The configuration file as the user named it; undefined without one. */
  readonly file: string | undefined;
  /** Folder of the configuration's paths: the repository's top, absolute. */
  readonly root: string;
  readonly workload: Workload;
  readonly variants: readonly Variant[];
  readonly rules: Rules;
  readonly budgetSeconds: number;
  /** Seed of the order. If undefined, a random one is used and stored with the session. */
  readonly seed: number | undefined;
  readonly build: BuildOptions;
  readonly baselineBranch: string;
  /** `rules.anchor`: a tag or commit with which the nightly compares once a week; undefined for none. */
  readonly anchor: string | undefined;
  /** `rules.paths-ignore`: patterns of files that cannot change a run; a change of these alone is not measured. */
  readonly pathsIgnore?: readonly string[] | undefined;
  /**
   * `trust.branches`: patterns of branches that are trusted like the default branch, if this is the default branch's
   * configuration.
   */
  readonly trustedBranches: readonly string[];
  /** True for variants of an untrusted change: paths that they name must be inside the checkout, or named by the base. */
  readonly confined?: true;
}

/** Freezes a value and everything in it. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
