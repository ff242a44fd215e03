import { own } from './record.ts';

/** The flags of a processor, named as in /proc/cpuinfo, and which of them a compiler may use. */

/** The flags of the first processor, sorted: `flags` on x86, `Features` on ARM. */
export function cpuFlags(cpuinfo: string): readonly string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return line
    .split(/\s+/)
    .filter((flag) => flag !== '')
    .sort();
}

/**
 * Flags of x86 that stand for instructions which `-march=native` lets a compiler use. Other flags (bugs,
 * virtualization, timers) change with the kernel and do not affect a binary. GCC's x86 options; the kernel's names.
 */
const INSTRUCTION_SETS = new Set(
  [
    'mmx sse sse2 pni ssse3 sse4_1 sse4_2 sse4a cx16 lahf_lm popcnt abm bmi1 bmi2 movbe adx rdrand rdseed rdpid',
    'aes pclmulqdq vaes vpclmulqdq gfni sha_ni sha512 sm3 sm4 avx avx2 fma fma4 f16c xop tbm lwp 3dnowprefetch',
    'avx_vnni avx_ifma avx_ne_convert avx_vnni_int8 avx_vnni_int16 avx512f avx512cd avx512bw avx512dq avx512vl',
    'avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq avx512_bf16 avx512_fp16',
    'avx512_vp2intersect amx_tile amx_int8 amx_bf16 amx_fp16 fsgsbase xsave xsaveopt xsavec xsaves clflushopt clwb',
    'clzero wbnoinvd pku movdiri movdir64b cldemote serialize waitpkg enqcmd hreset cmpccxadd prefetchi uintr',
  ].flatMap((line) => line.split(' ')),
);

/** The levels of the x86-64 psABI (version 1.0, table 3.1), in the kernel's names. */
const V2 = 'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3';
const V3 = `${V2} abm avx avx2 bmi1 bmi2 f16c fma movbe xsave`;
const X86_LEVELS = {
  'x86-64-v2': V2,
  'x86-64-v3': V3,
  'x86-64-v4': `${V3} avx512bw avx512cd avx512dq avx512f avx512vl`,
} as const;

/**
 * What GCC's AArch64 options let a compiler use at each version of the architecture, in the kernel's names (hwcaps of
 * arm64). Left out is what a processor without it takes for a hint (paca, bti), and what only the kernel uses.
 */
const ARM_8_1 = 'asimd asimdrdm atomics crc32 fp';
const ARM_8_3 = `${ARM_8_1} fcma jscvt lrcpc`;
const ARM_8_4 = `${ARM_8_3} asimddp flagm ilrcpc uscat`;
const ARM_8_5 = `${ARM_8_4} flagm2 frint sb ssbs`;
const ARM_LEVELS = {
  'armv8-a': 'asimd fp',
  'armv8.1-a': ARM_8_1,
  'armv8.2-a': ARM_8_1,
  'armv8.3-a': ARM_8_3,
  'armv8.4-a': ARM_8_4,
  'armv8.5-a': ARM_8_5,
  'armv8.6-a': `${ARM_8_5} bf16 i8mm`,
  'armv9-a': `${ARM_8_5} sve sve2`,
} as const;

const LEVELS: Readonly<Record<string, string>> = { ...X86_LEVELS, ...ARM_LEVELS };

/** The levels of each architecture, by Docker's names of these. */
export const MARCH_LEVELS = {
  amd64: Object.keys(X86_LEVELS) as (keyof typeof X86_LEVELS)[],
  arm64: Object.keys(ARM_LEVELS) as (keyof typeof ARM_LEVELS)[],
} as const;

/** A level that most processors of an architecture have, to recommend. */
export const commonLevel = (architecture: string): string =>
  architecture === 'arm64' ? 'armv8.2-a' : 'x86-64-v3';

/**
 * The flags that a binary compiled with a `-march` may need.
 * @param march `native`, or a level of `MARCH_LEVELS`
 * @param have the flags of the processor that `native` means
 * @returns sorted; of an architecture other than x86 all that it has
 */
export function neededFlags(march: string, have: readonly string[]): readonly string[] {
  const level = own(LEVELS, march);
  if (level !== undefined) return level.split(' ').sort();
  // The list is of x86 only; almost all of ARM's flags are instruction sets.
  return have.includes('sse2') ? have.filter((flag) => INSTRUCTION_SETS.has(flag)) : have;
}

/** The flags that a binary needs and this processor lacks. */
export const missingFlags = (needed: readonly string[], have: readonly string[]): readonly string[] =>
  needed.filter((flag) => !have.includes(flag));
