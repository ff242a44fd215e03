import type {
  ClockReading,
  EngineReading,
  Finding,
  MachineReading,
  ProcessReading,
} from '../session/machine-reading.ts';

/** The readings before the first run. The engine is left out if no variant needs one. */
export interface Reading {
  readonly machine: MachineReading;
  readonly engine?: EngineReading | { readonly silent: string } | undefined;
}

/**
 * The checks of a machine. `bad`: it changes the measurements or prevents them. `notice`: a reader of the measurements
 * should know it. The processor, its cores, the memory, the kernel and the engine come first.
 */
export function findingsOf({ machine, engine }: Reading): readonly Finding[] {
  const answer = engine === undefined || 'silent' in engine ? undefined : engine;
  const { kernel, cores, virtualised, pressure, workDisk } = machine;
  return [
    good('processor', machine.cpuModel),
    cores > 1
      ? good('cores', String(cores))
      : bad(
          'cores',
          '1',
          'The workload shares its processor with everything else. Take a machine with two or more.',
        ),
    good('memory', gibibytes(machine.memoryBytes)),
    good('kernel', kernel),
    ...(engine === undefined
      ? []
      : 'silent' in engine
        ? [bad('engine', 'no answer', engine.silent)]
        : [good('engine', engine.engine), ...engineFindings(engine)]),
    cgroups(answer?.cgroup ?? machine.cgroup, answer, kernel),
    choice('machine', virtualised, {
      yes: notice(
        'machine',
        'virtual',
        'Other guests of its host take time from it, and steal shows only a part of that.',
      ),
      no: good('machine', 'physical'),
    }),
    governor(machine),
    turbo(machine),
    hyperThreads(machine),
    clock(machine.clock),
    timer(machine.clock),
    counters(machine),
    choice('PSI', pressure, {
      yes: good('PSI', 'kept'),
      no: notice(
        'PSI',
        'not kept',
        'Pacegate cannot tell which runs waited for a processor. Boot with psi=1 (and a kernel with CONFIG_PSI).',
      ),
    }),
    ...(workDisk === undefined
      ? [unknown('free disk for files')]
      : [disk('free disk for files', workDisk, WORK_BYTES)]),
  ];
}

function engineFindings({ buildx, buildkit, driver, storageDriver, disk: room }: EngineReading) {
  return [
    good(
      'builder',
      `buildx ${buildx}${buildkit === undefined ? '' : `, BuildKit ${buildkit}`}, driver ${driver}`,
    ),
    storage(storageDriver),
    room === undefined ? unknown('free disk for images') : disk('free disk for images', room, IMAGE_BYTES),
  ];
}

/**
 * The effect of seccomp on a container's processes. Before Linux 5.16 its filter switched speculation off for them
 * (Linux, admin-guide/kernel-parameters: spec_store_bypass_disable, spectre_v2_user): Python is slower there than on
 * the host.
 */
export function containerFinding(
  { process: host, storeBypass }: Pick<MachineReading, 'process' | 'storeBypass'>,
  container: ProcessReading,
): Finding {
  const name = 'seccomp in containers';
  const { seccomp } = container;
  if (seccomp === undefined || container.storeBypass === undefined) return unknown(name);
  const filter = seccomp === 0 ? 'no filter' : 'a filter';
  const switched = [
    // This program itself may run under a filter, in a container of a job.
    ...(isMitigated(container.storeBypass) &&
    (!isMitigated(host.storeBypass) || /\bseccomp\b/.test(storeBypass ?? ''))
      ? ['store bypass']
      : []),
    ...(isMitigated(container.indirectBranch) && !isMitigated(host.indirectBranch)
      ? ['indirect branch prediction']
      : []),
  ];
  if (switched.length > 0)
    return bad(
      name,
      `${filter} that switches off ${switched.join(' and ')}`,
      'Python is slower in these containers than on the machine itself. This affects both sides of a gate equally, so verdicts are valid. Linux 5.16 and newer do not do this; boot older ones with spec_store_bypass_disable=prctl spectre_v2_user=prctl.',
    );
  return good(name, `${filter}, speculation as on the machine`);
}

