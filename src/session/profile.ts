import { z } from 'zod';
import { sideSchema } from './run.ts';

/**
 * Profiles: one run more of each side of what regressed, outside the measured blocks, to say why. Help for a reader, never
 * evidence: nothing here is in a verdict.
 */

/**
 * What a profile adds up. `cpu`: processor seconds by function. `time`: seconds by function, waiting included. `memory`: bytes held when most was held, by the
 * function that asked for them. `imports`: seconds by module that the start of the interpreter imports.
 */
export const PROFILE_KINDS = ['cpu', 'time', 'memory', 'imports'] as const;
export type ProfileKind = (typeof PROFILE_KINDS)[number];

/** What the configuration may ask for; memory and imports have one way each. */
export const PROFILERS = ['cprofile', 'py-spy', 'none'] as const;
export type Profiler = (typeof PROFILERS)[number];

const NAME_LIMIT = 300;
const figure = z.number().nonnegative();

/** A function, or a module that was imported. */
export const profiledFunctionSchema = z.object({
  /** As it is called on both sides: `service/run.py`, `lib/json/decoder.py`, `packages/x/y.py`; empty for built-ins. */
  file: z.string().max(NAME_LIMIT),
  name: z.string().max(NAME_LIMIT),
  line: z.int().nonnegative(),
  /** How often it was called; with a sampling profiler how often it was met, with memory how many blocks it holds. */
  calls: figure,
  /** In the profile's unit: seconds or bytes, without what it called. */
  own: figure,
  /** With what it called. */
  total: figure,
});
export type ProfiledFunction = z.infer<typeof profiledFunctionSchema>;

/** Functions and who called whom: what the processes of one profiled run left, added up. */
export interface CallGraph {
  readonly kind: ProfileKind;
  /** The largest own figure first. */
  readonly functions: readonly ProfiledFunction[];
  /** Indices of `functions`; own and total are the callee's, for this caller. */
  readonly calls: readonly {
    readonly caller: number;
    readonly callee: number;
    readonly calls: number;
    readonly own: number;
    readonly total: number;
  }[];
  /** Whole stacks with what was met in each, the outermost first, where the profiler saw them; indices of `functions`. */
  readonly stacks: readonly { readonly frames: readonly number[]; readonly own: number }[];
  /** All own figures, those of functions that were left out too. */
  readonly own: number;
  readonly processes: number;
  /** What this profile could not see, a sentence each. */
  readonly notes: readonly string[];
}

export const profileSchema = z.object({
  functions: z.array(profiledFunctionSchema).max(1000),
  own: figure,
  processes: z.int().nonnegative(),
  notes: z.array(z.string().max(500)).max(20),
});
/** What a session keeps of a call graph. */
export type Profile = z.infer<typeof profileSchema>;

/** One look at why a variant regressed: a profile of each side, or why there is none. */
export const explanationSchema = z.object({
  variant: z.string(),
  kind: z.enum(PROFILE_KINDS),
  /** `cprofile`, `py-spy`, `tracemalloc`, `importtime`. */
  profiler: z.string().max(30),
  sides: z.partialRecord(sideSchema, profileSchema),
  /** Why a side is missing. */
  problem: z.string().max(3000).optional(),
  /** What the profiled runs took, in seconds. */
  seconds: figure,
});
export type Explanation = z.infer<typeof explanationSchema>;

/** Functions that a session keeps of each profile; the files beside it have all. */
const KEPT = 300;

/**
 * The largest functions of a call graph. A built-in has no place to look at, so what it took is its callers'; not what it
 * waited, or a function that waits would look like one that works.
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

/** Built-ins that give the processor away; cProfile's clock goes on meanwhile. */
const WAITING =
  /\b(sleep|acquire|select|poll|epoll|kqueue|control|wait\w*|recv\w*|accept|connect|posix\.read|getaddrinfo|_queue\.SimpleQueue)\b/;

/** Whether a function waits for something: a lock, a child, a socket. What made it wait longer stands elsewhere. */
export const isWaiting = ({ file, name }: Pick<ProfiledFunction, 'file' | 'name'>): boolean =>
  file === '' && WAITING.test(name);

/** Memory is in bytes, the others in seconds. */
export const unitOfKind = (kind: ProfileKind): 's' | 'bytes' => (kind === 'memory' ? 'bytes' : 's');
