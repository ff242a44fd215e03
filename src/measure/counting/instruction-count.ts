import type { Workload } from '../../plan/plan.ts';
import type { Outcome } from '../../session/run.ts';
import type { CountingTool } from '../../session/session.ts';
import type { Counted, Engine, Runnable } from '../engine.ts';
import type { Valgrind } from './valgrind.ts';

/** Counts the instructions of one repetition of a workload. */

export interface CountRequest {
  readonly runnable: Runnable;
  readonly workload: Workload;
  readonly tool: CountingTool;
  /** The time limit, in seconds. */
  readonly secondsAtMost: number;
  /** Whether callgrind's files are kept: those of the first count of a side are enough. */
  readonly keepProfiles: boolean;
}

export type CountResult =
  | ({ readonly kind: 'counted'; readonly version: string; readonly seconds: number } & Pick<
      Counted,
      'instructions' | 'processes'
    >)
  | { readonly kind: 'failed'; readonly message: string };

/** Counts of both sides use one hash seed, so that sets have the same order. */
const HASH_SEED = 1;

export interface InstructionCounterOptions {
  readonly engines: { readonly container: Engine; readonly host: Engine };
  /** The tool on this machine, or why it is missing; looked up once for each tool. */
  readonly find: (tool: CountingTool) => Promise<Valgrind | string>;
  /** Keeps a file of callgrind under a safe file name. */
  readonly keep: (name: string, text: string) => Promise<void>;
}

/** Counts the instructions of one repetition of the workload, in a fresh container or process. */
export function instructionCounter({ engines, find, keep }: InstructionCounterOptions) {
  const found = new Map<CountingTool, Promise<Valgrind | string>>();
  return async (
    { runnable, workload, tool, secondsAtMost, keepProfiles }: CountRequest,
    signal: AbortSignal,
  ): Promise<CountResult> => {
    // The base's configuration may ask for a count while the change turns the workload into a server.
    if (workload.server !== undefined)
      return {
        kind: 'failed',
        message: 'instructions are counted only for a command that ends by itself, not for a server',
      };
    const known = found.get(tool) ?? find(tool);
    found.set(tool, known);
    const valgrind = await known;
    if (typeof valgrind === 'string') return { kind: 'failed', message: valgrind };
    const { variant, side, engine } = runnable.image;
    const began = performance.now();
    const { counted, outcome, message } = await engines[engine].run(
      {
        runnable,
        workload: { ...workload, timeoutSeconds: secondsAtMost },
        repetitions: 1,
        hashSeed: HASH_SEED,
        counting: valgrind,
      },
      signal,
    );
    if (counted === undefined) {
      const [what = '', ...output] = (message ?? 'it left no count').split('\n');
      const advice = what.includes('SIGILL') ? NOT_KNOWN : (ADVICE[outcome] ?? '');
      const reason = `under ${tool} (${valgrind.version}) ${what}${advice}`;
      return { kind: 'failed', message: [reason, ...output].join('\n') };
    }
    const seconds = (performance.now() - began) / 1000;
    for (const { name, text } of keepProfiles ? counted.profiles : [])
      // KCachegrind's pattern of names: it treats a name with a number after a full stop as a part of another file.
      await keep(`callgrind.out.${variant}-${side}-${name}`, text);
    const { instructions, processes } = counted;
    return { kind: 'counted', version: valgrind.version, seconds, instructions, processes };
  };
}

const NOT_KNOWN = '. The cause may also be an instruction that valgrind does not support, such as AVX-512';

/** In the first line, because the lines below are the workload's output. */
const ADVICE: Partial<Record<Outcome, string>> = {
  timeout:
    '. Valgrind makes a workload 30 to 60 times slower: give it less to do, or raise workload.timeout and rules.budget',
  oom: '. Valgrind takes memory of its own: raise workload.memory',
};