/** The kernel's words for a process whose speculation was switched off (fs/proc/array.c). */
const isMitigated = (word: string | undefined) => word !== undefined && /mitigated|disabled/.test(word);

const finding =
  (judgement: Finding['judgement']) =>
  (name: string, value: string, advice?: string): Finding => ({ name, value, judgement, advice });
const good = finding('good');
const notice = finding('notice');
const bad = finding('bad');
const unknown = (name: string): Finding => finding('unknown')(name, 'unknown');

const choice = (
  name: string,
  answer: boolean | undefined,
  { yes, no }: { readonly yes: Finding; readonly no: Finding },
): Finding => (answer === undefined ? unknown(name) : answer ? yes : no);

function governor({ governors, frequencyDriver }: MachineReading): Finding {
  const name = 'frequency governor';
  if (governors.length === 0) return unknown(name);
  const value = `${governors.join(', ')}${frequencyDriver === undefined ? '' : ` (${frequencyDriver})`}`;
  return governors.every((one) => one === 'performance')
    ? good(name, value)
    : bad(
        name,
        value,
        'The frequency follows the load, so a run’s time depends on what ran before it: cpupower frequency-set -g performance',
      );
}

function hyperThreads({ smt, virtualised }: MachineReading): Finding {
  // A guest cannot know which of its processors share a core.
  if (virtualised === true && smt !== true) return unknown('hyper-threads');
  return choice('hyper-threads', smt, {
    yes: notice(
      'hyper-threads',
      'on',
      'What runs on the other half of a core slows a run. On a machine of your own: echo off > /sys/devices/system/cpu/smt/control',
    ),
    no: good('hyper-threads', 'off'),
  });
}

function turbo({ turbo: on, turboSwitch }: MachineReading): Finding {
  return choice('turbo', on, {
    yes: notice(
      'turbo',
      'on',
      `The frequency depends on heat and on the other cores.${turboSwitch === undefined ? '' : ` On a machine of your own: echo ${turboSwitch.off} > ${turboSwitch.file}`}`,
    ),
    no: good('turbo', 'off'),
  });
}

/** Clocks that a program reads without a system call. */
const FAST_CLOCKS = /^(tsc|kvm-clock|hyperv_clocksource_tsc_page|arch_sys_counter)$/;
const SLOW_CLOCKS = /^(hpet|acpi_pm|xen|jiffies|refined-jiffies|pit|hyperv_clocksource_msr)$/;
/** The threshold for an unknown clock source: Python needs some 50 ns for a clock call, a system call some 200 more. */
const SLOW_LOOK_SECONDS = 0.5e-6;
const COARSE_STEP_SECONDS = 1e-5;
/** With its high-resolution timers the kernel wakes a sleeper within 0.1 ms; without, at its next tick, 1 to 10 ms. */
const LATE_SECONDS = 1e-3;

function clock({ source, available, costSeconds, stepSeconds }: ClockReading): Finding {
  if (source === undefined && costSeconds === undefined) return unknown('clock');
  const measured =
    costSeconds === undefined || stepSeconds === undefined
      ? ''
      : `${small(costSeconds)} a call, steps of ${small(stepSeconds)}`;
  const value = source === undefined ? measured : `${source}${measured === '' ? '' : ` (${measured})`}`;
  const known = FAST_CLOCKS.test(source ?? '') || SLOW_CLOCKS.test(source ?? '');
  const slow = known ? SLOW_CLOCKS.test(source ?? '') : (costSeconds ?? 0) > SLOW_LOOK_SECONDS;
  if (!slow && (stepSeconds ?? 0) <= COARSE_STEP_SECONDS) return good('clock', value);
  const faster = available.find((one) => FAST_CLOCKS.test(one));
  return bad(
    'clock',
    value,
    `Each clock call is a system call, so programs that read the clock often are slow here. ${
      faster === undefined
        ? 'Boot with clocksource=tsc tsc=reliable where the processor’s counter can be trusted.'
        : `echo ${faster} > /sys/devices/system/clocksource/clocksource0/current_clocksource`
    }`,
  );
}

