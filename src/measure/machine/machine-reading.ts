import { readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../../process/command.ts';
import { temporaryFolder } from '../../process/temporary-folder.ts';
import type { DiskReading, MachineReading, ProcessReading } from '../../session/machine-reading.ts';
import { cpuFlags } from '../../session/cpu.ts';

/** Where Linux shows what is read; a test has its own. */
export interface MachineRoots {
  readonly proc: string;
  readonly sys: string;
}
const ROOTS: MachineRoots = { proc: '/proc', sys: '/sys' };

/**
 * Reads what a machine is like for measuring, in less than a second. Never throws: what cannot be read is not said.
 * @param probe probe.py on this machine, absolute: its way of counting is what is tried
 */
export async function readMachine(probe: string, roots: MachineRoots = ROOTS): Promise<MachineReading> {
  const { proc, sys } = roots;
  const file = (...parts: readonly string[]) => kernelFile(join(...parts));
  const info = file(proc, 'cpuinfo') ?? '';
  const flags = cpuFlags(info);
  const processors = cpus();
  const trial = await tryPython(probe);
  const clocksource = join(sys, 'devices/system/clocksource/clocksource0');
  const processor = join(sys, 'devices/system/cpu');
  return {
    kernel: `${type()} ${release()}`,
    cpuModel: /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? processors[0]?.model.trim() ?? 'unknown',
    cores: Math.max(1, processors.length),
    memoryBytes: totalmem(),
    virtualised: isVirtual(flags, file(sys, 'hypervisor/type')),
    ...governorsOf(join(processor, 'cpufreq')),
    ...turboOf(processor),
    smt: yesOrNo(file(processor, 'smt/active')),
    cgroup: cgroupVersion(join(sys, 'fs/cgroup')),
    // A kernel that was told to keep none has the file, and an error for who reads it.
    pressure:
      file(proc, 'pressure/cpu') !== undefined || (file(proc, 'stat') === undefined ? undefined : false),
    clock: {
      source: file(clocksource, 'current_clocksource'),
      available: words(file(clocksource, 'available_clocksource')),
      costSeconds: trial?.costSeconds,
      stepSeconds: trial?.stepSeconds,
      lateSeconds: trial?.lateSeconds,
    },
    counters: { counting: trial?.counting, paranoid: numberOf(file(proc, 'sys/kernel/perf_event_paranoid')) },
    process: readProcess(file(proc, 'self/status') ?? ''),
    storeBypass: file(processor, 'vulnerabilities/spec_store_bypass'),
    workDisk: await diskAt(temporaryFolder()),
  };
}

/** The free room at a path, for those who are not root; undefined where there is no such path. */
export async function diskAt(path: string): Promise<DiskReading | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return { path, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

/** What seccomp and speculation are for a process. @param status text of its /proc/PID/status */
export function readProcess(status: string): ProcessReading {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*([ -~]{1,60})$`, 'm').exec(status)?.[1];
  return {
    seccomp: numberOf(field('Seccomp')),
    storeBypass: field('Speculation_Store_Bypass'),
    indirectBranch: field('SpeculationIndirectBranch'),
  };
}

/** A file of a kernel's file system, which never waits, without the line's end; undefined where it is not there. */
function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

const words = (text: string | undefined): readonly string[] =>
  (text ?? '').split(/\s+/).filter((word) => word !== '');

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function yesOrNo(text: string | undefined): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined;
}

/** Hypervisors show themselves by a flag of x86; of other processors Xen alone does. */
function isVirtual(flags: readonly string[], hypervisor: string | undefined): boolean | undefined {
  if (hypervisor !== undefined || flags.includes('hypervisor')) return true;
  return flags.includes('fpu') ? false : undefined;
}

/** @param folder of cpufreq, in which processors that share a frequency have one policy */
function governorsOf(folder: string): Pick<MachineReading, 'governors' | 'frequencyDriver'> {
  const policies = namesIn(folder).filter((name) => /^policy\d+$/.test(name));
  const each = (name: string) =>
    [...new Set(policies.flatMap((policy) => kernelFile(join(folder, policy, name)) ?? []))].sort();
  return { governors: each('scaling_governor'), frequencyDriver: each('scaling_driver')[0] };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Intel's own driver says whether turbo is forbidden, all others whether it is allowed. */
function turboOf(folder: string): Pick<MachineReading, 'turbo' | 'turboSwitch'> {
  const [intel, boost] = [join(folder, 'intel_pstate/no_turbo'), join(folder, 'cpufreq/boost')];
  const forbidden = yesOrNo(kernelFile(intel));
  if (forbidden !== undefined) return { turbo: !forbidden, turboSwitch: { file: intel, off: '1' } };
  const allowed = yesOrNo(kernelFile(boost));
  return { turbo: allowed, turboSwitch: allowed === undefined ? undefined : { file: boost, off: '0' } };
}

function cgroupVersion(folder: string): 1 | 2 | undefined {
  const names = namesIn(folder);
  if (names.includes('cgroup.controllers')) return 2;
  return names.includes('memory') || names.includes('cpuacct') ? 1 : undefined;
}

/**
 * Counts a child's instructions as the probe would, looks at the clock as programs do, and sleeps a millisecond some
 * times. Of the looks the best round counts: whatever else the machine does only adds to it.
 */
const TRIAL = `
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
import probe
counter = probe.open_counter(probe.HARDWARE, probe.INSTRUCTIONS)
os.system(":")
counting = counter is not None and (probe.read_counter(counter) or 0) > 0
rounds = []
for _ in range(20):
    looks = [time.perf_counter() for _ in range(1000)]
    steps = [after - before for before, after in zip(looks, looks[1:]) if after > before]
    rounds.append(((looks[-1] - looks[0]) / len(looks), min(steps, default=1)))
cost, step = min(rounds)
late = []
for _ in range(21):
    began = time.perf_counter()
    time.sleep(0.001)
    late.append(time.perf_counter() - began - 0.001)
print(json.dumps({"counting": counting, "costSeconds": cost, "stepSeconds": step, "lateSeconds": sorted(late)[10]}))
`;
const trialSchema = z.object({
  counting: z.boolean(),
  costSeconds: z.number(),
  stepSeconds: z.number(),
  lateSeconds: z.number(),
});
type Trial = z.infer<typeof trialSchema>;
const TRIAL_SECONDS = 20;

/** Read by this machine's own Python; undefined without one. */
async function tryPython(probe: string): Promise<Trial | undefined> {
  try {
    const { stdout } = await runCommand('python3', ['-B', '-I', '-S', '-c', TRIAL, dirname(probe)], {
      timeoutSeconds: TRIAL_SECONDS,
    });
    return trialSchema.parse(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}
