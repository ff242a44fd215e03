import { expect, test } from '@jest/globals';
import { commonLevel, cpuFlags, MARCH_LEVELS, missingFlags, neededFlags } from './cpu.ts';

const EPYC = cpuFlags(
  'processor\t: 0\nflags\t\t: fpu vme sse sse2 pni ssse3 cx16 sse4_1 sse4_2 movbe popcnt avx f16c lahf_lm abm bmi1 avx2 bmi2 fma xsave sse4a constant_tsc hypervisor\nbugs\t\t: x\n\nprocessor\t: 1\nflags\t\t: other\n',
);

test('the flags of the first processor, sorted', () => {
  expect(EPYC[0]).toBe('abm');
  expect(EPYC).not.toContain('other');
  expect(cpuFlags('Features\t: fp asimd\n')).toEqual(['asimd', 'fp']);
  expect(cpuFlags('')).toEqual([]);
});

test('native needs the instruction sets of the processor, not its bugs and timers', () => {
  const needed = neededFlags('native', EPYC);
  expect(needed).toContain('sse4a');
  expect(needed).not.toContain('hypervisor');
  expect(needed).not.toContain('constant_tsc');
  expect(missingFlags(needed, EPYC)).toEqual([]);
});

test('a level needs the flags of the psABI, on every machine', () => {
  expect(missingFlags(neededFlags('x86-64-v3', []), EPYC)).toEqual([]);
  expect(missingFlags(neededFlags('x86-64-v4', EPYC), EPYC)).toEqual([
    'avx512bw',
    'avx512cd',
    'avx512dq',
    'avx512f',
    'avx512vl',
  ]);
});

test('a binary of one processor on another: the flags that are missing are named', () => {
  const xeon = [...EPYC, 'avx512f', 'avx512vl'].filter((flag) => flag !== 'sse4a').sort();
  expect(missingFlags(neededFlags('native', xeon), EPYC)).toEqual(['avx512f', 'avx512vl']);
  expect(missingFlags(neededFlags('native', EPYC), xeon)).toEqual(['sse4a']);
});

/** What the kernel says of processors of arm64 runners: Neoverse N1 (Ampere Altra), N2 (Cobalt 100), and of a Cortex-A72. */
const ARM = {
  a72: cpuFlags(
    'processor\t: 0\nBogoMIPS\t: 166.66\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n',
  ),
  n1: cpuFlags(
    'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs\n',
  ),
  n2: cpuFlags(
    'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svebf16 i8mm bf16 dgh bti\n',
  ),
};

test.each([
  ['armv8-a', ARM.a72, []],
  ['armv8.1-a', ARM.a72, ['asimdrdm', 'atomics']],
  ['armv8.2-a', ARM.n1, []],
  ['armv8.3-a', ARM.n1, ['fcma', 'jscvt']],
  ['armv8.6-a', ARM.n2, []],
  ['armv9-a', ARM.n2, []],
  ['armv9-a', ARM.n1, expect.arrayContaining(['sve', 'sve2'])],
  // A level of the other architecture lacks everything.
  ['armv8-a', EPYC, ['asimd', 'fp']],
  ['x86-64-v2', ARM.n2, neededFlags('x86-64-v2', [])],
])('%s on a processor of %j lacks %j', (march, have, missing) =>
  expect(missingFlags(neededFlags(march, have), have)).toEqual(missing),
);

test('every level includes the flags of the level before', () => {
  // Armv9.0 is Armv8.5 with more.
  for (const levels of [MARCH_LEVELS.amd64, MARCH_LEVELS.arm64.filter((level) => level !== 'armv8.6-a')])
    for (const [index, level] of levels.entries())
      if (index > 0)
        expect(neededFlags(level, [])).toEqual(
          expect.arrayContaining([...neededFlags(levels[index - 1] ?? '', [])]),
        );
  expect(MARCH_LEVELS.arm64).toContain(commonLevel('arm64'));
  expect(MARCH_LEVELS.amd64).toContain(commonLevel('amd64'));
});

test('an interpreter that was compiled natively on arm64 needs all flags of its processor', () => {
  expect(missingFlags(neededFlags('native', ARM.n2), ARM.n1)).toEqual(expect.arrayContaining(['sve', 'bti']));
  expect(missingFlags(neededFlags('native', ARM.n1), ARM.n2)).toEqual([]);
});
