import { describe, expect, test } from '@jest/globals';
import type { EngineReading, Finding, MachineReading, ProcessReading } from '../session/machine-reading.ts';
import { containerFinding, findingsOf } from './machine-findings.ts';

const GiB = 1024 ** 3;
const FREE: ProcessReading = {
  seccomp: 0,
  storeBypass: 'thread vulnerable',
  indirectBranch: 'conditional enabled',
};

/** A machine for measuring: of metal, with nothing to mend. */
const METAL: MachineReading = {
  kernel: 'Linux 6.12.0',
  cpuModel: 'AMD EPYC 9124',
  cores: 16,
  memoryBytes: 64 * GiB,
  virtualised: false,
  governors: ['performance'],
  frequencyDriver: 'amd-pstate-epp',
  turbo: false,
  turboSwitch: { file: '/sys/devices/system/cpu/cpufreq/boost', off: '0' },
  smt: false,
  cgroup: 2,
  pressure: true,
  clock: {
    source: 'tsc',
    available: ['tsc', 'hpet'],
    costSeconds: 4e-8,
    stepSeconds: 2e-8,
    lateSeconds: 6e-5,
  },
  counters: { counting: true, paranoid: 2 },
  process: FREE,
  storeBypass: 'Mitigation: Speculative Store Bypass disabled via prctl',
  workDisk: { path: '/tmp', freeBytes: 100 * GiB },
};
const ENGINE: EngineReading = {
  engine: 'Docker 28.0.4',
  buildx: '0.21.2',
  buildkit: '0.20.1',
  driver: 'docker-container',
  storageDriver: 'overlay2',
  cgroup: 2,
  cgroupDriver: 'systemd',
  disk: { path: '/var/lib/docker', freeBytes: 50 * GiB },
};
/** As macOS has it: neither /proc nor /sys, nor a Python. */
const SILENT: MachineReading = {
  ...METAL,
  kernel: 'Darwin 24.1.0',
  virtualised: undefined,
  governors: [],
  frequencyDriver: undefined,
  turbo: undefined,
  turboSwitch: undefined,
  smt: undefined,
  cgroup: undefined,
  pressure: undefined,
  clock: {
    source: undefined,
    available: [],
    costSeconds: undefined,
    stepSeconds: undefined,
    lateSeconds: undefined,
  },
  counters: { counting: undefined, paranoid: undefined },
  process: { seccomp: undefined, storeBypass: undefined, indirectBranch: undefined },
};

const names = (findings: readonly Finding[], judgement: Finding['judgement']) =>
  findings.filter((finding) => finding.judgement === judgement).map(({ name }) => name);
