import { join } from 'node:path';
import type { CountingTool } from '../../session/session.ts';
import type { Counting, RunRequest } from '../engine.ts';
import { MAX_ANSWER_BYTES, MAX_COUNTED_ANSWER_BYTES, PROFILE_BYTES } from '../probe/probe-answer.ts';

/**
 * The arguments of a run that valgrind counts and the probe does not measure. Valgrind's tools are static programs, so
 * they run in any image. Pure.
 */

/** The options of each tool; `%p` is the process's id. */
const TOOL_OPTIONS: Readonly<Record<CountingTool, (counts: string) => readonly string[]>> = {
  cachegrind: (counts) => ['--cache-sim=no', `--cachegrind-out-file=${counts}/%p`],
  callgrind: (counts) => [
    `--callgrind-out-file=${counts}/%p`,
    // A forked process begins with its parent's count, unless callgrind writes that count out first. These are the
    // names of fork in a libc, of which valgrind accepts any.
    ...['fork', '__fork', '_Fork', '__libc_fork'].map((name) => `--dump-before=${name}`),
  ],
};

/** The folders of valgrind's tools and of their counts. */
export interface CountingPlaces {
  readonly tools: string;
  readonly counts: string;
}

/** The command, under valgrind if the run is counted. */
export function countedCommand(
  { counting }: RunRequest,
  command: readonly string[],
  { tools, counts }: CountingPlaces,
): readonly string[] {
  if (counting === undefined) return command;
  return [
    join(tools, counting.file),
    // Without its name every tool starts as memcheck.
    `--tool=${counting.tool}`,
    ...['-q', '--trace-children=yes', '--vgdb=no'],
    ...TOOL_OPTIONS[counting.tool](counts),
    ...command,
  ];
}

/** The probe's options for a counted run; none for a measured run. */
export const countingOptions = ({ counting }: RunRequest, { counts }: CountingPlaces): readonly string[] =>
  counting === undefined
    ? []
    : [
        `--counts=${counts}`,
        ...(counting.tool === 'callgrind' ? [`--callgrind-bytes=${PROFILE_BYTES}`] : []),
      ];

/**
 * Whether a run's container gets the hardware's counters. It is opt-in, because it needs a capability, which the probe
 * drops before the workload starts. Valgrind and profilers need none.
 */
export const hasCounters = ({ workload, counting, profile }: RunRequest): boolean =>
  workload.instructions === 'counters' &&
  workload.server === undefined &&
  counting === undefined &&
  profile === undefined;

export const maxAnswerBytes = ({ counting }: RunRequest): number =>
  counting?.tool === 'callgrind' ? MAX_COUNTED_ANSWER_BYTES : MAX_ANSWER_BYTES;

const GIB = 1024 ** 3;

/**
 * The memory that a counted run may take, in bytes: valgrind holds its own copy of the code, and 50 to 100 MiB in each
 * process of a small Python program. Undefined without a limit.
 */
export const countingMemory = (
  memoryBytes: number | undefined,
  counting: Counting | undefined,
): number | undefined =>
  memoryBytes === undefined || counting === undefined ? memoryBytes : 4 * memoryBytes + GIB;
