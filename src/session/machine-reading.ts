/**
 * What `pacegate doctor` reads of a machine before it measures there. Plain values as the kernel and the engine say them;
 * undefined is what they do not say. compare/findings.ts judges them.
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
  /** The file that switches turbo, and what switches it off: two drivers, two ways. */
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
  /** Where the kernel has its time from, and what else it could take. */
  readonly source: string | undefined;
  readonly available: readonly string[];
  /** One look at the clock from Python, and the smallest step seen between two, in seconds. */
  readonly costSeconds: number | undefined;
  readonly stepSeconds: number | undefined;
  /** How much later than asked a sleep of a millisecond ends, the median of some, in seconds. */
  readonly lateSeconds: number | undefined;
}

export interface CounterReading {
  /** Whether instructions were counted when it was tried. */
  readonly counting: boolean | undefined;
  /** /proc/sys/kernel/perf_event_paranoid. */
  readonly paranoid: number | undefined;
}

/** What the kernel says of a process in /proc/PID/status. */
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

/** What the engine says of itself. */
export interface EngineReading {
  /** `Docker 28.0.4`. */
  readonly engine: string;
  readonly buildx: string;
  /** Undefined where the builder does not say. */
  readonly buildkit: string | undefined;
  readonly driver: string;
  readonly storageDriver: string | undefined;
  readonly cgroup: 1 | 2 | undefined;
  readonly cgroupDriver: string | undefined;
  /** Of the folder with the images, where the engine is on this machine. */
  readonly disk: DiskReading | undefined;
}

/** One thing that was looked at, and what it means for measuring. `unknown`: the machine does not say. */
export interface Finding {
  readonly name: string;
  readonly value: string;
  readonly judgement: 'good' | 'notice' | 'bad' | 'unknown';
  /** What to do about it. */
  readonly advice?: string | undefined;
}