/** The one finding that a change of a machine with nothing to mend makes. */
function only(change: Partial<MachineReading>, engine: Partial<EngineReading> = {}): Finding {
  const found = findingsOf({ machine: { ...METAL, ...change }, engine: { ...ENGINE, ...engine } }).filter(
    ({ judgement }) => judgement !== 'good',
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

test('every finding of a machine that is good for measuring is listed, without advice', () => {
  const findings = findingsOf({ machine: METAL, engine: ENGINE });
  expect(findings.every(({ judgement, advice }) => judgement === 'good' && advice === undefined)).toBe(true);
  expect(Object.fromEntries(findings.map(({ name, value }) => [name, value]))).toEqual({
    processor: 'AMD EPYC 9124',
    cores: '16',
    memory: '64 GiB',
    kernel: 'Linux 6.12.0',
    engine: 'Docker 28.0.4',
    builder: 'buildx 0.21.2, BuildKit 0.20.1, driver docker-container',
    'storage driver': 'overlay2',
    'free disk for images': '50 GiB',
    cgroups: 'version 2 (systemd)',
    machine: 'physical',
    'frequency governor': 'performance (amd-pstate-epp)',
    turbo: 'off',
    'hyper-threads': 'off',
    clock: 'tsc (40 ns a call, steps of 20 ns)',
    timer: 'a sleep of 1 ms ends 60 µs late',
    'counters of instructions': 'counting',
    PSI: 'kept',
    'free disk for files': '100 GiB',
  });
});

test('without an engine no finding names one', () => {
  const findings = findingsOf({ machine: METAL });
  for (const name of ['engine', 'builder', 'storage driver', 'free disk for images'])
    expect(findings.map((finding) => finding.name)).not.toContain(name);
  expect(findings).toContainEqual({ name: 'cgroups', value: 'version 2', judgement: 'good' });
});

test('an engine that does not answer is bad, with its own words for advice', () => {
  const findings = findingsOf({ machine: METAL, engine: { silent: 'Start the Docker engine.' } });
  expect(findings).toContainEqual({
    name: 'engine',
    value: 'no answer',
    judgement: 'bad',
    advice: 'Start the Docker engine.',
  });
});

test('a machine without readings has no findings', () => {
  const findings = findingsOf({ machine: SILENT });
  expect(names(findings, 'bad')).toEqual([]);
  expect(names(findings, 'notice')).toEqual([]);
  expect(findings.filter(({ judgement }) => judgement === 'unknown').map(({ value }) => value)).toEqual(
    Array.from({ length: 9 }, () => 'unknown'),
  );
});

test('a virtual machine as GitHub has them', () => {
  const machine = {
    ...METAL,
    kernel: 'Linux 6.11.0-1018-azure',
    cores: 4,
    virtualised: true,
    governors: [],
    frequencyDriver: undefined,
    turbo: undefined,
    smt: true,
    clock: { ...METAL.clock, source: 'hyperv_clocksource_tsc_page' },
    counters: { counting: false, paranoid: 4 },
  };
  const findings = findingsOf({ machine, engine: ENGINE });
  expect(names(findings, 'bad')).toEqual([]);
  expect(names(findings, 'notice')).toEqual(['machine', 'hyper-threads', 'counters of instructions']);
  expect(names(findings, 'unknown')).toEqual(['frequency governor', 'turbo']);
  // What its host does with the other halves of its cores, it does not know.
  expect(names(findingsOf({ machine: { ...machine, smt: false } }), 'unknown')).toContain('hyper-threads');
});

describe('a finding that needs an action names it', () => {
  test.each<[string, Partial<MachineReading>, Partial<EngineReading>, Partial<Finding>, RegExp]>([
    ['one core', { cores: 1 }, {}, { name: 'cores', judgement: 'bad' }, /two or more/],
    [
      'a governor that follows the load',
      { governors: ['powersave'], frequencyDriver: 'intel_pstate' },
      {},
      { name: 'frequency governor', value: 'powersave (intel_pstate)', judgement: 'bad' },
      /: cpupower frequency-set -g performance$/,
    ],
    [
      'one processor’s governor',
      { governors: ['performance', 'schedutil'] },
      {},
      { value: 'performance, schedutil (amd-pstate-epp)', judgement: 'bad' },
      /cpupower/,
    ],
    [
      'turbo',
      { turbo: true },
      {},
      { name: 'turbo', value: 'on', judgement: 'notice' },
      /: echo 0 > \/sys\/devices\/system\/cpu\/cpufreq\/boost$/,
    ],
    ['hyper-threads', { smt: true }, {}, { judgement: 'notice' }, /echo off > .*\/smt\/control$/],
    ['no PSI', { pressure: false }, {}, { name: 'PSI', judgement: 'notice' }, /psi=1/],
    [
      'a slow clock where there is a fast one',
      { clock: { ...METAL.clock, source: 'hpet', costSeconds: 1.2e-6 } },
      {},
      { name: 'clock', value: 'hpet (1.2 µs a call, steps of 20 ns)', judgement: 'bad' },
      /echo tsc > \/sys\/devices\/system\/clocksource\/clocksource0\/current_clocksource$/,
    ],
    [
      'a slow clock where there is no other',
      { clock: { ...METAL.clock, source: 'xen', available: ['xen'] } },
      {},
      { judgement: 'bad' },
      /Boot with clocksource=tsc/,
    ],
    [
      'a clock that nobody knows, slow when tried',
      { clock: { ...METAL.clock, source: 'new_chip', costSeconds: 9e-7 } },
      {},
      { judgement: 'bad' },
      /is a system call/,
    ],
    [
      'late sleepers',
      { clock: { ...METAL.clock, lateSeconds: 0.004 } },
      {},
      { name: 'timer', value: 'a sleep of 1 ms ends 4 ms late', judgement: 'notice' },
      /highres=on/,
    ],
    [
      'counters that are forbidden',
      { counters: { counting: false, paranoid: 4 } },
      {},
      { judgement: 'notice', value: 'none (perf_event_paranoid is 4)' },
      /: sysctl kernel\.perf_event_paranoid=2$/,
    ],
    [
      'a storage driver that copies',
      {},
      { storageDriver: 'vfs' },
      { name: 'storage driver', judgement: 'bad' },
      /"storage-driver": "overlay2"/,
    ],
    [
      'no peak of memory',
      { kernel: 'Linux 5.15.0-91-generic' },
      {},
      { name: 'cgroups', judgement: 'notice' },
      /memory_peak_bytes .* Linux 5\.19/,
    ],
    [
      'a disk nearly full',
      {},
      { disk: { path: '/var/lib/docker', freeBytes: 1.5 * GiB } },
      { name: 'free disk for images', value: '1.5 GiB', judgement: 'bad' },
      /10 GiB at \/var\/lib\/docker .* docker builder prune/,
    ],
    [
      'a small disk',
      { workDisk: { path: '/tmp', freeBytes: 0.5 * GiB } },
      {},
      { name: 'free disk for files', judgement: 'notice' },
      /TMPDIR/,
    ],
  ])('%s', (_, machine, engine, expected, advice) => {
    const found = only(machine, engine);
    expect(found).toMatchObject(expected);
    expect(found.advice).toMatch(advice);
  });

  test('but not of memory’s peak with version 1, which has always kept it', () => {
    const findings = findingsOf({
      machine: { ...METAL, kernel: 'Linux 5.15.0' },
      engine: { ...ENGINE, cgroup: 1, cgroupDriver: 'cgroupfs' },
    });
    expect(findings).toContainEqual({ name: 'cgroups', value: 'version 1 (cgroupfs)', judgement: 'good' });
  });
});

describe('seccomp in containers', () => {
  test.each<[string, ProcessReading, Partial<Finding>]>([
    [
      'that switches nothing off',
      { ...FREE, seccomp: 2 },
      { judgement: 'good', value: 'a filter, speculation as on the machine' },
    ],
    [
      'that switches both off, as before Linux 5.16',
      { seccomp: 2, storeBypass: 'thread force mitigated', indirectBranch: 'conditional force disabled' },
      {
        judgement: 'bad',
        value: 'a filter that switches off store bypass and indirect branch prediction',
        advice: expect.stringContaining('spec_store_bypass_disable=prctl') as unknown as string,
      },
    ],
    [
      'that is not there (unconfined)',
      FREE,
      { judgement: 'good', value: 'no filter, speculation as on the machine' },
    ],
    [
      'of which the container does not say anything',
      { seccomp: undefined, storeBypass: undefined, indirectBranch: undefined },
      { judgement: 'unknown', value: 'unknown' },
    ],
  ])('%s', (_, container, expected) => {
    expect(containerFinding(METAL, container)).toMatchObject({ name: 'seccomp in containers', ...expected });
  });

  test('is not hidden by this program being under a filter itself, in a job’s container', () => {
    const filtered = { seccomp: 2, storeBypass: 'thread force mitigated', indirectBranch: undefined };
    const machine = { ...METAL, process: filtered };
    const storeBypass = 'Mitigation: Speculative Store Bypass disabled via prctl and seccomp';
    expect(containerFinding({ ...machine, storeBypass }, filtered)).toMatchObject({
      judgement: 'bad',
      value: 'a filter that switches off store bypass',
    });
  });

  test('does nothing where the whole machine is mitigated, or not affected', () => {
    const all: ProcessReading = {
      seccomp: 0,
      storeBypass: 'globally mitigated',
      indirectBranch: 'always disabled',
    };
    expect(containerFinding({ ...METAL, process: all }, { ...all, seccomp: 2 })).toMatchObject({
      judgement: 'good',
    });
    const none: ProcessReading = {
      seccomp: 0,
      storeBypass: 'not vulnerable',
      indirectBranch: 'not affected',
    };
    expect(containerFinding({ ...METAL, process: none }, { ...none, seccomp: 2 })).toMatchObject({
      judgement: 'good',
    });
  });
});