function timer({ lateSeconds }: ClockReading): Finding {
  if (lateSeconds === undefined) return unknown('timer');
  const value = `a sleep of 1 ms ends ${small(lateSeconds)} late`;
  return lateSeconds <= LATE_SECONDS
    ? good('timer', value)
    : notice(
        'timer',
        value,
        'Workloads that sleep vary here: the machine is busy, or its kernel has no high-resolution timers (highres=on at boot).',
      );
}

/** Up to this value the kernel lets users count in their own processes (Linux, admin-guide/perf-security). */
const PARANOID_MOST = 2;

function counters({ counters: { counting, paranoid }, virtualised }: MachineReading): Finding {
  const name = 'counters of instructions';
  if (counting === undefined) return unknown(name);
  if (counting) return good(name, 'counting');
  if (paranoid !== undefined && paranoid > PARANOID_MOST)
    return notice(
      name,
      `none (perf_event_paranoid is ${paranoid})`,
      `The host engine reports no instructions and cycles unless the kernel allows it: sysctl kernel.perf_event_paranoid=${PARANOID_MOST}`,
    );
  return notice(name, virtualised === true ? 'none; the hypervisor does not offer them' : 'none');
}

/**
 * Storage drivers that copy whole files or images where overlay2 shares them, at each container's start or first write.
 */
const COPYING = /^(vfs|devicemapper|aufs)$/;

function storage(driver: string | undefined): Finding {
  if (driver === undefined) return unknown('storage driver');
  return COPYING.test(driver)
    ? bad(
        'storage driver',
        driver,
        'It copies files that other drivers share, so each container’s start is slow and disks fill: "storage-driver": "overlay2" in /etc/docker/daemon.json',
      )
    : good('storage driver', driver);
}

/** memory.peak came with it. */
const MEMORY_PEAK_SINCE = [5, 19] as const;

function cgroups(version: 1 | 2 | undefined, engine: EngineReading | undefined, kernel: string): Finding {
  if (version === undefined) return unknown('cgroups');
  const driver = engine?.cgroupDriver;
  const value = `version ${version}${driver === undefined ? '' : ` (${driver})`}`;
  return engine !== undefined && version === 2 && isOlder(kernel, MEMORY_PEAK_SINCE)
    ? notice(
        'cgroups',
        value,
        `Containers have no memory_peak_bytes here: version 2 keeps it since Linux ${MEMORY_PEAK_SINCE.join('.')}.`,
      )
    : good('cgroups', value);
}

function isOlder(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^Linux (\d+)\.(\d+)/.exec(kernel) ?? [];
  return a !== undefined && (Number(a) < major || (Number(a) === major && Number(b) < minor));
}

const GiB = 1024 ** 3;
interface Room {
  /** Below `least` it is bad, below `enough` a notice. */
  readonly least: number;
  readonly enough: number;
  /** How to get more. */
  readonly more: string;
}
/** An image with its cache needs about half a GiB, a compiled interpreter about three. */
const IMAGE_BYTES: Room = {
  least: 2 * GiB,
  enough: 10 * GiB,
  more: 'docker builder prune frees the space of caches.',
};
/** Two checkouts of the repository, and the runs. */
const WORK_BYTES: Room = { least: 0.25 * GiB, enough: GiB, more: 'Set TMPDIR to use another folder.' };

function disk(name: string, { path, freeBytes }: { path: string; freeBytes: number }, room: Room): Finding {
  const value = gibibytes(freeBytes);
  if (freeBytes >= room.enough) return good(name, value);
  const advice = `${gibibytes(room.enough)} at ${path} are enough for most. ${room.more}`;
  return (freeBytes < room.least ? bad : notice)(name, value, advice);
}

const gibibytes = (bytes: number) => `${Number((bytes / GiB).toPrecision(bytes < 10 * GiB ? 2 : 3))} GiB`;

/** 38 ns, 1.2 µs, 4 ms. */
function small(seconds: number): string {
  if (seconds < 1e-6) return `${Math.round(seconds * 1e9)} ns`;
  return seconds < 1e-3
    ? `${Number((seconds * 1e6).toPrecision(2))} µs`
    : `${Number((seconds * 1e3).toPrecision(2))} ms`;
}
