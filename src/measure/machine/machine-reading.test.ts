import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import type { MachineReading } from '../../session/machine-reading.ts';
import { readMachine, readProcess } from './machine-reading.ts';

const probe = join(import.meta.dirname, '../probe/probe.py');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-machine-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Reads a machine that is files: `proc/…` and `sys/…`. */
async function machineOf(files: Readonly<Record<string, string>>): Promise<MachineReading> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return await readMachine(probe, { proc: join(folder, 'proc'), sys: join(folder, 'sys') });
}

const CPU = 'sys/devices/system/cpu';
const CLOCK = 'sys/devices/system/clocksource/clocksource0';
const policy = (index: number, governor: string, driver = 'intel_pstate') => ({
  [`${CPU}/cpufreq/policy${index}/scaling_governor`]: `${governor}\n`,
  [`${CPU}/cpufreq/policy${index}/scaling_driver`]: `${driver}\n`,
});

test('a machine of metal with Intel’s driver, two governors, turbo, hyper-threads and an old chip for a clock', async () => {
  const reading = await machineOf({
    'proc/cpuinfo': 'processor\t: 0\nmodel name\t: Intel(R) Core(TM) i7\nflags\t\t: fpu sse2 vmx\n',
    'proc/stat': 'cpu 1 2 3\n',
    'proc/sys/kernel/perf_event_paranoid': '4\n',
    'proc/self/status':
      'Name:\tnode\nSeccomp:\t0\nSpeculation_Store_Bypass:\tthread vulnerable\nSpeculationIndirectBranch:\tconditional enabled\n',
    ...policy(0, 'powersave'),
    ...policy(1, 'powersave'),
    ...policy(2, 'performance'),
    [`${CPU}/intel_pstate/no_turbo`]: '0\n',
    [`${CPU}/smt/active`]: '1\n',
    [`${CPU}/vulnerabilities/spec_store_bypass`]: 'Mitigation: disabled via prctl and seccomp\n',
    [`${CLOCK}/current_clocksource`]: 'hpet\n',
    [`${CLOCK}/available_clocksource`]: 'tsc hpet acpi_pm \n',
    'sys/fs/cgroup/memory/tasks': '',
  });
  expect(reading).toMatchObject({
    cpuModel: 'Intel(R) Core(TM) i7',
    virtualised: false,
    governors: ['performance', 'powersave'],
    frequencyDriver: 'intel_pstate',
    turbo: true,
    turboSwitch: { file: join(folder, CPU, 'intel_pstate/no_turbo'), off: '1' },
    smt: true,
    cgroup: 1,
    pressure: false,
    clock: { source: 'hpet', available: ['tsc', 'hpet', 'acpi_pm'] },
    counters: { paranoid: 4 },
    storeBypass: 'Mitigation: disabled via prctl and seccomp',
    process: { seccomp: 0, storeBypass: 'thread vulnerable', indirectBranch: 'conditional enabled' },
  });
});

test('a virtual machine of GitHub’s: cgroup 2, PSI, no say over frequencies', async () => {
  const reading = await machineOf({
    'proc/cpuinfo': 'model name\t: AMD EPYC 7763 64-Core Processor\nflags\t\t: fpu sse2 hypervisor\n',
    'proc/stat': 'cpu 1 2 3\n',
    'proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    [`${CPU}/smt/active`]: '1\n',
    [`${CLOCK}/current_clocksource`]: 'hyperv_clocksource_tsc_page\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  });
  expect(reading).toMatchObject({
    cpuModel: 'AMD EPYC 7763 64-Core Processor',
    virtualised: true,
    governors: [],
    frequencyDriver: undefined,
    turbo: undefined,
    turboSwitch: undefined,
    smt: true,
    cgroup: 2,
    pressure: true,
    counters: { paranoid: undefined },
  });
});

test.each([
  ['1', true],
  ['0', false],
])('turbo of the other drivers: boost %s', async (boost, on) => {
  const file = `${CPU}/cpufreq/boost`;
  expect(await machineOf({ [file]: `${boost}\n` })).toMatchObject({
    turbo: on,
    turboSwitch: { file: join(folder, file), off: '0' },
  });
});

test('a machine without /proc and /sys has only the readings of Node', async () => {
  const reading = await machineOf({});
  expect(reading).toMatchObject({
    cpuModel: cpus()[0]?.model.trim(),
    cores: cpus().length,
    virtualised: undefined,
    governors: [],
    turbo: undefined,
    smt: undefined,
    cgroup: undefined,
    pressure: undefined,
    process: { seccomp: undefined, storeBypass: undefined, indirectBranch: undefined },
    workDisk: { path: tmpdir() },
  });
  expect(reading.clock.source).toBeUndefined();
});

test('an ARM server is called neither virtual nor physical, because its flags do not show it', async () => {
  const { virtualised } = await machineOf({ 'proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd\n' });
  expect(virtualised).toBeUndefined();
  expect((await machineOf({ 'sys/hypervisor/type': 'xen\n' })).virtualised).toBe(true);
});

test('words in place of numbers are left out', async () => {
  expect(
    await machineOf({ 'proc/sys/kernel/perf_event_paranoid': 'yes\n', [`${CPU}/smt/active`]: 'on\n' }),
  ).toMatchObject({ counters: { paranoid: undefined }, smt: undefined });
});

describe('this machine’s own Python', () => {
  test('tries the clock, the timer and the counters', async () => {
    const { clock, counters } = await machineOf({});
    expect(clock.costSeconds).toBeGreaterThan(1e-9);
    expect(clock.costSeconds).toBeLessThan(1e-3);
    expect(clock.stepSeconds).toBeGreaterThan(0);
    // A sleep never ends early, however busy the machine.
    expect(clock.lateSeconds).toBeGreaterThan(0);
    expect(typeof counters.counting).toBe('boolean');
  });

  test('counts what the probe counts', async () => {
    // What an independent look says: the probe's own counter of a child's instructions.
    const { stdout } = await runCommand('python3', [...['-I', '-S', probe, 'run', '--', 'true']]);
    const answer = JSON.parse(stdout.trim()) as { metrics: Record<string, number> };
    const { counters } = await machineOf({});
    expect(counters.counting).toBe('instructions' in answer.metrics);
  });

  test('that does not exist gives no reading', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      expect(await machineOf({})).toMatchObject({
        clock: { costSeconds: undefined, stepSeconds: undefined, lateSeconds: undefined },
        counters: { counting: undefined },
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

test.each([
  ['', { seccomp: undefined, storeBypass: undefined, indirectBranch: undefined }],
  [
    'Seccomp:\t2\nSeccomp_filters:\t1\nSpeculation_Store_Bypass:\tthread force mitigated\nSpeculationIndirectBranch:\tconditional force disabled\n',
    { seccomp: 2, storeBypass: 'thread force mitigated', indirectBranch: 'conditional force disabled' },
  ],
  // Before Linux 4.17 and 5.11 there were no such lines.
  ['Seccomp:\t2\n', { seccomp: 2, storeBypass: undefined, indirectBranch: undefined }],
  [
    `Seccomp:\ttwo\nSpeculation_Store_Bypass:\t${'x'.repeat(100)}\n`,
    { seccomp: undefined, storeBypass: undefined },
  ],
])('the status %j of a process', (status, expected) => {
  expect(readProcess(status)).toMatchObject(expected);
});
