import { z } from 'zod';
import type { CommandResult } from '../../process/command.ts';
import { noiseSchema, outcomeSchema } from '../../session/run.ts';
import type { RunResult } from '../engine.ts';
import { readResults } from '../results/read.ts';
import { withTail } from '../run-failure.ts';
import { parseJson } from '../../session/json.ts';

/** Reads the probe's line, which is not trusted. */
const answerSchema = z.object({
  outcome: outcomeSchema.exclude(['engine']),
  exitStatus: z.int().nullable(),
  message: z.string().max(4000),
  metrics: z.record(z.string(), z.number().nonnegative()),
  cgroupCpu: z.number().nonnegative().nullable(),
  besideCpu: z.number().nonnegative().optional(),
  noise: noiseSchema,
  business: z.string().nullable(),
  counts: z
    .object({
      instructions: z.int().positive(),
      processes: z.int().positive(),
      profiles: z.array(z.object({ name: z.string().regex(/^\d{1,10}(\.\d{1,10})?$/), text: z.string() })),
    })
    .nullish(),
  noCounters: z
    .string()
    .regex(/^\w{1,40}$/)
    .nullish(),
  open: z.boolean().nullish(),
  profiles: z.array(z.string()).optional(),
  profilesLeftOut: z.int().nonnegative().optional(),
});

/** Room for the largest metrics file (1 MiB), each byte of which may take six as JSON, or for profiles, and the rest. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** callgrind's files of one side that are kept: one of a small program takes half a MiB. */
export const PROFILE_BYTES = 8 * 1024 * 1024;
/** The same with them: they are text, and a byte of them that takes six was not written by callgrind. */
export const MAX_COUNTED_ANSWER_BYTES = MAX_ANSWER_BYTES + 6 * PROFILE_BYTES;

/**
 * Reads what the probe wrote.
 *
 * The answer is the last line of a probe that ended well: a workload that finds the probe's output (through /proc)
 * can write before it and can end it, and neither makes its own words the probe's.
 *
 * @param stderr the workload's last lines, for the message of a run that is not `ok`
 * @returns undefined where there is no answer of the probe's: the caller knows why (engine, kill)
 */
export function readProbeAnswer({
  status,
  stdout,
  stderr: outputTail,
}: Pick<CommandResult, 'status' | 'stdout' | 'stderr'>): RunResult | undefined {
  if (status !== 0) return undefined;
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  const parsed = answerSchema.safeParse(parseJson(line));
  if (!parsed.success) return undefined;
  const { outcome, exitStatus, message, metrics, cgroupCpu, noise, business, ...rest } = parsed.data;
  const profiles = rest.profiles && { texts: rest.profiles, leftOut: rest.profilesLeftOut ?? 0 };
  if (outcome !== 'ok') {
    const words = isIllegalInstruction(message, exitStatus) ? `${message}. ${ILLEGAL_INSTRUCTION}` : message;
    const failed = { metrics: {}, declared: {}, noise, exitStatus, message: withTail(words, outputTail) };
    return { outcome, ...failed, profiles };
  }
  const reported = business === null ? { values: {}, declared: {} } : readResults(business);
  if (typeof reported === 'string')
    return { outcome: 'nonzero', metrics: {}, declared: {}, noise, exitStatus, message: reported };
  const cpu = metrics['cpu_time_s'];
  return {
    outcome,
    metrics: {
      ...reported.values,
      ...metrics,
      // wait4 counts what was reaped; what the kernel was told to forget (SIGCHLD ignored) is in the cgroup's sum alone.
      // Less than that is another group's. A server has none: its figures are the cgroup's already.
      ...(cpu !== undefined && cgroupCpu !== null && cgroupCpu > 0.9 * cpu ? { cpu_time_s: cgroupCpu } : {}),
    },
    inside: { cgroup: cgroupCpu !== null, besideSeconds: rest.besideCpu ?? 0 },
    declared: reported.declared,
    noise,
    exitStatus,
    message: undefined,
    counted: rest.counts ?? undefined,
    openProbe: rest.open === true ? true : undefined,
    noCounters: rest.noCounters ?? undefined,
    profiles,
  };
}

/** A shell gives 128 and the signal's number for a child that a signal ended; SIGILL is 4. */
const isIllegalInstruction = (message: string, exitStatus: number | null) =>
  /\bSIGILL\b/.test(message) || exitStatus === 128 + 4;

const ILLEGAL_INSTRUCTION =
  "SIGILL means that this machine's processor does not support an instruction of the program: the interpreter or an extension module was compiled for another processor (-march=native, or a level such as x86-64-v4). Build it on a machine of this kind, or for a level that all of yours have, such as x86-64-v2 or armv8-a";
