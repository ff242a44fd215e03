import { join } from 'node:path';
import type { CountingTool } from '../../session/session.ts';
import type { Counting, RunRequest } from '../engine.ts';
import { MAX_ANSWER_BYTES, MAX_COUNTED_ANSWER_BYTES, PROFILE_BYTES } from '../probe/probe-answer.ts';

/**
 * The words by which a run is counted by valgrind and not measured. Its tools are static programs: they run in any
 * image, which needs no valgrind of its own. Pure.
 */

/** The options of each tool; `%p` is the process's id. */
const TOOL_OPTIONS: Readonly<Record<CountingTool, (counts: string) => readonly string[]>> = {
  cachegrind: (counts) => ['--cache-sim=no', `--cachegrind-out-file=${counts}/%p`],
  callgrind: (counts) => [
    `--callgrind-out-file=${counts}/%p`,
    // A forked process begins with all that its parent has counted so far, unless that is put away before: what a libc
    // calls its fork, by whichever of its names valgrind takes.
    ...['fork', '__fork', '_Fork', '__libc_fork'].map((name) => `--dump-before=${name}`),
  ],
};

/** Where a counted run finds valgrind's tools, and leaves what they counted. */
export interface CountingPlaces {
  readonly tools: string;
  readonly counts: string;
}

/** A command under valgrind, where the run is counted. */
export function countedCommand(
  { counting }: RunRequest,
  command: readonly string[],
  { tools, counts }: CountingPlaces,
): readonly string[] {
  if (counting === undefined) return command;
  return [
    join(tools, counting.file),
    // Without its name the tool starts as memcheck, whatever file it is.
    `--tool=${counting.tool}`,
    ...['-q', '--trace-children=yes', '--vgdb=no'],
    ...TOOL_OPTIONS[counting.tool](counts),
    ...command,
  ];
}

/** The probe's options for a run that is counted; none for one that is measured. */
export const countingOptions = ({ counting }: RunRequest, { counts }: CountingPlaces): readonly string[] =>
  counting === undefined
    ? []
    : [
        `--counts=${counts}`,
        ...(counting.tool === 'callgrind' ? [`--callgrind-bytes=${PROFILE_BYTES}`] : []),
      ];

/**
 * Whether a run's container is given the hardware's counters. Opt-in, for it takes a capability, which the probe gives
 * away before the workload starts. Valgrind and profilers need none.
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
 * process of a small Python program. Undefined where there is no limit.
 */
export const countingMemory = (
  memoryBytes: number | undefined,
  counting: Counting | undefined,
): number | undefined =>
  memoryBytes === undefined || counting === undefined ? memoryBytes : 4 * memoryBytes + GIB;
