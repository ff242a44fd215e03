import { z } from 'zod';
import { sideSchema } from './run.ts';

/**
 * Profiles: one more run of each side of a regressed variant, outside the measured blocks, to find the cause. They help
 * the reader and are never evidence: no verdict depends on them.
 */

/**
 * What a profile measures. `cpu`: processor seconds by function. `time`: seconds by function, waiting included.
 * `memory`: bytes held when most was held, by the function that asked for them. `imports`: seconds by module that the
 * start of the interpreter imports.
 */
export const PROFILE_KINDS = ['cpu', 'time', 'memory', 'imports'] as const;
export type ProfileKind = (typeof PROFILE_KINDS)[number];

/** The profilers that the configuration can select; memory and imports have one profiler each. */
export const PROFILERS = ['cprofile', 'py-spy', 'none'] as const;
export type Profiler = (typeof PROFILERS)[number];

const NAME_LIMIT = 300;
const figure = z.number().nonnegative();

/** A function, or a module that was imported. */
export const profiledFunctionSchema = z.object({
  /**
   * The path under which both sides know it: `service/run.py`, `lib/json/decoder.py`, `packages/x/y.py`; empty for
   * built-ins.
   */
  file: z.string().max(NAME_LIMIT),
  name: z.string().max(NAME_LIMIT),
  line: z.int().nonnegative(),
  /** Number of calls; with a sampling profiler the number of samples, for memory the number of blocks that it holds. */
  calls: figure,
  /** In the profile's unit (seconds or bytes), without the functions that it called. */
  own: figure,
  /** With the functions that it called. */
  total: figure,
});
export type ProfiledFunction = z.infer<typeof profiledFunctionSchema>;

/** Functions and their callers: the sum over all processes of one profiled run. */
export interface CallGraph {
  readonly kind: ProfileKind;
  /** The largest own figure first. */
  readonly functions: readonly ProfiledFunction[];
  /** Indices of `functions`; `own` and `total` are those of the callee when this caller calls it. */
  readonly calls: readonly {
    readonly caller: number;
    readonly callee: number;
    readonly calls: number;
    readonly own: number;
    readonly total: number;
  }[];
  /**
   * Whole stacks with the value of each, the outermost function first, if the profiler records stacks; indices of
   * `functions`.
   */
  readonly stacks: readonly { readonly frames: readonly number[]; readonly own: number }[];
  /** The sum of all own values, including functions that were left out. */
  readonly own: number;
  readonly processes: number;
  /** What this profile does not cover, one sentence each. */
  readonly notes: readonly string[];
}

export const profileSchema = z.object({
  functions: z.array(profiledFunctionSchema).max(1000),
  own: figure,
  processes: z.int().nonnegative(),
  notes: z.array(z.string().max(500)).max(20),
});
/** The part of a call graph that a session stores. */
export type Profile = z.infer<typeof profileSchema>;

/** The profiles of both sides of a regressed variant, or why there are none. */
export const explanationSchema = z.object({
  variant: z.string(),
  kind: z.enum(PROFILE_KINDS),
  /** `cprofile`, `py-spy`, `tracemalloc`, `importtime`. */
  profiler: z.string().max(30),
  sides: z.partialRecord(sideSchema, profileSchema),
  /** Why a side is missing. */
  problem: z.string().max(3000).optional(),
  /** Duration of the profiled runs, in seconds. */
  seconds: figure,
});
export type Explanation = z.infer<typeof explanationSchema>;

/** Number of functions that a session stores for each profile; the files in `profiles/` have all. */
const KEPT = 300;

/**
 * The largest functions of a call graph. A built-in has no source to look at, so its time counts for its callers.
 * Waiting does not, because a function that waits would look like one that works.
 */
export function profileOf({ functions, calls, own, processes, notes }: CallGraph): Profile {
  const figures = functions.map((one) => ({ ...one }));
  for (const call of calls) {
    const [caller, callee] = [figures[call.caller], figures[call.callee]];
    if (caller === undefined || callee === undefined) continue;
    if (caller.file === '' || callee.file !== '' || isWaiting(callee)) continue;
    const moved = Math.min(call.own, callee.own);
    caller.own += moved;
    callee.own -= moved;
  }
  return {
    functions: figures.sort((a, b) => b.own - a.own).slice(0, KEPT),
    own,
    processes,
    notes: [...notes],
  };
}

/** Built-ins that wait; cProfile's clock continues meanwhile. */
const WAITING =
  /\b(sleep|acquire|select|poll|epoll|kqueue|control|wait\w*|recv\w*|accept|connect|posix\.read|getaddrinfo|_queue\.SimpleQueue)\b/;

/**
 * Whether a function waits for something: a lock, a child, a socket. The cause of a longer wait is in another function.
 */
export const isWaiting = ({ file, name }: Pick<ProfiledFunction, 'file' | 'name'>): boolean =>
  file === '' && WAITING.test(name);

/** Memory is in bytes, the others in seconds. */
export const unitOfKind = (kind: ProfileKind): 's' | 'bytes' => (kind === 'memory' ? 'bytes' : 's');
