import { expect, test } from '@jest/globals';
import { cpuFlags, missingFlags, neededFlags } from './cpu.ts';

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

test('a level needs what the psABI says, whatever machine asks', () => {
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
