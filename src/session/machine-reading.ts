/**
 * What `pacegate doctor` reads of a machine before it measures there. Plain values from the kernel and the engine;
 * undefined if they do not report a value. diagnosis/machine-findings.ts judges them.
 */
export interface MachineReading {
  /** Kernel and release: `Linux 6.8.0`. */
  readonly kernel: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly virtualised: boolean | undefined;
  /** The different governors of the processors, and the driver that sets their frequency. */
  readonly governors: readonly string[];
  readonly frequencyDriver: string | undefined;
  readonly turbo: boolean | undefined;
  /** The file that switches turbo, and the value that switches it off. The two drivers differ in both. */
  readonly turboSwitch: { readonly file: string; readonly off: string } | undefined;
  /** Whether two hardware threads share a core. */
  readonly smt: boolean | undefined;
  /** The version of control groups that the machine has mounted. */
  readonly cgroup: 1 | 2 | undefined;
  /** Whether the kernel keeps pressure stall information. */
  readonly pressure: boolean | undefined;
  readonly clock: ClockReading;
  readonly counters: CounterReading;
  /** Of this program itself. */
  readonly process: ProcessReading;
  /** What the kernel does about speculative store bypass: `Mitigation: … disabled via prctl`, `… via prctl and seccomp`. */
  readonly storeBypass: string | undefined;
  /** Of the folder for temporary files. */
  readonly workDisk: DiskReading | undefined;
}

export interface ClockReading {
  /** The kernel's clock source, and the other ones available. */
  readonly source: string | undefined;
  readonly available: readonly string[];
  /** The time of one clock call from Python, and the smallest step between two, in seconds. */
  readonly costSeconds: number | undefined;
  readonly stepSeconds: number | undefined;
  /** How much later a sleep of a millisecond ends than requested, a median, in seconds. */
  readonly lateSeconds: number | undefined;
}

export interface CounterReading {
  /** Whether a trial counted instructions. */
  readonly counting: boolean | undefined;
  /** /proc/sys/kernel/perf_event_paranoid. */
  readonly paranoid: number | undefined;
}

/** Values of a process from /proc/PID/status. */
export interface ProcessReading {
  /** 0 none, 1 strict, 2 a filter. */
  readonly seccomp: number | undefined;
  /** `thread vulnerable`, `thread force mitigated`… */
  readonly storeBypass: string | undefined;
  /** `conditional enabled`, `conditional force disabled`… */
  readonly indirectBranch: string | undefined;
}

export interface DiskReading {
  readonly path: string;
  readonly freeBytes: number;
}

/** What the engine reports about itself. */
export interface EngineReading {
  /** `Docker 28.0.4`. */
  readonly engine: string;
  readonly buildx: string;
  /** Undefined if the builder does not report it. */
  readonly buildkit: string | undefined;
  readonly driver: string;
  readonly storageDriver: string | undefined;
  readonly cgroup: 1 | 2 | undefined;
  readonly cgroupDriver: string | undefined;
  /** Free space of the folder with the images, if the engine runs on this machine. */
  readonly disk: DiskReading | undefined;
}

/** One check of the machine, and its effect on measuring. `unknown`: the machine does not report it. */
export interface Finding {
  readonly name: string;
  readonly value: string;
  readonly judgement: 'good' | 'notice' | 'bad' | 'unknown';
  /** What to do about it. */
  readonly advice?: string | undefined;
}
